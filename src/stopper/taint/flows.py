"""Flows: what the engine found, as paths from source to sink that a reader can follow. Always in the same order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import itemgetter
from pickle import PicklingError
from typing import TYPE_CHECKING

from stopper.finding import Skipped
from stopper.records import dataclass
from stopper.source.aside import Channel, Partner, pays
from stopper.taint.callgraph import Root, roots
from stopper.taint.engine import Engine
from stopper.taint.flask_edges import FlaskEdges
from stopper.taint.flow import Flow
from stopper.taint.ir import Function
from stopper.taint.kept.grounds import questions
from stopper.taint.kept.memory import Memory, left
from stopper.taint.kept.recording import Writer, keep
from stopper.taint.kept.stable import Stable
from stopper.taint.kept.unchanged import NOBODY, Record, StaleError
from stopper.taint.models import load
from stopper.taint.modules import Behind
from stopper.taint.pages import pages_of
from stopper.taint.program import Program
from stopper.taint.propagate import solve
from stopper.taint.rounds import Left, Share, dealt, run, run_with
from stopper.taint.travel import Travel

if TYPE_CHECKING:
    from stopper.source.project import Project

WORTH = 8_000
"""Lines of Python from which two shares, each with its own engine, cost less than a second process saves."""

FEW = 60
"""Fewer roots than these are solved by one process."""
MAX_TRIES = 3
"""How often roots are solved again because those that were solved again left something else in cells, before all are."""


@dataclass(frozen=True, slots=True)
class Flows:
    """Every flow of a project, by kind of sink."""

    by_kind: dict[str, list[Flow]]
    skipped: tuple[Skipped, ...]
    """The functions that were not followed to the end, and why."""
    called: frozenset[int] = frozenset()
    """The functions that were followed from a call, by the identity of their scopes: what they are given is known."""


def flows_into(project: Project, kind: str) -> list[Flow]:
    """Return the flows into sinks of ``kind``, in the order of the files."""
    return every(project).by_kind.get(kind, [])


def every(project: Project) -> Flows:
    """Return all flows of a project, worked out when first asked for."""
    return project.cached("taint.flows", lambda: _analyze(project))


def unfollowed(project: Project) -> list[Skipped]:
    """Return the functions that were not followed to the end, and why, as far as any were followed yet."""
    found: list[Skipped] = project.cached("taint.unfollowed", list)
    return found


def lowering(project: Project) -> dict[int, Function]:
    """Return the table of what has been lowered so far, by the identity of the scope."""
    table: dict[int, Function] = project.cached("taint.lowered", dict)
    return table


def is_short(project: Project) -> bool:
    """Tell whether an earlier run has left so much that few roots are solved again."""
    if left(project) is None:
        return False
    analysis = _analysis(project)
    return analysis.memory is not None and analysis.memory.old is not None and len(analysis.again) < FEW


def _analysis(project: Project) -> _Analysis:
    return project.cached("taint.analysis", lambda: _Analysis(project))


def _analyze(project: Project) -> Flows:
    analysis = _analysis(project)
    records = sorted(analysis.records().items(), key=itemgetter(0))
    pages = pages_of(project)
    found: dict[tuple[object, ...], Flow] = {}
    skipped: list[Skipped] = []
    for place, record in records:
        scope = analysis.roots[place].scope
        pages.places.update(record.shown)
        pages.rendered.update(id(project.templates.all[number]) for number in record.rendered)
        for flow, _ in record.flows:
            keep(found, flow)
        if record.cut:
            what = f"{scope.module.path} {scope.qualname}()"
            skipped.append(Skipped(what, record.cut))
    called = analysis.stable.every_scope(record.called for _, record in records)
    unfollowed(project).extend(dict.fromkeys(skipped))
    return Flows(_sorted(found.values()), tuple(unfollowed(project)), frozenset(called))


class _Analysis:
    """One project's roots, dealt out to the processes that solve them."""

    def __init__(self, project: Project) -> None:
        """Work out all that the shares have in common."""
        self.project = project
        self.program = Program(project.code.names, lowering(project))
        self.models = load()
        self.edges = FlaskEdges(project, self.models)
        self.roots = _in_order(roots(project))
        self.views = {id(root.scope): root.page for root in self.roots if root.view}
        self.stable = Stable(self.program, project.modules, [root.scope for root in self.roots])
        self.large = sum(module.text.line_count for module in project.modules) >= WORTH
        self.unchanged = NOBODY
        self.parts: list[dict[int, Root]] = []
        known = project.shelf is not None
        self.memory = Memory(project, self.program, self.roots, self.stable) if known else None
        self.again = self.memory.changed() if self.memory is not None else set[int]()
        """The places of the roots that must be solved again because of the code."""

    def records(self) -> dict[int, Record]:
        """Return what every root has done, by its place: in this run, or in an earlier one that rests on the same."""
        memory, again = self.memory, self.again
        if memory is None:
            return self._solved(range(len(self.roots)))
        for _ in range(MAX_TRIES):
            try:
                records, void = self._tried(memory, again)
            except StaleError:
                break
            if not void:
                return records
            again |= void
        memory.old = None
        return self._tried(memory, memory.changed())[0]

    def _tried(self, memory: Memory, again: set[int]) -> tuple[dict[int, Record], set[int]]:
        """Return what all roots do with some solved again, and those of the others that must be solved as well."""
        unchanged = self.unchanged = memory.unchanged(again)
        asking = [place for place in range(len(self.roots)) if place not in unchanged.records]
        loose = [place for place in asking if place not in unchanged.idle and place not in again]
        wanted = again or any(id(self.roots[place].scope) not in unchanged.followed for place in loose)
        done = self._solved(asking, few=len(again) < FEW) if wanted else {}
        if unchanged.lacks(name for one in done.values() for name in one.reads):
            unchanged.wanted = None
            done = self._solved(asking, few=len(again) < FEW)
        void = memory.readers(memory.touched(done, unchanged, again), again)
        records = {
            place: one for place, one in unchanged.records.items() if place not in unchanged.dropped
        } | done
        if not void and wanted:
            memory.keep(records | memory.idle(done, unchanged), questions(self.project, self.program))
        return {place: self._routed(place, one) for place, one in records.items()}, void

    def _routed(self, place: int, record: Record) -> Record:
        """Return a record of which the flows have the routes of today."""
        if not any(asks for _, asks in record.flows):
            return record
        route = next((route.ref for route in self.project.routes.reaching(self.roots[place].scope)), None)
        flows = tuple((replace(flow, route=route) if asks else flow, asks) for flow, asks in record.flows)
        return replace(record, flows=flows)

    def _solved(self, places: Sequence[int], *, few: bool = False) -> dict[int, Record]:
        """Return what roots do, solved by two processes where that pays."""
        chosen = {place: self.roots[place] for place in places}
        self.parts = dealt(chosen, parts=2 if self.large and not few else 1)
        if len(self.parts) > 1 and pays():
            found = self._found_with_partner()
            if found is not None:
                return found
        shares = [self._share(part) for part in self.parts]
        run(shares)
        return {place: record for share in shares for place, record in self._told(share).items()}

    def _found_with_partner(self) -> dict[int, Record] | None:
        """Return what the roots do, solved by two processes; None where the second one failed."""
        travel = Travel(self.program, self.project.modules)
        try:
            partner = Partner(lambda channel: self._work(channel, travel))
        except OSError:
            return None

        def exchange(left: Left) -> Left:
            theirs: Left = travel.load(partner.channel.receive())
            partner.channel.send(travel.dump(left))
            return theirs

        share = self._share(self.parts[0])
        try:
            run_with(share, exchange)
            own = self._told(share)
            theirs: tuple[dict[int, Record], set[str], set[str]] = travel.load(partner.channel.receive())
            self.program.counted |= theirs[1]
            self.edges.stage.filtered |= theirs[2]
            return own | theirs[0]
        except (EOFError, OSError, PicklingError):
            return None
        finally:
            partner.end()

    def _work(self, channel: Channel, travel: Travel) -> None:
        """Solve the second share in the second process."""

        def exchange(left: Left) -> Left:
            channel.send(travel.dump(left))
            theirs: Left = travel.load(channel.receive())
            return theirs

        share = self._share(self.parts[1])
        run_with(share, exchange)
        channel.send(travel.dump((self._told(share), self.program.counted, self.edges.stage.filtered)))

    def _share(self, part: dict[int, Root]) -> Share:
        engine = Engine(self.models, self.program, solve, self.edges)
        engine.views = self.views
        return Share(engine, part, self.unchanged)

    def _told(self, share: Share) -> dict[int, Record]:
        """Return what the roots of a share did, by their places."""
        writer = Writer(self.project, self.program, self.stable)
        behind = Behind(share.engine)
        found = {place: writer.record(self.roots[place], one, behind) for place, one in share.solved.items()}
        return found | {place: writer.idle(self.roots[place], rests) for place, rests in share.idle.items()}


def _in_order(found: Iterable[Root]) -> tuple[Root, ...]:
    """Return the roots in the order of the files and of the lines in them, whoever named them first."""
    return tuple(sorted(found, key=_place))


def _place(root: Root) -> tuple[str, int, int]:
    node = root.scope.node
    return root.scope.module.path, getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _sorted(flows: Iterable[Flow]) -> dict[str, list[Flow]]:
    by_kind: dict[str, list[Flow]] = {}
    for flow in sorted(flows, key=lambda one: (one.place, one.kind)):
        by_kind.setdefault(flow.kind, []).append(flow)
    return by_kind
