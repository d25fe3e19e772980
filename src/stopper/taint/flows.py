"""Flows: what the engine found, as paths from source to sink that a reader can follow. Always in the same order."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from operator import itemgetter
from pickle import PicklingError
from typing import TYPE_CHECKING

from stopper.finding import Confidence, Location, RouteRef, Skipped, Step
from stopper.records import dataclass
from stopper.source.aside import Channel, Partner, pays
from stopper.source.module import Module, Scope
from stopper.taint.callgraph import Root, roots
from stopper.taint.domain import MAX_TRACE
from stopper.taint.engine import Engine
from stopper.taint.flask_edges import FlaskEdges
from stopper.taint.ir import Function
from stopper.taint.models import load
from stopper.taint.pages import pages_of
from stopper.taint.program import Program
from stopper.taint.propagate import solve
from stopper.taint.rounds import Left, Share, dealt, run, run_with
from stopper.taint.summary import Hit
from stopper.taint.travel import Travel

if TYPE_CHECKING:
    from stopper.source.project import Project

WORTH = 8_000
"""Lines of Python from which two shares, each with its own engine, cost less than a second process saves."""

_BUILDING = (
    "joined into",
    "goes through .format",
    "goes through .join",
    "goes through join",
    "goes through /",
)


@dataclass(frozen=True, slots=True)
class Flow:
    """The path of a client's data to a sink."""

    kind: str
    """The kind of sink, as the models name it: ``sql``."""
    source: str
    """What is read: ``request.args['q']``."""
    steps: tuple[Step, ...]
    """Every hop, the source first, the sink last."""
    sink: Location
    place: Location
    """Where a reader should look first: the sink, or the call that hands the data to a helper which holds the sink."""
    sink_name: str
    """What is reached: ``execute()``."""
    confidence: Confidence
    near_miss: str
    """Why a guard on the way does not count; "" where there is none."""
    path: str
    """The file of the place."""
    function: str
    """The qualified name of the function that holds the place."""
    marks: frozenset[str] = frozenset()
    """States of the data at the sink: ``built`` for a part of a longer string, ``prefixed`` for a URL whose host is fixed."""
    route: RouteRef | None = None
    """The route that the data comes in by, for a flow that ends in a template; None where no route is known."""


@dataclass(frozen=True, slots=True)
class Flows:
    """Every flow of a project, by kind of sink."""

    by_kind: dict[str, list[Flow]]
    skipped: tuple[Skipped, ...]
    """The functions that were too large to be followed to the end."""
    called: frozenset[int] = frozenset()
    """The functions that were followed from a call, by the identity of their scopes: what they are given is known."""


def flows_into(project: Project, kind: str) -> list[Flow]:
    """Return the flows into sinks of ``kind``, in the order of the files."""
    return every(project).by_kind.get(kind, [])


def every(project: Project) -> Flows:
    """Return all flows of a project, worked out when first asked for."""
    return project.cached("taint.flows", lambda: _analyze(project))


def lowering(project: Project) -> dict[int, Function]:
    """Return the table of what has been lowered so far, by the identity of the scope."""
    table: dict[int, Function] = project.cached("taint.lowered", dict)
    return table


@dataclass(slots=True)
class _Found:
    """What one share of the roots has shown."""

    flows: list[tuple[int, Flow]]
    """The flows to keep, each with the place of its root."""
    skipped: dict[int, Skipped]
    shown: set[tuple[Location, str]]
    rendered: set[int]
    called: set[int]


def _analyze(project: Project) -> Flows:
    analysis = _Analysis(project)
    every_part = analysis.found()
    pages = pages_of(project)
    found: dict[tuple[object, ...], tuple[int, Flow]] = {}
    for part in every_part:
        pages.places |= part.shown
        pages.rendered |= part.rendered
    for place, flow in sorted((one for part in every_part for one in part.flows), key=itemgetter(0)):
        _keep(found, flow, place)
    skipped = {place: one for part in every_part for place, one in part.skipped.items()}
    return Flows(
        _sorted(flow for _, flow in found.values()),
        tuple(dict.fromkeys(skipped[place] for place in sorted(skipped))),
        frozenset().union(*(part.called for part in every_part)),
    )


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
        large = sum(module.text.line_count for module in project.modules) >= WORTH
        self.parts = dealt(self.roots, parts=2 if large else 1)

    def found(self) -> list[_Found]:
        """Return what the shares have shown, each solved by a process of its own where that pays."""
        if len(self.parts) > 1 and pays():
            found = self._found_with_partner()
            if found is not None:
                return found
        shares = [self._share(part) for part in self.parts]
        run(shares)
        return [self._told(share) for share in shares]

    def _found_with_partner(self) -> list[_Found] | None:
        """Return what two processes have shown; None where the second one failed."""
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
            return [own, travel.load(partner.channel.receive())]
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
        told = self._told(share)
        told.called &= travel.known
        channel.send(travel.dump(told))

    def _share(self, part: dict[int, Root]) -> Share:
        engine = Engine(self.models, self.program, solve, self.edges)
        engine.views = self.views
        return Share(engine, part)

    def _told(self, share: Share) -> _Found:
        found: dict[tuple[object, ...], tuple[int, Flow]] = {}
        skipped: dict[int, Skipped] = {}
        places = Places(self.program, self.project)
        for place, root in share.roots.items():
            for result in share.results[place]:
                if result.cut:
                    what = f"{root.scope.module.path} {root.scope.qualname}()"
                    skipped[place] = Skipped(what, "too large to follow its data to the end")
                for hit in result.hits:
                    _keep(found, _flow(hit, root, places), place)
        shown = set().union(*(summary.shown for summary in share.summaries()))
        rendered = set(pages_of(self.project).rendered)
        return _Found(list(found.values()), skipped, shown, rendered, set(share.engine.called))


