"""The engine: summaries of functions, worked out bottom-up and in context, and what outlives a function's run."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any

from stopper.records import dataclass
from stopper.source.module import Kind, Scope
from stopper.taint.binding import Tokens
from stopper.taint.constants import constant, of_library
from stopper.taint.domain import CLEAN, UNKNOWN, Taint, Target, Value, joined
from stopper.taint.edges import Edges
from stopper.taint.ir import AccessPath, Call, Constant, Function, Load, Op
from stopper.taint.liveness import looked_at
from stopper.taint.models import Entry, Models
from stopper.taint.program import Program, Variable
from stopper.taint.shared import Shared, left
from stopper.taint.summary import TOO_LARGE, Leaving, Summary, Trail, failure

MAX_CALLS = 40
"""How deeply calls of the project's own functions are followed."""
MAX_SITES = 2
"""From how many places a large function may be called and still be solved with the constants of clean arguments."""
MAX_GENERAL = 500
"""In how many ways of calling it a function is solved before the parts of its arguments are no longer told apart."""
MAX_SMALL = 40
"""Of how many operations a function is small, so that it is always solved with the constants of clean arguments."""
MAX_ROUNDS = 4
"""How often functions that call each other in a circle are solved again; the answers have settled long before."""
MAX_STEPS = 40_000
"""How many operations one root may cost, with everything that it calls."""

Solve = Callable[["Engine", Function, dict[str, Value]], Summary]
Key = tuple[int, tuple[tuple[str, Value], ...]]


@dataclass(slots=True)
class _Active:
    """A function that is being solved."""

    depth: int
    summary: Summary
    """What is known of it so far; callers in a circle get this."""
    level: int
    """Its place on the stack of trails."""


@dataclass(slots=True)
class _Provisional:
    """What is known of a function that rests on one which is still being solved."""

    summary: Summary
    lowest: int
    """The depth of the outermost one that it rests on."""


