"""One function being solved: the variables at the current point, how operands are read, and what is noted on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stopper.taint.answers import Verdicts
from stopper.taint.change import Change, apply
from stopper.taint.constants import truth
from stopper.taint.containers import HOLDERS
from stopper.taint.derived import derived
from stopper.taint.domain import ANY, CLEAN, EACH, KEYS, SEQUENCES, Taint, Value, merged
from stopper.taint.engine import Engine
from stopper.taint.guards import Guards
from stopper.taint.ir import AccessPath, Assign, Call, Constant, Function, Load, Operand, Place
from stopper.taint.outcomes import Asked, Outcome, checked
from stopper.taint.raising import FLYING, flying, is_exception, together_flying
from stopper.taint.rereads import kept_in, remembered, rereads
from stopper.taint.sinks import Sinks
from stopper.taint.steps import accepts, aliases, bounded, common, depth, from_start, shift
from stopper.taint.summary import Hit, Summary

MAX_HOLDERS = 5
"""How many holders a store is carried outwards into: ``a.b['c'].d = x``."""


class Frame:
    """The state of one function at the operation that is being looked at."""

    def __init__(self, engine: Engine, function: Function) -> None:
        """Start before the first operation."""
        self.engine = engine
        self.models = engine.models
        self.program = engine.program
        self.function = function
        self.state: dict[str, Value] = {}
        self._outside: dict[str, Value] = {}
        self.result = Summary()
        self.dead = False
        self.caught = False
        """Whether a handler waits for what is raised here."""
        self.answered: dict[int, dict[int, tuple[tuple[Outcome, ...], Sequence[str]]]] = {}
        """What comes out of functions of the project and the names of their arguments, by the call and the function."""
        self.aliases: dict[str, list[str]] = function.once("aliases", lambda: aliases(function))
        self.rereads = rereads(function)
        self.guards = Guards(function, self.models, self.read, self.verdicts)
        self.sinks = Sinks(self.models, function, self.read, self.record, self.engine.lowered)

    def read(self, operand: Operand) -> Value:
        """Return what is known of an operand."""
        if isinstance(operand, Constant):
            known: Value | None = operand.held
            return self.engine.constant(operand) if known is None else known
        value = self.state.get(operand.base)
        return self._outer(operand.base) if value is None else value

    def learnt(self, name: str, value: Value) -> Value:
        """Return what a temporary is given, with what was learnt where the same was read before."""
        cell = self.rereads.get(name)
        return value if cell is None else remembered(self.state, cell, value)

    def learn(self, changes: list[Change], state: dict[str, Value] | None = None) -> None:
        """Change what is known of variables, of what was built of them, and of the dicts that they were read from."""
        known = self.state if state is None else state
        cells = [
            change._replace(path=AccessPath(cell))
            for change in changes
            if (cell := self._cell(change.path.base))
        ]
        changes = [*changes, *cells]
        apply(known, changes, derived(self.function))
        kept_in(known, self.function, [path.base for path, *_ in changes], self.read)

    def _cell(self, name: str) -> str | None:
        """Return the cell of what a variable was read from, and where it is read again: ``name = data["name"]``."""
        made = self.function.definitions.get(name) if self.rereads else None
        if not isinstance(made, Assign) or not isinstance(made.source, AccessPath):
            return None
        return self.rereads.get(made.source.base)

    def _outer(self, name: str) -> Value:
        """Return what a variable of an enclosing scope holds, which stays the same while one function is solved."""
        found = self._outside.get(name)
        if found is None:
            free = name in self.function.free
            found = self.engine.variable(self.function.scope, name) if free else CLEAN
            self._outside[name] = found
        return found

    def write(self, target: AccessPath, value: Value) -> None:
        """Give a variable its value."""
        self.state[target.base] = bounded(value)

    def update(self, holder: Operand | None, value: Value) -> None:
        """Put a changed object back where it was read from: the variable, and the fields that lead to it."""
        for _ in range(MAX_HOLDERS):
            if not isinstance(holder, AccessPath):
                return
            self.state[holder.base] = value = bounded(value)
            for name in self.aliases.get(holder.base, ()):
                if name in self.state:
                    self.state[name] = value
            if holder.base in self.function.free and (not value.name or value.name.startswith(HOLDERS)):
                self.keep(holder.base, value)
            op = self.function.definitions.get(holder.base)
            if isinstance(op, Assign):
                holder = op.source
            elif isinstance(op, Load) and op.part not in (".headers", "[:]"):  # a slice is a copy
                part = ANY if op.part == EACH else self.part(op)
                base = self.read(op.base)
                if part == ANY and op.key is not None and base.shape == "dict":
                    base = base.with_part(KEYS, self.read(op.key))
                self._keep_in_class(base, part, value)
                value = base.with_part(part, value, depth(value))
                holder = op.base
            elif isinstance(op, Call) and op.last == "__enter__":
                holder = op.receiver
            else:
                return

    def _keep_in_class(self, base: Value, part: str, value: Value) -> None:
        """Write what was put into something that a class holds: ``cls.handlers[name] = handler``."""
        for target in base.targets if part[0] == "." else ():
            if target.scope is not None and hasattr(target.scope.node, "bases"):
                home = self.program.names.member(target.scope, part[1:])
                name = home[0].dotted if home is not None else target.scope.dotted
                self.share(f"{name}{part}", value.refined(lambda taint: taint.marked("kept")))

    def throw(self, raised: Value) -> None:
        """Raise an exception; what one of the project says is kept for Flask's handlers."""
        self.fly(flying(raised, self.program))
        said = raised.field(".args") or CLEAN
        for owner in raised.classes if said.every() else ():
            self.share(f"{owner.dotted}.args", said.refined(lambda taint: taint.marked("kept")))

    def fly(self, raised: Value) -> None:
        """Note exceptions that carry data, for the handlers of this function or for who calls it."""
        if not raised.fields:
            return
        if self.caught:
            self.state[FLYING] = together_flying(self.state.get(FLYING, CLEAN), raised)
        else:
            self.result.raised = together_flying(self.result.raised, raised)

    def said(self, value: Value) -> Value:
        """Return the text of an exception of the project, which some other function raised."""
        owners = [owner for owner in value.classes if not value.taints and is_exception(owner, self.program)]
        cells = [self.engine.shared.get(f"{owner.dotted}.args") for owner in owners]
        found = [cell.every() for cell in cells if cell is not None]
        return value.holding(merged(value.taints, *found), value.fields, value.constant) if found else value

    def put(self, holder: Operand, part: str, source: Value) -> None:
        """Write a field of an object, or a stretch of a list; headers are no part of a page."""
        base = self.read(holder)
        if part == "[:]" and base.shape in SEQUENCES:
            base, part, source = base.opened(), ANY, source.part(EACH)
        part = from_start(base, part)
        self.update(holder, base.with_part(part, source, depth(source)))

    def keep(self, name: str, value: Value) -> None:
        """Write a variable of an enclosing function or of the module."""
        variable = self.program.variable(self.function.scope, name)
        if variable.key:
            self.share(variable.key, value.refined(lambda taint: taint.marked("kept")))
        elif variable.scope is None:
            self.result.outer[name] = value

    def share(self, key: str, value: Value) -> None:
        """Write to a cell that outlives the function's run."""
        parts = (value, *(part for _, part in value.fields))
        if value.every() or any(part.targets or part.classes for part in parts):
            self.result.share(key, value)

    def part(self, op: Any) -> str:
        """Return the field that a load or a store means, its key computed."""
        if op.key is None or op.part != ANY:
            return str(op.part)
        key = self.read(op.key)
        return f"[{key.constant!r}]" if key.known else ANY

    def source(self, name: str, at: Place) -> Value | None:
        """Return the data of a client that the name of a library's thing stands for; None for all others."""
        return None if not name else self._source(name, at)

    def _source(self, name: str, at: Place) -> Value | None:
        for entry in self.models.find("source", name):
            label = entry.label.format(last=name.rpartition(".")[2])
            taint = Taint(label, entry.kind or "request", marks=frozenset(entry.marks))
            return Value((taint.hop(at, f"{label} is read"),), name=name)
        return None

    def told_apart(self, source: Operand, answer: Value) -> tuple[tuple[bool, dict[str, Value]], ...]:
        """Return the state where a variable that is handed out is true, and where it is not, if that says more."""
        if not isinstance(source, AccessPath) or source.base[0] == "%" or truth(answer) is not None:
            return ()
        found = [(holds, dict(self.state), self.guards.changes(source, holds)) for holds in (True, False)]
        for _, state, changes in found:
            self.learn(changes, state)
        return tuple([(holds, state) for holds, state, _ in found]) if found[0][2] or found[1][2] else ()

    def verdicts(self, call: Call, asked: Asked) -> Verdicts:
        """Return what the project's own function has checked of its arguments when a test of its answer came out so.

        What it has checked with what it is given here is known where the call was followed.
        """
        followed = list(self.answered.get(id(call), {}).values())
        if not followed:
            scope = call.callee
            if scope is None or not hasattr(scope.node, "args"):
                return {}
            names = self.engine.lowered(scope).params[shift(call) :]
            followed = [(self.engine.summary(scope).outcomes, names)]
        every = [_placed(checked(outcomes, asked), names) for outcomes, names in followed]
        return {key: common(told.get(key, frozenset()) for told in every) for key in every[0]}

    def record(self, kind: str, value: Value, at: Place, sink: str, confidence: str) -> None:
        """Note every taint of ``value`` that can harm a sink of ``kind``."""
        for taint in value.taints:
            if not taint.safe_for(kind) and accepts(kind, taint):
                self.result.hits.setdefault(Hit(kind, taint, at, sink, confidence, self.function.scope))


def _placed(kinds: dict[str, frozenset[str]], names: Sequence[str]) -> Verdicts:
    """Return what is known of parameters by their names, and by the places of the arguments."""
    found: Verdicts = dict(kinds.items())
    return found | {at: kinds[name] for at, name in enumerate(names) if name in kinds}
