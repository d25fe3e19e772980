"""Memory: what the roots of a project did in an earlier run, and which of them must be solved again.

A root is not solved again where everything is as it was that its work has rested on: the code that it followed or asked for
names, how it is entered, what all roots have in common (``grounds``), and what others wrote to the cells that it read.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from stopper.finding import Step
from stopper.records import dataclass, field
from stopper.taint.callgraph import Root
from stopper.taint.flow import Flow
from stopper.taint.kept.grounds import answers, grounds
from stopper.taint.kept.outline import Moves, Outline, changed, outlined
from stopper.taint.kept.stable import Stable, checked, learn_known
from stopper.taint.kept.unchanged import Record, Unchanged, expanded
from stopper.taint.program import Program

if TYPE_CHECKING:
    from stopper.source.project import Project

Name = tuple[str, str, int]
"""A root: its file, its name there, and which one of that name it is."""


@dataclass(frozen=True, slots=True)
class Memo:
    """What a run leaves to the next one."""

    grounds: str
    modules: tuple[Outline, ...]
    asked: dict[str, str]
    """What was asked about the whole project, with the answers."""
    records: dict[Name, Record] = field(default_factory=dict)


learn_known(Memo, Outline, Record, Flow)


def left(project: Project) -> bytes | None:
    """Return what an earlier run has left, read once; None where there is nothing."""
    shelf = project.shelf
    return project.cached("taint.left", shelf.load) if shelf is not None else None


class Memory:
    """The roots of one project, and what an earlier run has left of them."""

    def __init__(self, project: Project, program: Program, roots: tuple[Root, ...], stable: Stable) -> None:
        """Take the project, its roots, in their order, and the names of its parts."""
        self.project, self.program, self.roots, self.stable = project, program, roots, stable
        views = {id(root.scope): (root.scope, root.page) for root in roots if root.view}
        self.grounds = grounds(project, self.stable, views.values())
        self.names = _names(roots)
        self.digests = [self.stable.digest(root.traits) for root in roots]
        self.void: set[Name] = set()
        """The roots that rest on code which changed."""
        self.old = self._recalled()
        self.modules = self.old.modules if self.old is not None else outlined(project.modules)

    def _recalled(self) -> Memo | None:
        """Return what an earlier run has left, if it holds for this project at all."""
        raw = left(self.project)
        memo = checked(raw) if raw is not None else None
        if not isinstance(memo, Memo) or memo.grounds != self.grounds:
            return None
        if answers(self.project, self.program, memo.asked) != memo.asked:
            return None
        outlines = outlined(self.project.modules, memo.modules)
        return self._of_today(memo, outlines) if len(outlines) == len(memo.modules) else None

    def _of_today(self, memo: Memo, outlines: tuple[Outline, ...]) -> Memo:
        """Return what an earlier run has left, with the names and lines that the parts of the code have now."""
        void = changed(memo.modules, outlines)
        if not void:
            return replace(memo, modules=outlines)
        moves = Moves(self.project.modules, memo.modules, outlines)
        self.void = {name for name, one in memo.records.items() if one.rests & void}
        records = {
            name: one if name in self.void else _moved(one, moves) for name, one in memo.records.items()
        }
        return replace(memo, modules=outlines, records=records)

    def changed(self) -> set[int]:
        """Return the places of the roots that must be solved again because of the code; of others, that nobody has solved."""
        old = self.old
        if old is None:
            return set(range(len(self.roots)))
        found = set()
        for place, name in enumerate(self.names):
            record = old.records.get(name)
            same = record is not None and record.digest == self.digests[place] != ""
            known = same and name not in self.void
            if not known and (record is not None or self.roots[place].called):
                found.add(place)
        names = set(self.names)
        gone = [record for name, record in old.records.items() if name not in names]
        return found | self.readers({key for record in gone for _, key in record.digests()}, found)

    def readers(self, keys: Iterable[str], solved: set[int]) -> set[int]:
        """Return the places of the roots, but for those that are solved, that have read one of some cells."""
        touched = expanded(keys)
        if self.old is None or not touched:
            return set()
        records = {place: self.old.records.get(name) for place, name in enumerate(self.names)}
        return {
            place
            for place, one in records.items()
            if one is not None and place not in solved and not touched.isdisjoint(one.reads)
        }

    def unchanged(self, solved: set[int]) -> Unchanged:
        """Return the roots that need not be solved."""
        if self.old is None:
            return Unchanged()
        known = {
            place: self.old.records.get(name) for place, name in enumerate(self.names) if place not in solved
        }
        records = {
            place: self._filled(one) for place, one in known.items() if one is not None and not one.idle
        }
        called = frozenset(place for place in records if self.roots[place].called)
        return Unchanged(
            records,
            frozenset(place for place, one in known.items() if one is not None and one.idle),
            called,
            {id(self.roots[place].scope): place for place in records if place not in called},
            frozenset(self.stable.every_scope(records[place].followed for place in called)),
            self.stable,
            self._foreseen(solved),
        )

    def _foreseen(self, solved: set[int]) -> frozenset[str]:
        """Return the cells that some roots have read when they were solved last."""
        records = self.old.records if self.old is not None else {}
        before = [records[self.names[place]] for place in solved if self.names[place] in records]
        return frozenset(name for one in before for name in one.reads)

    def _filled(self, record: Record) -> Record:
        """Return a record with the lines of code in its flows, which are not kept."""
        return _changed(record, code=lambda step: self.project.line(step.location).strip())

    def idle(self, done: Mapping[int, Record], unchanged: Unchanged) -> dict[int, Record]:
        """Return the records of the roots in which there is still nothing to follow."""
        kept = self.old.records if self.old is not None else {}
        return {place: kept[self.names[place]] for place in unchanged.idle if place not in done}

    def touched(self, solved: Mapping[int, Record], unchanged: Unchanged, again: set[int]) -> set[str]:
        """Return the cells that hold something else than in the earlier run after some roots were solved again."""
        old = self.old
        if old is None:
            return set()
        keys: set[str] = set()
        for place in again | solved.keys() | unchanged.dropped:
            before, after = old.records.get(self.names[place]), solved.get(place)
            one = before.digests() if before is not None else {}
            other = after.digests() if after is not None else {}
            keys.update(
                key for at, key in one.keys() | other.keys() if one.get((at, key)) != other.get((at, key))
            )
        return keys

    def keep(self, records: Mapping[int, Record], asked: Iterable[str]) -> None:
        """Keep what this run leaves to the next one."""
        bare = {place: _changed(one, code=lambda _: "") for place, one in records.items() if one.whole}
        known = {self.names[place]: one for place, one in bare.items()}
        before = self.old.asked if self.old is not None else {}
        told = answers(self.project, self.program, {*before, *asked})
        memo = Memo(self.grounds, self.modules, told, known)
        if self.project.shelf is not None:
            self.project.shelf.keep(pickle.dumps(memo, pickle.HIGHEST_PROTOCOL))


def _changed(record: Record, code: Callable[[Step], str]) -> Record:
    """Return a record with other lines of code in its flows."""
    if not record.flows:
        return record
    flows = tuple(
        (replace(flow, steps=tuple(replace(step, code=code(step)) for step in flow.steps)), asks)
        for flow, asks in record.flows
    )
    return replace(record, flows=flows)


def _moved(record: Record, moves: Moves) -> Record:
    """Return a record that rests on nothing which changed, with today's names and lines of that on which it rests."""
    flows = tuple([(_moved_flow(flow, moves), asks) for flow, asks in record.flows])
    return replace(record, rests=moves.bits(record.rests), flows=flows)


def _moved_flow(flow: Flow, moves: Moves) -> Flow:
    if not moves.concerns([flow.sink, flow.place, *(step.location for step in flow.steps)]):
        return flow
    at = moves.location
    steps = tuple([replace(step, location=at(step.location)) for step in flow.steps])
    return replace(flow, steps=steps, sink=at(flow.sink), place=at(flow.place))


def _names(roots: tuple[Root, ...]) -> list[Name]:
    seen: dict[tuple[str, str], int] = {}
    found = []
    for root in roots:
        name = (root.scope.module.path, root.scope.qualname)
        found.append((*name, seen.get(name, 0)))
        seen[name] = seen.get(name, 0) + 1
    return found
