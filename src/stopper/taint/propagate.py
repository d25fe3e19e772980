"""Propagation: one worklist solver that carries taints and constants together, and the summaries of functions.

What is approximated:

- access paths are cut at depth 3; a container keeps its constant keys apart, all other elements are one;
- a branch that a constant decides is pruned; a guard cleans the variable it tests, not what was made of it before;
- two variables that hold one object do not see each other's stores;
- a library's function that no model names gives a clean result; a method of a tainted object gives a tainted one;
- a call of the project's own function uses its summary (parameter -> return, parameter -> sink, parameter -> checked); where
  functions call each other in a circle, or deeper than ``MAX_CALLS``, the innermost call gives a clean result;
- ``Opaque`` gives a clean result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from stopper.taint.domain import CLEAN, Taint, Value, joined, joined_states, merged
from stopper.taint.change import apply
from stopper.taint.guards import Guards
from stopper.taint.ir import (
    AccessPath,
    Assign,
    Build,
    Call,
    Catch,
    Compare,
    Constant,
    Function,
    Join,
    Load,
    Opaque,
    Operand,
    Place,
    Return,
    Store,
)
from stopper.taint.libraries import result
from stopper.taint.models import Models
from stopper.taint.sinks import Sinks
from stopper.taint.steps import (
    accepts,
    common,
    constant,
    depth,
    instantiated,
    left_clean,
    shift,
)
from stopper.taint.strings import joined_text, loaded
from stopper.taint.summary import Hit, Summary

MAX_STEPS = 30_000
"""How many operations one function may cost."""
MAX_CALLS = 6
"""How deeply calls of the project's own functions are followed."""
_MUTATORS = frozenset(["append", "add", "extend", "insert", "update", "setdefault", "write", "appendleft"])


class Engine:
    """Summaries of functions, each worked out once."""

    def __init__(self, models: Models, lowered: Callable[[Any], Function]) -> None:
        """Take the models, and how a scope is lowered."""
        self.models = models
        self.lowered = lowered
        self._summaries: dict[int, Summary] = {}
        self._active: list[int] = []

    def summary(self, scope: Any) -> Summary:
        """Return the summary of a project's function, its parameters tainted."""
        key = id(scope)
        if key in self._summaries:
            return self._summaries[key]
        if key in self._active or len(self._active) >= MAX_CALLS:
            return Summary()
        self._active.append(key)
        function = self.lowered(scope)
        entry = {
            name: Value((Taint(name, "parameter", index),)) for index, name in enumerate(function.params)
        }
        result = self._summaries[key] = _Run(self, function).solve(entry)
        self._active.pop()
        return result

    def run(
        self, function: Function, entry: dict[str, Value], *, view: bool = False, page: bool = True
    ) -> Summary:
        """Return what one function does, entered with ``entry``; what a view returns is a page, or else JSON."""
        self._active.append(id(function.scope))
        run = _Run(self, function, view=view)
        run.sinks.html = run.sinks.html and page
        result = run.solve(entry)
        self._active.pop()
        return result


