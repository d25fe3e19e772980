"""Records: what a root did, as the report shows it and as the next run may need it."""

from __future__ import annotations

import ast
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

from stopper.finding import Confidence, Location, RouteRef, Step
from stopper.source.module import Bound, Kind, Module, Scope
from stopper.taint.callgraph import Root
from stopper.taint.domain import MAX_TRACE, Value
from stopper.taint.flow import Flow
from stopper.taint.kept.stable import Stable
from stopper.taint.kept.unchanged import Record
from stopper.taint.modules import Behind
from stopper.taint.program import Program
from stopper.taint.rounds import Solved
from stopper.taint.summary import Hit

if TYPE_CHECKING:
    from stopper.source.project import Project

_BUILDING = (
    "joined into",
    "goes through .format",
    "goes through .join",
    "goes through join",
    "goes through /",
)


class Writer:
    """Writes the records of roots."""

    def __init__(self, project: Project, program: Program, stable: Stable) -> None:
        """Take the project, as the engine sees it, and the names of its parts."""
        self.stable = stable
        stable.learn()
        self.keeps = project.shelf is not None
        self.places = Places(program, project)
        self.templates = {id(template): number for number, template in enumerate(project.templates.all)}

    def record(self, root: Root, solved: Solved, behind: Behind) -> Record:
        """Return what a root did."""
        stable, reach = self.stable, behind.reach(solved.reads, solved.reach)
        stable.named_parts = 0
        flows, whole = self._flows(root, solved), solved.whole
        try:
            cells = [(number, one) for number, one in solved.written.items() if one and self.keeps]
            written = tuple(self._written(number, one) for number, one in cells)
        except PicklingError:
            written, whole = (), False
        for location, _ in reach.shown:
            stable.note_path(location.path)
        rests = reach.rests | stable.named_parts | root.scope.bit
        written = tuple((number, keys, stable.sealed(raw, rests)) for number, keys, raw in written)
        return Record(
            stable.digest(root.traits) if self.keeps else "",
            rests,
            reads=tuple(key for key in behind.cells(solved.reads) if not key.startswith("call ")),
            followed=stable.numbered(reach.followed) if root.called else (), called=stable.numbered(reach.called),
            written=written, flows=flows, cut=next((result.cut for result in solved.results if result.cut), ""),
            shown=tuple(reach.shown), rendered=tuple(sorted(self.templates[one] for one in reach.rendered)),
            whole=whole,
        )  # fmt: skip

    def idle(self, root: Root, rests: int) -> Record:
        """Return that there is nothing in a root to follow."""
        digest = self.stable.digest(root.traits) if self.keeps else ""
        return Record(digest, rests | root.scope.bit, idle=True)

    def _flows(self, root: Root, solved: Solved) -> tuple[tuple[Flow, bool], ...]:
        found: dict[tuple[object, ...], Flow] = {}
        for result in solved.results:
            for hit in result.hits:
                keep(found, _flow(hit, root, self.places))
        for flow in found.values():
            for step in flow.steps:
                self.stable.note_lines(step.location)
        return tuple((flow, flow.in_template and root.route is None) for flow in found.values())

    def _written(
        self, number: int, cells: dict[str, Value]
    ) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        raw = self.stable.written(cells)
        return number, tuple((key, self.stable.digest(value)) for key, value in cells.items()), raw


def keep(found: dict[tuple[object, ...], Flow], flow: Flow | None) -> None:
    """Keep one flow a place: the surest, then the first."""
    if flow is None:
        return
    key = (flow.kind, flow.place)
    other = found.get(key)
    if other is None or flow.confidence.rank > other.confidence.rank:
        found[key] = flow


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
        function, at = _answerable(hit.scope, hops, places.views)
        place = steps[at].location if at is not None else sink
    return Flow(
        hit.kind, hit.taint.source, _without_repeats([*steps, last]), sink, place, hit.sink, _confidence(hit),
        _sentence(hit.taint.near), place.path, function.qualname, hit.taint.marks, places.route(root, hit),
        isinstance(hit.at, Location),
    )  # fmt: skip


def _answerable(
    sink: Scope, hops: list[tuple[Scope, Any, str]], views: frozenset[int]
) -> tuple[Scope, int | None]:
    """Return the function to look at first, and the hop in it, None for the sink.

    That is the one that holds the sink; but a helper that only hands on what it is given is not to blame, its caller is. The
    caller of a view is its decorator, which many views share, and so is that of a decorator below another.
    """
    at, found = sink, None
    for place in range(len(hops) - 1, -1, -1):
        scope, node, note = hops[place]
        wrapped = _is_wrapper(scope, node) or (id(at) in views and scope is hops[0][0] and _is_nested(scope))
        handed = scope is not at and note.startswith("passed to") and not wrapped
        if handed:
            at, found = scope, place
        elif scope is not at or note.startswith(_BUILDING):
            break
    return at, found


def _is_wrapper(scope: Scope, node: Any) -> bool:
    """Tell whether a call is that of a decorator's inner function, of the function that the decorator was given."""
    name = getattr(getattr(node, "func", None), "id", "")
    outer = scope.parent.bindings.get(name, []) if scope.parent is not None and _is_nested(scope) else []
    return name not in scope.bindings and any(bound.how is Bound.PARAMETER for bound in outer)


def _is_nested(scope: Scope) -> bool:
    return scope.parent is not None and scope.parent.kind is Kind.FUNCTION


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
        self.views = frozenset(id(route.view) for route in project.routes.routes)
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
        if isinstance(at, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return None  # it stands in the function around, and that may never be looked at
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