def _in_order(found: Iterable[Root]) -> tuple[Root, ...]:
    """Return the roots in the order of the files and of the lines in them, whoever named them first."""
    return tuple(sorted(found, key=_place))


def _place(root: Root) -> tuple[str, int, int]:
    node = root.scope.node
    return root.scope.module.path, getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _keep(found: dict[tuple[object, ...], tuple[int, Flow]], flow: Flow | None, root: int) -> None:
    """Keep one flow a place: the surest, then that of the first root."""
    if flow is None:
        return
    key = (flow.kind, flow.place)
    other = found.get(key)
    if other is None or flow.confidence.rank > other[1].confidence.rank:
        found[key] = (root, flow)


def _flow(hit: Hit, root: Root, places: Places) -> Flow | None:
    if hit.taint.kind == "parameter":
        return None
    hops = [(places.scope(at) or root.scope, at, note) for at, note in hit.taint.trace]
    if not hops:
        hops = [(root.scope, root.scope.node, f"{hit.taint.source} comes in")]
    steps = [places.step(scope.module, at, note) for scope, at, note in hops]
    last = places.step(hit.scope.module, hit.at, f"reaches {hit.sink}")
    sink = last.location if isinstance(hit.at, Location) else hit.scope.module.location(hit.at)
    place, function = sink, hit.scope
    if not isinstance(hit.at, Location):
        function, at = _answerable(hit.scope, [(scope, note) for scope, _, note in hops])
        place = steps[at].location if at is not None else sink
    return Flow(
        hit.kind, hit.taint.source, _without_repeats([*steps, last]), sink, place, hit.sink, _confidence(hit),
        _sentence(hit.taint.near), place.path, function.qualname, hit.taint.marks, places.route(root, hit),
    )  # fmt: skip


def _answerable(sink: Scope, hops: list[tuple[Scope, str]]) -> tuple[Scope, int | None]:
    """Return the function to look at first, and the hop in it, None for the sink.

    That is the one that holds the sink; but a helper that only hands on what it is given is not to blame, its caller is.
    """
    at, found = sink, None
    for place in range(len(hops) - 1, -1, -1):
        scope, note = hops[place]
        handed = scope is not at and note.startswith("passed to")
        if handed:
            at, found = scope, place
        elif scope is not at or note.startswith(_BUILDING):
            break
    return at, found


def _confidence(hit: Hit) -> Confidence:
    """Return how sure a flow is: less past a guard that does not count, out of a variable that all requests share, or stored.

    Least sure is what came out of such a variable by a way that is too long to be shown whole.
    """
    confidence = Confidence(hit.confidence)
    kept = "kept" in hit.taint.marks
    if "stored" in hit.taint.marks or (kept and len(hit.taint.trace) >= MAX_TRACE):
        return Confidence.LOW
    doubted = bool(hit.taint.near) or kept
    return Confidence.MEDIUM if doubted and confidence is Confidence.HIGH else confidence


def _without_repeats(steps: list[Step]) -> tuple[Step, ...]:
    """Leave out a step that says the same of the same line as the one before it."""
    last = [(step.location.path, step.location.line, step.note) for step in steps]
    return tuple(step for at, step in enumerate(steps) if at == 0 or last[at] != last[at - 1])


class Places:
    """Which function an operation stands in; worked out when first asked, for what has been lowered by then."""

    def __init__(self, program: Program, project: Project) -> None:
        """Take the project, as the engine sees it and as it is."""
        self.program = program
        self.project = project
        self._scopes: dict[int, Scope] = {}
        self._seen: set[int] = set()
        self._steps: dict[tuple[int, int, str], Step] = {}

    def step(self, module: Module, at: object, note: str) -> Step:
        """Return a hop as a reader sees it; a place in a template stands for itself."""
        if isinstance(at, Location):
            return Step(at, note, self.project.line(at).strip())
        key = (id(module), id(at), note)
        found = self._steps.get(key)
        if found is None:
            found = self._steps[key] = self._step(module, at, note)
        return found

    def _step(self, module: Module, at: object, note: str) -> Step:
        node = at if isinstance(at, ast.AST) else module.tree
        where = module.location(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            where = Location(where.path, where.line, where.column)
        return Step(where, note, module.text.line(where.line).strip())

    def route(self, root: Root, hit: Hit) -> RouteRef | None:
        """Return the route that leads to a hit in a template; other places are found by the line they stand in."""
        if not isinstance(hit.at, Location):
            return None
        if root.route is not None:
            return root.route
        return next((route.ref for route in self.project.routes.reaching(root.scope)), None)

    def scope(self, at: object) -> Scope | None:
        """Return the function, the class body or the module that holds a place."""
        if id(at) not in self._scopes and not isinstance(at, Location):
            for key, function in self.program.every()[len(self._seen) :]:
                if key not in self._seen:
                    self._seen.add(key)
                    self._scopes.update(
                        (id(op.at), function.scope) for op in function.ops() if op.at is not None
                    )
        return self._scopes.get(id(at))


def _sentence(near: str) -> str:
    return f"{near[:1].upper()}{near[1:]}." if near else ""


def _sorted(flows: Iterable[Flow]) -> dict[str, list[Flow]]:
    by_kind: dict[str, list[Flow]] = {}
    for flow in sorted(flows, key=lambda one: (one.place, one.kind)):
        by_kind.setdefault(flow.kind, []).append(flow)
    return by_kind
