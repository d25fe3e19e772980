"""Rounds: roots are solved, what they leave in cells is joined, and those that read a cell which grew are solved again.

The roots of a large project are dealt out in two shares, each solved by an engine of its own. The shares tell each other only what
their roots wrote to cells and which functions they followed, so that it makes no difference whether one process solves both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from stopper.records import dataclass
from stopper.source.module import Kind, Scope
from stopper.taint.binding import bound
from stopper.taint.callgraph import Root
from stopper.taint.constants import constant
from stopper.taint.domain import CLEAN, Target, Value, joined
from stopper.taint.engine import Engine
from stopper.taint.ir import AccessPath, Call
from stopper.taint.kept.reach import Reach, reach
from stopper.taint.kept.unchanged import NOBODY, Unchanged
from stopper.taint.modules import renew
from stopper.taint.propagate import Run
from stopper.taint.registries import makers, subclassed
from stopper.taint.shared import Reads, Written
from stopper.taint.summary import TOO_LARGE, Summary, failure

SET_UP = 2
"""How many rounds there are of what is done when the code is defined, on which most roots rest: tables are filled, and read to be filled."""
MAX_ROUNDS = SET_UP + 3
"""How many rounds there are at most: after these what Flask calls; what nothing has called, and who read a cell that holds more now;
these once more, so that data which is kept twice on its way is found."""


@dataclass(frozen=True, slots=True)
class Left:
    """What the roots of a share have left behind in one round."""

    written: Written
    followed: frozenset[int]
    """The functions that were followed to their ends so far, by the identity of their scopes."""


@dataclass(slots=True)
class Solved:
    """What a root did, as it was solved last."""

    results: list[Summary]
    reach: Reach
    reads: Reads
    whole: bool
    """Whether it is known what the root rests on."""
    written: dict[int, dict[str, Value]]
    """What it wrote to cells, by the round."""


class Share:
    """Some of a project's roots, and the engine that solves them."""

    def __init__(self, engine: Engine, roots: Mapping[int, Root], unchanged: Unchanged = NOBODY) -> None:
        """Take the roots by their places in the order of all, and those that an earlier run has solved."""
        self.engine = engine
        self.roots = roots
        self.unchanged = unchanged
        self.solved: dict[int, Solved] = {}
        self.idle: dict[int, int] = {}
        """The roots that nothing follows and that need not be, and the parts of the code on which that rests."""
        self.waiting = [place for place, root in roots.items() if not root.followed]
        """The roots that the next round solves."""
        self._called = [place for place, root in roots.items() if root.called and root.followed]
        self._rest = [place for place, root in roots.items() if not root.called]
        self._followed = frozenset[int]()

    def solve(self) -> Left:
        """Solve the roots whose turn it is, and return what they leave behind."""
        engine, shared = self.engine, self.engine.shared
        if self.waiting and shared.rounds:
            engine.forget()
        for place in self.waiting:
            solved = self._one(engine, place)
            if solved.reach.bounded:  # what is known of others must have no part in what is cut
                shared.withdraw(place)
                alone = Engine(engine.models, engine.program, engine.solve, engine.edges)
                alone.shared, alone.views, alone.modules = shared, engine.views, engine.modules
                solved = self._one(alone, place)
            before = self.solved.get(place)
            solved.written = {**(before.written if before else {}), shared.rounds: shared.by(place)}
            self.solved[place] = solved
        self._followed = frozenset().union(*(one.reach.followed for one in self.solved.values()))
        return Left(shared.written(), self._followed)

    def _one(self, engine: Engine, place: int) -> Solved:
        shared = self.engine.shared
        shared.writer = place
        shared.reading.append({})
        engine.begin()
        results = _to_the_end(engine, self.roots[place])
        whole, trail = not engine.abandoned, engine.end()
        found = reach(trail)
        found.bounded = found.bounded or engine.bounded
        return Solved(results, found, shared.reading.pop(), whole, {})

    def end(self, others: Sequence[Left]) -> None:
        """End a round, in which other shares have left this behind."""
        shared = self.engine.shared
        kept = self.unchanged.written(shared.rounds)
        shared.end_round([kept, *(other.written for other in others)])
        if shared.rounds < MAX_ROUNDS:
            renew(self.engine)
        self.waiting = [place for place, one in self.solved.items() if shared.outdated(one.reads)]
        if shared.rounds == SET_UP:
            self.waiting += self._called
        if shared.rounds != SET_UP + 1:
            return
        followed = self.unchanged.followed.union(self._followed, *(other.followed for other in others))
        self.unchanged.drop(followed)
        self.waiting += [place for place in self._rest if self._is_worthwhile(place, followed)]

    @property
    def pending(self) -> bool:
        """Tell whether there is something to do in the next round."""
        return self.engine.shared.rounds <= SET_UP or bool(self.waiting or self.unchanged.records)

    def _is_worthwhile(self, place: int, followed: frozenset[int]) -> bool:
        """Tell whether a root must be solved by itself: nothing has called it, and it may read data, or harm with what was stored."""
        root, names = self.roots[place], self.engine.program.names
        if id(root.scope) in followed or place in self.unchanged.idle:
            return False
        names.rested = 0
        if root.reads or self.engine.concerns(root.scope):
            return True
        self.idle[place] = names.rested
        return False


