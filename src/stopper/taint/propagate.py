"""Propagation: one worklist solver that carries taints and constants together, and the summaries of functions.

What is approximated:

- access paths are cut at depth 3; a container keeps its constant keys and places apart, all other elements are one; a container
  of more than 40 elements is one;
- a branch that a constant decides is pruned; a guard cleans the variable it tests, and what was only built of it before;
- objects are values: what a call changes is written back to where its arguments, its receiver and their holders were read from;
  two variables for one object see each other's stores only where one was assigned from the other, each once;
- a call of the project's own function uses its summary, solved with the constants, objects and functions that it is given and
  with tokens for its taints; large functions that are called from many places are solved once for all constants of clean
  arguments, and after 500 ways of calling a function the parts of an argument are one; functions that call each other in a circle
  are solved until their summaries stay the same, with less and less told apart; deeper than ``MAX_CALLS`` a call is clean;
- a variable of a module and an attribute of a class keep everything that was ever written to them, whoever wrote it;
- a call that cannot be resolved is taken for a library's: a function that no model names gives a clean result (measured: as a
  tainted one it finds no more of CodeQL's Flask tests, and a tenth more flows in five applications), a method of a tainted object
  gives a tainted one, and a function of the project that is passed to it is called with what else is passed;
- decorators that are not the project's hand the function through; what ``Opaque`` stands for gives a clean result.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from stopper.taint import constants, raising, texts
from stopper.taint.builtin import Library
from stopper.taint.constants import numbered, spread_together, updated
from stopper.taint.domain import (
    ANY,
    CLEAN,
    EACH,
    KEYS,
    SEQUENCES,
    Taint,
    Target,
    Value,
    joined,
    merged,
    together,
)
from stopper.taint.engine import MAX_STEPS as MAX_ROOT_STEPS
from stopper.taint.engine import Engine
from stopper.taint.ir import (
    APART,
    Assign,
    Build,
    Call,
    Catch,
    Compare,
    Compute,
    Define,
    Edge,
    Function,
    Join,
    Load,
    Opaque,
    Raise,
    Return,
    Share,
    Store,
)
from stopper.taint.liveness import dead_behind
from stopper.taint.loops import looked_through
from stopper.taint.outcomes import Exit, anyway, brought, outcomes
from stopper.taint.steps import depth, index, joined_states
from stopper.taint.strings import added_to_markup, joined_text, loaded
from stopper.taint.summary import TOO_LARGE, Hit, Summary

LONG = 1_000
"""After how many operations of one function it counts how much the variables hold."""
CARRIED = 100
"""How much variables may hold so that to join them costs as much as one operation."""
MAX_STEPS = 20_000
"""How many operations one function may cost."""
_METHODS = {
    "+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "|": "or", "&": "and", "^": "xor",
    "<<": "lshift", ">>": "rshift", "@": "matmul", "**": "pow",
}  # fmt: skip
_Seen = tuple[dict[Hit, None], list[Exit], list[Value]]
"""What one visit of a block has seen: what reached sinks, what came out with the state then, what was handed out."""
_TEXTS = ("__str__", "__format__", "__repr__")


def solve(engine: Engine, function: Function, entry: dict[str, Value]) -> Summary:
    """Return what a function does when it is entered with ``entry``."""
    return Run(engine, function).solve(entry)


class Run(Library):
    """One function being solved."""

    def __init__(self, engine: Engine, function: Function) -> None:
        """Start with nothing known."""
        super().__init__(engine, function)
        page = engine.views.get(id(function.scope))
        self.view = page is not None
        self.sinks.json = page is False
        self.exits: list[Exit] = []
        self.own: dict[str, set[int]] = {}
        """The numbers of the taints that parameters have brought in."""
        self.yields: list[Value] = []
        self.steps = 0
        self.forgotten = dead_behind(function, self.rereads.values())
        self.catching = raising.catching(function)

    def solve(self, entry: dict[str, Value]) -> Summary:
        """Run the worklist to its fixed point; of each block the last visit tells what reaches a sink and what comes out."""
        function, states = self.function, {0: entry}
        place = function.places
        self.own = {name: ids for name in function.params if (ids := brought(entry.get(name, CLEAN)))}
        seen: dict[int, _Seen] = {}
        waiting = [0]
        while waiting:
            number = function.order[heappop(waiting)]
            if not self._afford(number, states[number]):
                break
            self.result.hits, self.exits, self.yields = seen[number] = {}, [], []
            ways = self._leave(number, states[number])
            if not ways:
                self._fall_off(number)
            for target, state in ways:
                before = states.get(target)
                after = state if before is None else joined_states(before, state)
                if after is not before:
                    states[target] = after
                    if place[target] not in waiting:
                        heappush(waiting, place[target])
        self._gather([seen[number] for number in (sorted(seen) if function.loops else seen)])
        self._conclude(entry)
        return self.result

    def _gather(self, visits: list[_Seen]) -> None:
        """Put together what the last visits of all blocks have seen."""
        self.result.hits, self.exits, self.yields = {}, [], []
        for hits, exits, yields in visits:
            self.result.hits.update(hits)
            self.exits += exits
            self.yields += yields

    def _afford(self, number: int, state: dict[str, Value]) -> bool:
        """Count the operations of a block and, where it goes on for long, what they carry; past the bounds the work stops."""
        cost = len(self.function.blocks[number].ops) + 1
        if self.steps > LONG:
            cost += sum([value.weight for value in state.values()]) // CARRIED
        self.steps += cost
        self.engine.steps += cost
        if self.steps > MAX_STEPS or self.engine.steps > MAX_ROOT_STEPS:
            self.result.cut = self.result.cut or TOO_LARGE
        return not self.result.cut

    def _leave(self, number: int, entry: dict[str, Value]) -> list[tuple[int, dict[str, Value]]]:
        """Run a block and return the state on each way out of it that can be taken."""
        self.dead, self.caught = False, number in self.catching
        block = self.function.blocks[number]
        self.state = dict(entry) if block.ops else entry
        for op in block.ops:
            _TRANSFER[type(op)](self, op)
            if self.dead:
                thrown = raising.FLYING in self.state
                return [(target, self.state) for target in self.catching.get(number, ()) if thrown]
        gone = self.forgotten[number] if block.edges else ()
        left = {name: value for name, value in self.state.items() if name not in gone}
        return [
            (edge.target, state)
            for edge in block.edges
            if (state := self._taken(number, edge, left)) is not None
        ]

    def _taken(self, number: int, edge: Edge, left: dict[str, Value]) -> dict[str, Value] | None:
        """Return the state on a way, with what its test says or the loop that ends here; None for a way that cannot be taken."""
        if edge.test is None:
            changes = looked_through(self.guards, self.function, number, edge)
        else:
            known = constants.truth(self.read(edge.test))
            if known is not None and known != edge.truth:
                return None
            changes = self.guards.changes(edge.test, edge.truth)
        if not changes:
            return left
        state = dict(left)
        self.learn(changes, state)
        return state

    def _fall_off(self, number: int) -> None:
        """Note the state at the end of a function that ends without a ``return``."""
        ops = self.function.blocks[number].ops
        if self.dead or self.function.blocks[number].edges:
            return
        if not ops or not isinstance(ops[-1], Return | Raise) or getattr(ops[-1], "yields", False):
            self.exits.append(Exit(Value(constant=None), self.state))

    def _conclude(self, entry: dict[str, Value]) -> None:
        """Read off the exits what callers may rely on."""
        result = self.result
        result.ends = not self.exits and not result.cut and not self.yields
        returned = together([one.answer for one in self.exits])
        if self.yields:
            returned = Value(shape="iterator", fields=((ANY, together(self.yields)),))
        result.returns = returned
        for name in self.function.params:
            self._passed(name, entry.get(name, CLEAN))
        if self.own:
            result.outcomes = outcomes(self.exits, self.own)
            result.checked = anyway(result.outcomes)
        if not self.function.params:
            for one in self.exits:
                result.state = joined_states(result.state, one.state) if result.state else dict(one.state)

    def _passed(self, name: str, before: Value) -> None:
        """Note what the object of a parameter holds at the end."""
        after = together([one.state.get(name, CLEAN) for one in self.exits])
        if name not in self.function.rebound and (after.fields or after.classes) and after != before:
            self.result.after[name] = after

    def assign(self, op: Assign) -> None:
        """Copy a value."""
        value = self.read(op.source)
        name = op.target.base
        if value.taints and name[0] != "%":
            note = f"assigned to {name.partition(APART)[0]}"
            value = value.refined(lambda taint: taint.hop(op.at, note))
        self.state[name] = value

    def load(self, op: Load) -> None:
        """Read a field: a client's data, what was stored, a member of the class, a place of a constant."""
        base, part = self.read(op.base), op.part if op.key is None else self.part(op)
        name = "" if op.name and self.program.is_own(op.name) else op.name
        if base.name and not name and part[0] == ".":
            name = self.program.canonical(base.name + part)
        held = base.field(part) if base.fields else None
        value = None
        if held is None and (name or base.name or base.fields or base.targets):
            named = op if op.name == name else self.program.renamed(op, name)
            value = self.engine.edges.load(self, named, base)
        if value is None and name:
            value = constants.of_library(name) or self._client(name, op, held)
        if value is None and held is None:
            value = self._unstored(op, base, part)
        if value is None:
            value = loaded(base, part)
            value = value.named(name) if name and not value.known else value
        self.state[op.target.base] = self.learnt(op.target.base, value)

    def _client(self, name: str, op: Load, held: Value | None) -> Value | None:
        """Return the client's data that a name stands for, but for what the function has put in its place."""
        if held is not None and self.function.once(id(op), lambda: self._written_first(op)):
            return None
        value = self.source(name, op.at)
        if value is None or held is None:
            return value
        return value.holding(value.taints, held.fields, value.constant)

    def _written_first(self, op: Load) -> bool:
        """Tell whether the function writes there before it branches, so that nothing of the client's is left."""
        if not isinstance(op.at, ast.Attribute):
            return False
        path = ast.unparse(op.at)
        stores = [one for one in self.function.blocks[0].ops if isinstance(one, Store)]
        return any(
            path == ast.unparse(target)
            for store in stores
            for target in (store.at.targets if isinstance(store.at, ast.Assign) else ())
        )

    def _unstored(self, op: Load, base: Value, part: str) -> Value | None:
        if part[0] == ".":
            return self.attribute(base, part[1:], op) if base.classes or base.targets else None
        if part == EACH:
            found = self.members(base, "__iter__") if base.classes else ()
            return self.invoke(found, (), (), {}, op).part(EACH) if found else None
        if not base.classes and part != "[:]" and not isinstance(base.constant, str | bytes):
            return None
        key = self.read(op.key) if op.key is not None else constants.constant(index(part))
        if part == "[:]":
            piece = constants.slice_of(key)
            return constants.part_of(base, piece) if piece is not None else None
        found = self.members(base, "__getitem__") if base.classes else ()
        if found:
            return self.invoke(found, (key,), (), {}, op)
        return constants.part_of(base, key.constant) if key.known else None

    def store(self, op: Store) -> None:
        """Write a field."""
        source, part = self.read(op.source), self.part(op)
        base = self.read(op.base)
        setter = self.members(base, "__setitem__") if base.classes and part[0] == "[" else ()
        if setter:
            key = self.read(op.key) if op.key is not None else constants.constant(index(part))
            call = Call(op.target, "", "__setitem__", op.base, (), at=op.at) if hasattr(op, "target") else op
            self.invoke(setter, (key, source), (), {}, call)
        if op.key is not None and part == ANY and base.shape == "dict":
            self.put(op.base, KEYS, self.read(op.key))
        if part[0] != "." or not base.classes or not self.write_attribute(base, op, source):
            self.put(op.base, part, source)
        for target in base.targets:
            if target.scope is not None and part[0] == ".":
                self.share(f"{target.scope.dotted}{part}", source.refined(lambda taint: taint.marked("kept")))
        self.engine.edges.store(self, op, source)
        self.sinks.store(op, source, base.name)

    def shared(self, op: Share) -> None:
        """Write a variable of an enclosing scope."""
        value = self.read(op.source)
        value = value.refined(lambda taint: taint.hop(op.at, f"assigned to {op.name}"))
        self.state[op.name] = value
        self.keep(op.name, value)

    def define(self, op: Define) -> None:
        """Define a function with the variables around it, and hand it through its decorators."""
        free = self.engine.lowered(op.scope).free
        outer = tuple((name, self.state[name]) for name in sorted(free) if name in self.state)
        value = Value(targets=(Target(op.scope, outer=outer),))
        for decorator in op.decorators:
            targets = self.read(decorator).targets
            decorated = self.invoke(targets, (value,), (), {}, op) if targets else CLEAN
            self.dead = False
            value = decorated if decorated.targets else value
        self.write(op.target, value)

    def compute(self, op: Compute) -> None:
        """Apply an operator."""
        left, right = self.read(op.left), self.read(op.right)
        found = self._overloaded(op.operator, left, right, op)
        self.write(op.target, constants.computed(op.operator, left, right) if found is None else found)

    def _overloaded(self, operator: str, left: Value, right: Value, op: Any) -> Value | None:
        """Return what an operator gives that a class of the project defines; None for all others."""
        for one, other, prefix in ((left, right, "__"), (right, left, "__r")):
            name = f"{prefix}{_METHODS[operator]}__" if one.classes and operator in _METHODS else ""
            targets = self.members(one, name) if name else ()
            if targets:
                return self.invoke(targets, (other,), (), {}, op)
        return None

    def join(self, op: Join) -> None:
        """Build a text; two numbers are added, two lists are put one behind the other."""
        values = [self.read(part) for part in op.parts]
        found = self._operated(op, values[0], values[1]) if op.operator else None
        if found is None:
            found = joined_text([self._text(value, op) for value in values], op.quoted, op.at)
        self.write(op.target, found)

    def _operated(self, op: Join, left: Value, right: Value) -> Value | None:
        """Return what ``+`` or ``%`` gives where it is more than two texts, one behind the other."""
        found = self._overloaded(op.operator, left, right, op)
        if found is None and (left.name or right.name):
            found = added_to_markup(op.operator, left, right, op.at)
        if found is None and op.operator == "%" and isinstance(left.constant, str):
            found = texts.percent(left.constant, right, op.at)
        if found is None and not (isinstance(left.constant, str) and op.operator == "+"):
            found = _added(op.operator, left, right)
        return found

    def _text(self, value: Value, op: Join) -> Value:
        """Return an object of the project as the text that its class makes of it."""
        for owner in value.classes:
            for name in _TEXTS:
                scope = self.program.method(owner, name)
                if scope is not None:
                    return self.invoke((Target(scope, receiver=value),), (), (), {}, op)
        return self.said(value) if value.classes else value

    def build(self, op: Build) -> None:
        """Build a container."""
        if op.shape in ("list", "tuple", "set"):
            self.write(op.target, self._sequence(op))
            return
        value = Value(shape=op.shape)
        computed: Value = CLEAN
        for key, item in op.items:
            part, place = self.read(item), key
            if key == KEYS:
                computed = part
            if key == ANY and computed.known:
                place = f"[{computed.constant!r}]"
                value = Value(
                    value.taints,
                    shape=value.shape,
                    fields=tuple(one for one in value.fields if one[0] != KEYS),
                )
            if place == "**":
                value = updated(value, part) if part.fields or part.taints else value
            else:
                value = value.with_part(place, part, depth(part))
            computed = computed if key == KEYS else CLEAN
        self.write(op.target, value)

    def _sequence(self, op: Build) -> Value:
        items: list[Value] = []
        rest: list[Value] = []
        for key, item in op.items:
            part = self.read(item)
            part = part.flat() if depth(part) >= 3 else part
            if key == ANY:
                rest.append(part)
            elif key != "**" and not rest:
                items.append(part)
            elif key != "**":
                rest.append(part)
            elif part.closed and part.shape in SEQUENCES and not rest:
                items += [one for _, one in part.items()]
            else:
                rest.append(part.part(EACH))
        value = numbered(op.shape, items)
        return value.with_part(ANY, together(rest)) if rest else value

    def compare(self, op: Compare) -> None:
        """Compare two values."""
        self.write(op.target, constants.compared(op.operator, self.read(op.left), self.read(op.right)))

    def catch(self, op: Catch) -> None:
        """Bind a caught exception."""
        marks = frozenset() if op.broad else frozenset(("specific",))
        taint = Taint(f"the exception {op.target}", "exception", marks=marks)
        thrown = raising.caught(self.state.pop(raising.FLYING, CLEAN), op.classes)
        taints = merged((taint.hop(op.at, "the exception is caught"),), thrown.taints)
        self.write(op.target, thrown.holding(taints, thrown.fields, thrown.constant))

    def opaque(self, op: Opaque) -> None:
        """Give up: the result is clean."""
        self.write(op.target, CLEAN)

    def raise_(self, op: Raise) -> None:
        """Leave the block."""
        self.throw(self.read(op.source))

    def return_(self, op: Return) -> None:
        """Leave the function, or hand a value out and go on."""
        value = self.read(op.source)
        if op.yields:
            self.yields.append(value)
        else:
            self.exits.append(Exit(value, self.state, self.told_apart(op.source, value) if self.own else ()))
        if self.view:
            self.sinks.page(value, op)

    def call(self, op: Call) -> None:
        """Call something: the project's own, else a library's."""
        read = self.read
        receiver = read(op.receiver) if op.receiver is not None else CLEAN
        args = tuple([read(arg) for arg in op.args])
        keywords = {key: read(value) for key, value in op.keywords} if op.keywords else {}
        if len(keywords) < len(op.keywords):
            keywords["**"] = spread_together([read(value) for key, value in op.keywords if key == "**"])
        known = op.callee is not None or op.function is not None or op.direct
        if known or receiver.fields or receiver.classes or receiver.targets:
            targets = self.targets(op, receiver)
            if targets:
                value = self.invoke(targets, args, op.stars, keywords, op)
                if not self.dead:
                    self.write(op.target, value)
                return
        value = self.outside(self._by_name(op, receiver), receiver, args, keywords)
        if not self.dead:
            self.write(op.target, self.learnt(op.target.base, value))

    def _by_name(self, op: Call, receiver: Value) -> Call:
        """Return a call under the name that its receiver goes by here, where the code around does not say it."""
        if op.callee is not None:
            return self.program.renamed(op, op.name)
        if not receiver.name or op.receiver is None or (op.name and not self.program.is_own(op.name)):
            return op
        return self.program.renamed(op, self.program.canonical(f"{receiver.name}.{op.last}"))