class Engine:
    """Summaries of functions, each worked out once for each way of calling it."""

    def __init__(self, models: Models, program: Program, solve: Solve, edges: Edges | None = None) -> None:
        """Take the models, the project, the solver, and the framework's hidden edges."""
        self.models = models
        self.program = program
        self.edges = edges or Edges()
        self.shared = Shared()
        self.views: dict[int, bool] = {}
        """The functions whose answer is the response, by the identity of their scopes: whether it is sent as HTML."""
        self.steps = 0
        self.abandoned = False
        """Whether an error ended the work on the root."""
        self.solve = solve
        self._done: dict[Key, Summary] = {}
        self._circling: dict[Key, _Provisional] = {}
        self._guesses: dict[Key, Summary] = {}
        """What the last round over a circle has found, for the next one to start from."""
        self._active: dict[Key, _Active] = {}
        self._lowest = MAX_CALLS
        self._contexts: dict[int, int] = {}
        self._inside: dict[int, int] = {}
        """How often each function is being solved now: one that calls itself is given less and less to tell calls apart by."""
        self._read_by: dict[int, AbstractSet[str]] = {}
        """The variables that each function looks at, by the identity of its scope."""
        self._general: dict[int, Summary] = {}
        self.modules: dict[int, Leaving] = {}
        """What the statements of modules do, by the identity of their scopes, for those who ask for a variable of one."""
        self._definitions: dict[int, Summary] = {}
        self._constants: dict[str, Value] = {}
        self.trails = [Trail()]
        """What the functions being solved rest on, the outermost first; before them the root's own."""
        self.bounded = False
        """Whether a bound had a part in the work on the root."""
        self._passing: list[tuple[dict[Any, Summary], Any]] = []
        """Where the summaries are kept that do not outlive the root."""
        self._open: dict[int, int] = {}
        """The modules and definitions being worked out, by the identity of their scopes, with their places on the stack."""
        self._later: dict[Value, Value] = {}
        self.answers: dict[tuple[str, str, bool], Any] = {}
        """What may answer a call of a library's function, by the names in the call."""

    def constant(self, operand: Constant) -> Value:
        """Return the value of a constant in the code."""
        found: Value | None = operand.held
        if found is None:
            found = operand.held = constant(operand.value)
        return found

    def lowered(self, scope: Any) -> Function:
        """Return a scope as blocks of operations."""
        return self.program.lowered(scope)

    def concerns(self, scope: Any) -> bool:
        """Tell whether a function reads a client's data or holds a sink, or calls by name one that does; a line in a log is no sink."""
        own = [*self.lowered(scope).ops()]
        called = [op.callee for op in own if isinstance(op, Call) and op.callee is not None]
        inner = [self.lowered(one).ops() for one in called if one.kind is Kind.FUNCTION]
        return any(map(self._concerns, own)) or any(any(map(self._concerns, ops)) for ops in inner)

    def _concerns(self, op: Op) -> bool:
        if isinstance(op, Load):
            return bool(op.name and self.models.find("source", op.name))
        if not isinstance(op, Call) or op.callee is not None:
            return False
        plain = op.receiver is None
        found = self.models.find("sink", op.name or (op.last if plain else ""), "" if plain else op.last)
        harms = any(entry.kind != "log" and _given(op, entry) for entry in found)
        return harms or bool(op.name and self.models.find("source", f"{op.name}()"))

    def run(self, function: Function, entry: dict[str, Value]) -> Summary:
        """Return what a root does, entered with ``entry``, and keep what it writes to cells."""
        self.steps = 0
        result = self._tracked(function, entry)
        self._rest_on(result)
        return self.leave(result)

    def _tracked(self, function: Function, entry: dict[str, Value]) -> Summary:
        """Solve a function, and note the cells that were read on the way; one at which our own work fails is cut."""
        reading, names = self.shared.reading, self.program.names
        reading.append({})
        trail, steps = Trail(), self.steps
        noted, names.rested = names.rested, 0
        self.trails.append(trail)
        try:
            result = self.solve(self, function, entry)
        except RecursionError:
            raise
        except Exception as error:  # noqa: BLE001 - what fails on one function must not hide what the others do
            result = Summary(cut=failure(function.scope, error))
        self.trails.pop()
        trail.rests, names.rested = names.rested, noted
        trail.steps += self.steps - steps
        self.trails[-1].steps -= self.steps - steps
        result.trail = trail
        result.reads = reading.pop()
        self.shared.rest_on(result.reads)
        return result

    def forget(self) -> None:
        """Give up the summaries that rest on cells which hold more now."""
        tables: tuple[dict[Any, Summary], ...] = (self._done, self._general, self._definitions)
        for table in tables:
            for key in [key for key, summary in table.items() if self.shared.outdated(summary.reads)]:
                del table[key]
        self._contexts.clear()

    def abandon(self) -> None:
        """Forget what was being solved, after an error that nothing of it has caught."""
        for table in (self._active, self._circling, self._guesses, self._inside, self._open):
            table.clear()
        self._lowest = MAX_CALLS
        del self.trails[1:]
        self.abandoned = True

    def begin(self) -> None:
        """Begin with a root."""
        self.trails = [Trail()]
        self.bounded = self.abandoned = False
        self._contexts.clear()
        self.program.names.rested = 0

    def end(self) -> Trail:
        """End with a root and return what it rests on; what is known of circles by the way it took is forgotten."""
        trail = self.trails[0]
        trail.rests |= self.program.names.rested
        for table, key in self._passing:
            table.pop(key, None)
        self._passing.clear()
        return trail

    def _pass(self, level: int) -> None:
        """Note that what is being worked out from a place of the stack on may be another thing on another way."""
        for trail in self.trails[level:]:
            trail.passing = True

    def _keep(self, table: dict[Any, Summary], key: Any, summary: Summary) -> Summary:
        """Keep a summary, for this root alone where that is so."""
        table[key] = summary
        if summary.trail is not None and summary.trail.passing:
            self._passing.append((table, key))
        return summary

    def summary(self, scope: Any) -> Summary:
        """Return what a project's function does with data of which nothing is known but that it is tainted."""
        found = self._general.get(id(scope))
        if found is None:
            params = self.lowered(scope).params
            entry = {name: Value((Taint("", "parameter", place),)) for place, name in enumerate(params)}
            found = self._keep(self._general, id(scope), self._in_context(scope, entry))
        return self._read(found)

    def _read(self, summary: Summary) -> Summary:
        """Return a summary that was known; who uses it rests on what it rests on."""
        if summary.reads:
            self.shared.rest_on(summary.reads)
        return self._use(summary)

    def _use(self, summary: Summary) -> Summary:
        """Return a summary that was known, and note that it is used."""
        trail, used = self.trails[-1], summary.trail
        if id(summary) not in trail.uses:
            trail.uses[id(summary)] = summary
            if used is not None:
                trail.height = max(trail.height, used.height)
                if used.passing:
                    self._pass(0)
        return summary

    def applied(self, scope: Any, values: dict[str, Value]) -> tuple[Summary, Tokens]:
        """Return what a project's function does with its parameters holding ``values``, and the tokens in the answer."""
        if id(scope) in self.views:
            self.shared.call(scope)
        values = self._looked_at(scope, values)
        inside = self._inside.get(id(scope), 0)
        tokens = Tokens()
        plain = self.lowered(scope).size > MAX_SMALL and self.program.sites(scope) > MAX_SITES
        entry = tokens.abstract(values, general=inside > 0, plain=plain)
        many = self._contexts.get(id(scope), 0) >= MAX_GENERAL
        self.bounded = self.bounded or many
        if inside:
            self._note_nested(scope, entry, Tokens().abstract(values, general=False, plain=plain))
        if (many or inside > 1) and self._key(scope, entry) not in self._done:
            tokens = Tokens()
            whole, entry = entry, tokens.flattened(values)
            self._note_nested(scope, entry, whole)
        return self._in_context(scope, entry), tokens

    def insists_on(self, scope: Any) -> list[tuple[str, bool]]:
        """Return the parameters that must be true, or must not, for a function to come back: ``def demand(test): if not test: abort(400)``."""
        function = self.lowered(scope)
        tested = function.once("insists", lambda: _tested_first(function))
        return [
            (name, truth)
            for truth in (True, False)
            for name in tested
            if self.applied(scope, {name: Value(constant=not truth)})[0].ends
        ]

    def _note_nested(self, scope: Any, entry: dict[str, Value], other: dict[str, Value]) -> None:
        """Note that a function which is being solved is called with less told apart than on other ways, where that is so."""
        if entry != other:
            self._pass(next((one.level for key, one in self._active.items() if key[0] == id(scope)), 0))

    def _looked_at(self, scope: Any, values: dict[str, Value]) -> dict[str, Value]:
        """Return the values that a function looks at; others do not tell one way of calling it from another."""
        read = self._read_by.get(id(scope))
        if read is None:
            function = self.lowered(scope)
            read = self._read_by[id(scope)] = looked_at(function) | function.free
        return {name: value for name, value in values.items() if name in read}

    def _key(self, scope: Any, entry: dict[str, Value]) -> Key:
        return id(scope), tuple(sorted(entry.items(), key=_first))

    def _in_context(self, scope: Any, entry: dict[str, Value]) -> Summary:
        key = self._key(scope, entry)
        found = self._done.get(key)
        if found is not None:
            return self._read(found)
        known = self._active.get(key)
        if known is not None:
            self._lowest = min(self._lowest, known.depth)
            self.trails[-1].called += (id(scope),)
            return known.summary
        provisional = self._circling.get(key)
        if provisional is not None:
            self._lowest = min(self._lowest, provisional.lowest)
            return self._read(provisional.summary)
        if len(self._active) >= MAX_CALLS or self.steps > MAX_STEPS:
            self.bounded = True
            self._pass(0)
            self.trails[-1].called += (id(scope),)
            return Summary(cut=TOO_LARGE)
        self._contexts[id(scope)] = self._contexts.get(id(scope), 0) + 1
        self._inside[id(scope)] = self._inside.get(id(scope), 0) + 1
        summary = self._settled(key, self.lowered(scope), entry)
        self._inside[id(scope)] -= 1
        self._rest_on(summary)
        return summary

    def _rest_on(self, summary: Summary) -> None:
        """Note that the function being solved uses a summary that was worked out for it."""
        trail = self.trails[-1]
        trail.uses[id(summary)] = summary
        if summary.trail is not None:
            trail.height = max(trail.height, summary.trail.height + 1)

    def _settled(self, key: Key, function: Function, entry: dict[str, Value]) -> Summary:
        """Solve a function; where it closes a circle, again, until nothing in the circle changes any more."""
        depth = len(self._active)
        active = self._active[key] = _Active(depth, self._guesses.get(key) or Summary(), len(self.trails))
        outside, self._lowest = self._lowest, MAX_CALLS
        stable = False
        for _ in range(MAX_ROUNDS):
            before, self._lowest = active.summary, MAX_CALLS
            active.summary = self._tracked(function, entry)
            trail = active.summary.trail
            if trail is not None and before.trail is not None:
                trail.uses[id(before)] = before
            stable = self._lowest != depth or (self._unchanged(depth) and active.summary == before)
            if stable:
                break
            self._again(depth)
        del self._active[key]
        trail = active.summary.trail
        if trail is not None:
            trail.scope = key[0]
            trail.passing = trail.passing or not stable
        if self._lowest < depth:
            self._circling[key] = _Provisional(active.summary, self._lowest)
        else:
            self._keep(self._done, key, active.summary)
            self._settle(depth, active.summary if stable else None)
        self._lowest = min(outside, self._lowest) if self._lowest < depth else outside
        return active.summary

    def _members(self, depth: int) -> list[tuple[Key, _Provisional]]:
        """Return what rests on nothing further out than the function at ``depth``."""
        return [(key, one) for key, one in self._circling.items() if one.lowest >= depth]

    def _unchanged(self, depth: int) -> bool:
        """Tell whether a round over a circle found what the last one had found."""
        return all(self._guesses.get(key) == one.summary for key, one in self._members(depth))

    def _again(self, depth: int) -> None:
        """Start the next round over a circle from what the last one has found."""
        for key, one in self._members(depth):
            self._guesses[key] = one.summary
            del self._circling[key]

    def _settle(self, depth: int, closing: Summary | None) -> None:
        """Keep what a circle has settled to, each part resting on all cells that the circle has read; None for nothing."""
        for key, one in self._members(depth):
            del self._circling[key]
            self._guesses.pop(key, None)
            if closing is not None:
                one.summary.reads = closing.reads
                self._keep(self._done, key, one.summary)

    def variable(self, scope: Any, name: str) -> Value:
        """Return what a variable that is free in ``scope`` holds."""
        return self.held(self.program.variable(scope, name))

    def held(self, variable: Variable) -> Value:
        """Return what a variable of a module holds, by what is known of it."""
        if variable.scope is not None:
            return self.function(variable.scope)
        if not variable.key:
            return of_library(variable.name) or (Value(name=variable.name) if variable.name else CLEAN)
        cell = self.shared.get(variable.key)
        start = self._constant(variable) if variable.constant is not UNKNOWN else None
        if start is None:
            start = self._left(variable.module.scope, variable.last) if variable.module else CLEAN
            start = start.named(variable.name) if variable.name and not start.name else start
            start = self._used(start) if start.classes and start.fields else start
        return start if cell is None else joined(start, cell)

    def _left(self, scope: Scope, name: str) -> Value:
        """Return a variable as the statements of a module leave it; who asks rests on that, not on all that these have read."""
        found, reads = self._done.get((id(scope), ())), dict[str, int]()
        if found is None:
            self.shared.reading.append(reads)
            summary = self._in_context(scope, {})
            self.shared.reading.pop()
            found = self._done.get((id(scope), ()))
        else:
            summary = self._use(found)
        if (
            found is None or found.trail is None or found.trail.passing
        ):  # a circle is not closed yet, or this holds on this way alone
            self.shared.rest_on(reads or summary.reads)
        else:
            self.modules.setdefault(id(scope), Leaving(scope, found))
            self.shared.ask(left(scope, name))
        return summary.state.get(name, CLEAN)

    def renewed(self, scope: Scope) -> Summary | None:
        """Return what the statements of a module do now, None where that does not come to an end or is another thing on another way."""
        self.begin()
        self.steps, reading = 0, self.shared.reading
        depth = len(reading)
        reading.append({})
        try:
            summary = self._in_context(scope, {})
        except RecursionError:
            self.abandon()
            return None
        finally:
            del reading[depth:]
        passing = summary.trail is None or summary.trail.passing
        self.end()
        return None if passing or self.bounded else summary

    def _used(self, made: Value) -> Value:
        """Return an object of a module as it may be later on: methods have set what its constructor left constant."""
        later = {name for owner in made.classes for name in self.program.set_later(owner)}
        found = self._later.get(made) if later else made
        if found is None:
            fields = tuple(
                [
                    (name, part.holding(part.taints, part.fields, UNKNOWN) if name in later else part)
                    for name, part in made.fields
                ]
            )
            found = self._later[made] = made.holding(made.taints, fields, made.constant)
        return found

    def _constant(self, variable: Variable) -> Value:
        found = self._constants.get(variable.key)
        if found is None:
            found = self._constants[variable.key] = constant(variable.constant)
        return found

    def module(self, scope: Any) -> dict[str, Value]:
        """Return the variables of a module, or of a class body, as its statements leave them."""
        return self._in_context(scope, {}).state

    def function(self, scope: Any) -> Value:
        """Return a function, a class or a module as a value: a function as the project's own decorators leave it."""
        found = self._definitions.get(id(scope))
        if found is None:
            plain = Summary(returns=Value(targets=(Target(scope),)))
            self._definitions[id(scope)] = plain
            self._open[id(scope)] = len(self.trails)
            names = self.program.names
            noted, names.rested = names.rested, 0
            definition = self.program.definition(scope)
            decorated = self._tracked(definition, {}) if definition is not None else plain
            trail = decorated.trail = decorated.trail or Trail()
            trail.rests |= names.rested
            names.rested = noted
            if not decorated.returns.targets:
                plain.reads, plain.shares, plain.trail, decorated = (
                    decorated.reads,
                    decorated.shares,
                    trail,
                    plain,
                )
            found = self._keep(self._definitions, id(scope), decorated)
            del self._open[id(scope)]
        elif found.trail is None:
            self._pass(self._open.get(id(scope), len(self.trails)))
        return self._read(found).returns

    def registered(self, scope: Any) -> Summary:
        """Return what is done with a function or a class when it is defined, and keep what is written of it."""
        self.steps = 0
        if scope.parent is None:  # no request has come in yet: what matters are functions and objects
            for key, value in self._in_context(scope, {}).shares.items():
                self.shared.put(key, value.refined(lambda _: None))
            return Summary()
        self.function(scope)
        return self.leave(self._definitions[id(scope)])

    def leave(self, result: Summary) -> Summary:
        """Keep what was written to cells."""
        for key, value in result.shares.items():
            self.shared.put(key, value)
        return result


def _given(op: Call, entry: Entry) -> bool:
    """Tell whether a call hands a sink anything but constants where it looks."""
    args = [op.receiver if at == -1 else op.args[at] for at in entry.args if at < len(op.args)]
    args += [value for key, value in op.keywords if "*" in entry.keywords or key in entry.keywords]
    return bool(op.stars) or any(isinstance(arg, AccessPath) for arg in args)


def _first(item: tuple[str, Value]) -> str:
    return item[0]


def _tested_first(function: Function) -> tuple[str, ...]:
    """Return the parameters that a function begins by testing."""
    tests = {edge.test.base for edge in function.blocks[0].edges if isinstance(edge.test, AccessPath)}
    return tuple(name for name in function.params if name in tests and name not in function.rebound)