def run(shares: Sequence[Share]) -> None:
    """Solve shares here, one after the other in each round."""
    for _ in range(MAX_ROUNDS):
        left = [share.solve() for share in shares]
        for share in shares:
            share.end([one for other, one in zip(shares, left, strict=True) if other is not share])
        if not any(share.pending for share in shares):
            break


def run_with(share: Share, exchange: Callable[[Left], Left]) -> None:
    """Solve one share while another is solved elsewhere; ``exchange`` hands over what is left behind in a round."""
    for _ in range(MAX_ROUNDS):
        share.end([exchange(share.solve())])


def dealt(roots: Mapping[int, Root], *, parts: int) -> list[dict[int, Root]]:
    """Return roots by their places, in parts of about the same size: each file goes to the part that is smallest so far."""
    files: dict[str, dict[int, Root]] = {}
    for place, root in roots.items():
        files.setdefault(root.scope.module.path, {})[place] = root
    found: list[dict[int, Root]] = [{} for _ in range(parts)]
    sizes = [0] * parts
    for file in files.values():
        at = sizes.index(min(sizes))
        found[at] |= file
        sizes[at] += sum(map(_size, file.values()))
    return found


def _size(root: Root) -> int:
    node: Any = root.scope.node
    return int(getattr(node, "end_lineno", 0) or 0) - int(getattr(node, "lineno", 0)) + 3


def _to_the_end(engine: Engine, root: Root) -> list[Summary]:
    """Return what a root does; one whose code or whose values nest more deeply than Python's own stack is cut."""
    before = len(engine.shared.reading)
    try:
        return list(solved(engine, root))
    except RecursionError:
        cut = TOO_LARGE
    except Exception as error:  # noqa: BLE001 - one root that fails must not hide what the others do
        cut = failure(root.scope, error)
    engine.abandon()
    del engine.shared.reading[before:]
    return [Summary(cut=cut)]


def solved(engine: Engine, root: Root) -> Iterator[Summary]:
    """Yield what a root does: as the project's decorators leave it and, where these do not call it, the function itself."""
    if root.registered:
        yield from _noted(engine, root.scope)
    for owner in (root.owners or (root.scope.owner,)) if root.followed else ():
        yield from _solved_for(engine, root, owner)


def _noted(engine: Engine, scope: Scope) -> Iterator[Summary]:
    """Yield what decorators, a base class and a metaclass do with a function or a class when it is defined."""
    yield engine.registered(scope)
    names, itself = engine.program.names, Value(targets=(Target(scope),))
    hook = subclassed(scope, names) if scope.kind is Kind.CLASS else None
    told: list[tuple[Scope, tuple[Value, ...]]] = [(hook, (itself,))] if hook is not None else []
    for owner, maker in makers(scope, names):
        first = itself if maker.name == "__init__" else Value(targets=(Target(owner),))
        told.append((maker, (first, Value(constant=scope.name), CLEAN, itself)))
    for method, args in told:
        made = Run(engine, engine.lowered(scope.module.scope))
        made.invoke((Target(method),), args, (), {}, Call(AccessPath("%0"), "", scope.name, None, ()))
        yield engine.leave(made.result)


def _solved_for(engine: Engine, root: Root, owner: Any) -> Iterator[Summary]:
    """Yield what a root does, a method as one of the class that it answers for."""
    scope = root.scope
    given = [(key, value) for view, key, value in root.given if view is owner]
    entry = {**_own(engine, scope, owner, given), **root.entry}
    for target in engine.function(scope).targets if root.view else ():
        if target.scope is scope or target.scope is None:
            continue
        function = engine.lowered(target.scope)
        receiver = tuple(value for name, value in entry.items() if name not in root.entry)
        yield engine.run(function, {**bound(function, receiver, (), root.entry), **dict(target.outer)})
    if not engine.shared.has_called(scope):
        yield engine.run(engine.lowered(scope), entry)


def _own(engine: Engine, scope: Any, owner: Any, given: Sequence[tuple[str, object]]) -> dict[str, Value]:
    """Return what the first parameter of a method holds: an instance as its constructor leaves it."""
    first = next(iter(engine.lowered(scope).params), "")
    how = engine.program.how(scope)
    if owner is None or not first or how in ("", "static"):
        return {}
    if how == "class":
        return {first: Value(targets=(Target(owner),))}
    if scope.name == "__init__":
        return {first: Value(classes=(owner,))}
    handed: dict[str, Value] = {}
    for key, value in given:
        meant = engine.function(value) if isinstance(value, Scope) else constant(value)
        handed[key] = joined(handed.get(key, meant), meant)
    return {first: _instance(engine, owner, handed)}


def _instance(engine: Engine, owner: Any, given: dict[str, Value]) -> Value:
    """Return an instance of a project's class, as its constructor leaves it when no more is known of its arguments, by place or name."""
    run = Run(engine, engine.lowered(owner.module.scope))
    places = range(1 + max((int(key) for key in given if key.isdecimal()), default=-1))
    args = tuple(given.get(str(place), CLEAN) for place in places)
    named = {key: value for key, value in given.items() if not key.isdecimal()}
    return run.construct(owner, args, (), named, Call(AccessPath("%0"), "", owner.name, None, ()))