def _added(operator: str, left: Value, right: Value) -> Value | None:
    """Return a sum that is no text: of two numbers, of two lists; None for a text."""
    if (
        operator == "+"
        and left.closed
        and right.closed
        and left.shape in SEQUENCES
        and right.shape in SEQUENCES
    ):
        return numbered(left.shape, [item for _, item in (*left.items(), *right.items())])
    if operator == "+" and (left.shape in SEQUENCES or right.shape in SEQUENCES):
        taints = merged(left.taints, right.taints)
        return Value(taints, shape="list", fields=((ANY, joined(left.part(ANY), right.part(ANY))),))
    if left.known and right.known and not isinstance(left.constant, str | bytes):
        return constants.computed(operator, left, right)
    if left.known and isinstance(left.constant, str) and operator == "%" and not right.every():
        found = constants.computed(operator, left, right)
        return found if found.known else None
    return None


_TRANSFER: dict[type, Callable[[Run, Any], None]] = {
    Assign: Run.assign, Load: Run.load, Store: Run.store, Share: Run.shared, Define: Run.define, Compute: Run.compute,
    Join: Run.join, Build: Run.build, Call: Run.call, Compare: Run.compare, Catch: Run.catch, Return: Run.return_,
    Raise: Run.raise_, Opaque: Run.opaque,
}  # fmt: skip
