"""Flows: what the engine found, as paths from source to sink that a reader can follow. Always in the same order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stopper.finding import Confidence, Location, Skipped, Step
from stopper.source.module import Module, Scope
from stopper.taint.callgraph import Root, roots
from stopper.taint.ir import Function
from stopper.taint.lower import lower
from stopper.taint.models import load
from stopper.taint.propagate import Engine
from stopper.taint.summary import Hit

if TYPE_CHECKING:
    from stopper.source.project import Project


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


@dataclass(frozen=True, slots=True)
class Flows:
    """Every flow of a project, by kind of sink."""

    by_kind: dict[str, list[Flow]]
    skipped: tuple[Skipped, ...]
    """The functions that were too large to be followed to the end."""


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


def _analyze(project: Project) -> Flows:
    table = lowering(project)

    def lowered(scope: Scope) -> Function:
        function = table.get(id(scope))
        if function is None:
            function = table[id(scope)] = lower(scope, project.code.names)
        return function

    engine = Engine(load(), lowered)
    found: dict[tuple[object, ...], Flow] = {}
    skipped: list[Skipped] = []
    for root in roots(project):
        result = engine.run(lowered(root.scope), dict(root.entry), view=root.view, page=root.page)
        if result.cut:
            skipped.append(
                Skipped(
                    f"{root.scope.module.path} {root.scope.qualname}()",
                    "too large to follow its data to the end",
                )
            )
        for hit in result.hits:
            _keep(found, _flow(hit, root))
    return Flows(_sorted(found.values()), tuple(skipped))


def _keep(found: dict[tuple[object, ...], Flow], flow: Flow | None) -> None:
    """Keep one flow a place: the surest, then the first."""
    if flow is None:
        return
    key = (flow.kind, flow.place)
    other = found.get(key)
    if other is None or flow.confidence.rank > other.confidence.rank:
        found[key] = flow


def _flow(hit: Hit, root: Root) -> Flow | None:
    if hit.taint.kind == "parameter":
        return None
    start, holder = root.scope.module, hit.scope.module
    inside = hit.scope is root.scope
    steps: list[Step] = []
    for at, note in hit.taint.trace:
        module = start if inside or _belongs(root.scope, at) else holder
        steps.append(_step(module, at, note))
    if not steps:
        steps.append(_step(start, root.scope.node, f"{hit.taint.source} comes in"))
    sink = holder.location(hit.at)
    place = sink if inside else steps[-1].location
    steps.append(_step(holder, hit.at, f"reaches {hit.sink}"))
    confidence = Confidence(hit.confidence)
    if hit.taint.near and confidence is Confidence.HIGH:
        confidence = Confidence.MEDIUM
    return Flow(
        hit.kind, hit.taint.source, _without_repeats(steps), sink, place, hit.sink, confidence, _sentence(hit.taint.near), place.path,
        (hit.scope if inside else root.scope).qualname, hit.taint.marks,
    )  # fmt: skip


def _without_repeats(steps: list[Step]) -> tuple[Step, ...]:
    """Leave out a step that says the same of the same line as the one before it."""
    last = [(step.location.path, step.location.line, step.note) for step in steps]
    return tuple(step for at, step in enumerate(steps) if at == 0 or last[at] != last[at - 1])


def _belongs(scope: Scope, at: object) -> bool:
    line = getattr(at, "lineno", 0)
    first, last = getattr(scope.node, "lineno", 0), getattr(scope.node, "end_lineno", None) or 0
    return first <= line <= last


def _step(module: Module, at: object, note: str) -> Step:
    import ast

    node = at if isinstance(at, ast.AST) else module.tree
    where = module.location(node)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        where = Location(where.path, where.line, where.column)
    return Step(where, note, module.text.line(where.line).strip())


def _sentence(near: str) -> str:
    return f"{near[:1].upper()}{near[1:]}." if near else ""


def _sorted(flows: Iterable[Flow]) -> dict[str, list[Flow]]:
    by_kind: dict[str, list[Flow]] = {}
    for flow in sorted(flows, key=lambda one: (one.place, one.kind)):
        by_kind.setdefault(flow.kind, []).append(flow)
    return by_kind
