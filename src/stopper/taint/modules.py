"""What modules leave in their variables, worked out again when cells have grown, and what lies behind it.

Much of a project reads a variable of a module whose statements have read many cells: ``from app import storage``. Who reads it rests
on that variable alone; what a module leaves is worked out again at the end of a round, and only who read a variable that holds
something else by then is solved again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stopper.taint.engine import Engine
from stopper.taint.kept.reach import Reach, merged, reach
from stopper.taint.shared import LEFT, Reads, left
from stopper.taint.summary import Leaving

MAX_PASSES = 8
"""How often modules that rest on each other are worked out at the end of a round; then all of their variables count as changed."""


def renew(engine: Engine) -> None:
    """Work out the modules again whose cells hold more now, and note which of their variables hold something else."""
    shared = engine.shared
    for turn in range(MAX_PASSES + 1):
        old = [one for one in engine.modules.values() if shared.outdated(one.summary.reads)]
        if not old:
            return
        engine.forget()
        changed = _changed if turn < MAX_PASSES else _given_up
        shared.grow([left(one.scope, name) for one in old for name in changed(engine, one)])


def _changed(engine: Engine, module: Leaving) -> Iterator[str]:
    """Work out a module again and yield the variables that hold something else; all of them where that does not come to an end."""
    before, after = module.summary, engine.renewed(module.scope)
    if after is None:
        yield from _given_up(engine, module)
        return
    if after.trail is not None:
        after.trail.uses[id(before)] = before
    after.reads = _now(engine, before.reads) | after.reads
    module.summary, module.again = after, True
    for name in sorted(before.state.keys() | after.state.keys()):
        if before.state.get(name) != after.state.get(name):
            yield name


def _given_up(engine: Engine, module: Leaving) -> list[str]:
    """Return all variables of a module; it counts as worked out until cells grow again."""
    module.summary.reads = _now(engine, module.summary.reads)
    return sorted(module.summary.state.keys() | module.scope.bindings)


def _now(engine: Engine, reads: Reads) -> Reads:
    return dict.fromkeys(reads, engine.shared.now)


class Behind:
    """What lies behind the variables of modules, once all rounds have ended."""

    def __init__(self, engine: Engine) -> None:
        """Take the engine that has solved the rounds."""
        self._modules = {str(key): module for key, module in engine.modules.items()}
        self._homes: dict[str, frozenset[str]] = {}
        self._reaches: dict[str, Reach] = {}

    def cells(self, reads: Iterable[str]) -> list[str]:
        """Return the cells that were read, by modules too whose variables were read."""
        keys = [reads, *(self._modules[home].summary.reads for home in self._every(reads))]
        return sorted({key for some in keys for key in some if not key.startswith(LEFT)})

    def reach(self, reads: Iterable[str], own: Reach) -> Reach:
        """Return all that a root rests on that has read these, what modules have rested on included that were worked out again."""
        homes = [home for home in self._every(reads) if self._modules[home].again]
        return merged([own, *map(self._reach, sorted(homes))]) if homes else own

    def _reach(self, home: str) -> Reach:
        found = self._reaches.get(home)
        if found is None:
            trail = self._modules[home].summary.trail
            found = self._reaches[home] = reach(trail) if trail is not None else Reach()
        return found

    def _every(self, reads: Iterable[str]) -> frozenset[str]:
        """Return the modules of which variables were read, and those of which these have read some."""
        return frozenset().union(*map(self._closed, _homes(reads)))

    def _closed(self, home: str) -> frozenset[str]:
        """Return a module and all those of which it has read variables, itself or by way of others."""
        found = self._homes.get(home)
        if found is None:
            seen, waiting = {home}, [home]
            while waiting:
                new = _homes(self._modules[waiting.pop()].summary.reads) - seen
                seen |= new
                waiting += new
            found = self._homes[home] = frozenset(seen)
        return found


def _homes(reads: Iterable[str]) -> set[str]:
    return {key.split()[1] for key in reads if key.startswith(LEFT)}