class _Run:
    """One function being solved."""

    def __init__(self, engine: Engine, function: Function, *, view: bool = False) -> None:
        self.engine = engine
        self.models = engine.models
        self.function = function
        self.view = view
        self.state: dict[str, Value] = {}
        self.result = Summary()
        self.recording = False
        self.dead = False
        self.exits: list[tuple[Value, dict[str, Value]]] = []
        self.guards = Guards(function, self.models, self.read, self.verdicts)
        self.sinks = Sinks(self.models, function, self.read, self.record)

    def solve(self, entry: dict[str, Value]) -> Summary:
        """Run the worklist to its fixed point, then once more over what is reached, recording."""
        states: dict[int, dict[str, Value]] = {0: entry}
        waiting = [0]
        steps = 0
        while waiting:
            number = waiting.pop(0)
            steps += len(self.function.blocks[number].ops) + 1
            if steps > MAX_STEPS:
                self.result.cut = True
                break
            for target, state in self._leave(number, states[number]):
                before = states.get(target)
                after = state if before is None else joined_states(before, state)
                if before is None or after != before:
                    states[target] = after
                    if target not in waiting:
                        waiting.append(target)
        self.recording = True
        for number in sorted(states):
            ways = self._leave(number, states[number])
            if not self.function.blocks[number].edges and not self.dead and not ways:
                self._fall_off(number)
        self._conclude()
        return self.result

    def _leave(self, number: int, entry: dict[str, Value]) -> list[tuple[int, dict[str, Value]]]:
        """Run a block and return the state on each way out of it that can be taken."""
        self.state = dict(entry)
        self.dead = False
        block = self.function.blocks[number]
        for op in block.ops:
            _TRANSFER[type(op)](self, op)
            if self.dead:
                return []
        ways = []
        for edge in block.edges:
            state = self.state
            if edge.test is not None:
                known = self.read(edge.test)
                if known.known and bool(known.constant) != edge.truth:
                    continue
                state = dict(self.state)
                apply(state, self.guards.changes(edge.test, edge.truth))
            ways.append((edge.target, state))
        return ways

    def _fall_off(self, number: int) -> None:
        ops = self.function.blocks[number].ops
        if not ops or not isinstance(ops[-1], Return):
            self.exits.append((Value(constant=None), self.state))

    def _conclude(self) -> None:
        """Read off the exits what callers may rely on."""
        for index, name in enumerate(self.function.params):
            every = [left_clean(state.get(name), index) for _, state in self.exits]
            true = [
                left_clean(state.get(name), index)
                for value, state in self.exits
                if not value.known or value.constant
            ]
            self.result.checked[index] = common(every)
            self.result.approved[index] = common(true)

    def read(self, operand: Operand) -> Value:
        """Return what is known of an operand."""
        if isinstance(operand, Constant):
            return constant(operand.value)
        value = self.state.get(operand.base, CLEAN)
        for part in operand.fields:
            value = value.part(part)
        return value

    def write(self, target: AccessPath, value: Value) -> None:
        self.state[target.base] = value

    def verdicts(self, call: Call) -> dict[int, frozenset[str]]:
        """Return what the project's own function has checked of its arguments when its answer is true."""
        summary = self.engine.summary(call.callee)
        offset = shift(call)
        return {index - offset: kinds for index, kinds in summary.approved.items()}

    def assign(self, op: Assign) -> None:
        value = self.read(op.source)
        if value.taints and not op.target.base.startswith("%"):
            value = value.refined(lambda taint: taint.hop(op.at, f"assigned to {op.target}"))
        self.write(op.target, value)

    def load(self, op: Load) -> None:
        source = self._source(op.name, op.at)
        if source is not None:
            self.write(op.target, source)
            return
        base = self.read(op.base)
        self.write(op.target, loaded(base, op.part))

    def _source(self, name: str, at: Place) -> Value | None:
        for entry in self.models.find("source", name) if name else ():
            label = entry.label.format(last=name.rpartition(".")[2])
            taint = Taint(label, entry.kind or "request", marks=frozenset(entry.marks))
            return Value((taint.hop(at, f"{label} is read"),))
        return None

    def store(self, op: Store) -> None:
        source = self.read(op.source)
        base = op.base
        if isinstance(base, AccessPath):
            self._store_into(base, op.part, source)
        if self.recording:
            self.sinks.store(op, source)

    def _store_into(self, base: AccessPath, part: str, source: Value) -> None:
        """Write a field, and the field of what that field was read from: ``a.b['c'] = x``; headers are no part of a page."""
        for _ in range(3):
            holder = self.state.get(base.base, CLEAN)
            self.state[base.base] = source = holder.with_part(part, source, depth(source))
            op = self.function.definitions.get(base.base)
            if not isinstance(op, Load) or not isinstance(op.base, AccessPath) or op.part == ".headers":
                return
            base, part = op.base, op.part

    def join(self, op: Join) -> None:
        self.write(op.target, joined_text([self.read(part) for part in op.parts], op.quoted, op.at))

    def build(self, op: Build) -> None:
        value = Value(shape=op.shape)
        for key, item in op.items:
            part = self.read(item)
            if key != "**":
                value = value.with_part(key, part, depth(part))
            elif part.fields or part.taints:
                value = replace(value, taints=merged(value.taints, part.every()))
        if all(part.known for _, part in value.fields) and all(key != "**" for key, _ in op.items):
            value = replace(value, constant=tuple(part.constant for _, part in value.fields))
        self.write(op.target, value)

    def compare(self, op: Compare) -> None:
        left, right = self.read(op.left), self.read(op.right)
        value = CLEAN
        if op.operator == "not" and left.known:
            value = Value(constant=not left.constant)
        elif op.operator in ("==", "!=") and left.known and right.known:
            value = Value(constant=(left.constant == right.constant) == (op.operator == "=="))
        self.write(op.target, value)

    def catch(self, op: Catch) -> None:
        marks = frozenset() if op.broad else frozenset(("specific",))
        taint = Taint(f"the exception {op.target}", "exception", marks=marks)
        self.write(op.target, Value((taint.hop(op.at, "the exception is caught"),)))

    def opaque(self, op: Any) -> None:
        self.write(op.target, CLEAN)

    def return_(self, op: Return) -> None:
        value = self.read(op.source)
        if not self.recording:
            return
        self.exits.append((value, self.state))
        self.result.returns = value if self.result.returns is CLEAN else joined(self.result.returns, value)
        if self.view:
            self.sinks.page(value, op)

    def call(self, op: Call) -> None:
        receiver = self.read(op.receiver) if op.receiver is not None else CLEAN
        args = tuple(self.read(arg) for arg in op.args)
        keywords = {key: self.read(value) for key, value in op.keywords}
        if self.recording:
            self.sinks.call(op, receiver, args, keywords)
        if op.name and self.models.find("ends", op.name):
            self.dead = True
            return
        value = self._source(f"{op.name}()", op.at) if op.name else None
        if value is None and op.callee is not None:
            value = self._own(op, receiver, args, keywords)
        if value is None:
            self._mutate(op, args)
            value = result(self.models, op, receiver, args, keywords)
        self.write(op.target, value)

    def _mutate(self, op: Call, args: tuple[Value, ...]) -> None:
        """Carry ``box.append(x)`` into ``box``."""
        if op.last not in _MUTATORS or not isinstance(op.receiver, AccessPath):
            return
        for value in args:
            if value.every():
                self._store_into(op.receiver, "[*]", value)

    def _own(
        self, op: Call, receiver: Value, args: tuple[Value, ...], keywords: dict[str, Value]
    ) -> Value | None:
        """Apply the summary of the project's own function."""
        summary = self.engine.summary(op.callee)
        bound = self._bound(op, receiver, args, keywords)
        if self.recording:
            for hit in summary.hits:
                self._carried(hit, bound, op)
        self._checked(op, summary)
        return instantiated(summary.returns, bound, op)

    def _bound(
        self, op: Call, receiver: Value, args: tuple[Value, ...], keywords: dict[str, Value]
    ) -> dict[int, Value]:
        params = self.engine.lowered(op.callee).params
        bound = dict(enumerate(args, shift(op)))
        if shift(op):
            bound[0] = receiver
        bound.update({params.index(key): value for key, value in keywords.items() if key in params})
        return bound

    def _checked(self, op: Call, summary: Summary) -> None:
        """Clean the variables that the function has checked, having come back."""
        for index, arg in enumerate(op.args, shift(op)):
            kinds = summary.checked.get(index, frozenset())
            if kinds and isinstance(arg, AccessPath):
                apply(self.state, [(arg, kinds, "")])

    def _carried(self, hit: Hit, bound: dict[int, Value], op: Call) -> None:
        if hit.taint.kind != "parameter":
            return
        for taint in bound.get(hit.taint.parameter, CLEAN).every():
            if taint.safe_for(hit.kind) or not accepts(hit.kind, taint):
                continue
            through = (*taint.hop(op.at, f"passed to {op.last}()").trace, *hit.taint.trace, *hit.through)
            met = replace(
                taint, clean=taint.clean | hit.taint.clean, marks=taint.marks | hit.taint.marks, trace=through
            )
            self.result.hits.setdefault(replace(hit, taint=met, through=()))

    def record(self, kind: str, value: Value, at: Place, sink: str, confidence: str) -> None:
        """Note every taint of ``value`` that can harm a sink of ``kind``."""
        if not self.recording:
            return
        for taint in value.taints:
            if not taint.safe_for(kind) and accepts(kind, taint):
                self.result.hits.setdefault(Hit(kind, taint, at, sink, confidence, self.function.scope))


_TRANSFER: dict[type, Callable[[_Run, Any], None]] = {
    Assign: _Run.assign, Load: _Run.load, Store: _Run.store, Join: _Run.join, Build: _Run.build, Call: _Run.call,
    Compare: _Run.compare, Catch: _Run.catch, Return: _Run.return_, Opaque: _Run.opaque,
}  # fmt: skip
