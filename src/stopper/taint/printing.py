"""Print the stages of the engine: the operations of a file, who calls whom, and what each function does with its data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.source.module import Kind, Module, Scope
from stopper.taint.domain import Taint, Value
from stopper.taint.engine import Engine
from stopper.taint.flask_edges import FlaskEdges
from stopper.taint.flows import lowering
from stopper.taint.ir import Call
from stopper.taint.models import load
from stopper.taint.outcomes import TRUE, Asked, checked
from stopper.taint.program import Program
from stopper.taint.propagate import solve
from stopper.taint.summary import Summary

if TYPE_CHECKING:
    from stopper.source.project import Project

STAGES = ("ir", "calls", "summaries")
"""What can be printed, in the order of the work."""


def printed(project: Project, module: Module, stage: str) -> str:
    """Return the text of one stage for one file: ``ir``, ``calls`` or ``summaries``."""
    models = load()
    program = Program(project.code.names, lowering(project))
    engine = Engine(models, program, solve, FlaskEdges(project, models))
    scopes = [module.scope, *(scope for scope in module.scopes if scope.kind is Kind.FUNCTION)]
    how = {"ir": _operations, "calls": _calls, "summaries": _summary}[stage]
    return "\n\n".join(text for scope in scopes if (text := "\n".join(how(engine, scope)))) + "\n"


def _operations(engine: Engine, scope: Scope) -> Iterator[str]:
    function = engine.lowered(scope)
    if function.size:
        yield str(function)


def _calls(engine: Engine, scope: Scope) -> Iterator[str]:
    """Yield the functions that a function calls, each once: the project's own, then the libraries' by their full names."""
    function = engine.lowered(scope)
    calls = [op for op in function.ops() if isinstance(op, Call)]
    own = [op.callee.dotted for op in calls if op.callee is not None]
    others = [op.name or f"?.{op.last}" for op in calls if op.callee is None and (op.name or op.last)]
    if calls:
        yield f"{function.name}:"
        yield from (f"  -> {name}" for name in dict.fromkeys(own))
        yield from (f"  .. {name}" for name in dict.fromkeys(others))


def _summary(engine: Engine, scope: Scope) -> Iterator[str]:
    """Yield what a function does with its parameters, of which nothing is known but that they are tainted."""
    if scope.kind is not Kind.FUNCTION:
        return
    function = engine.lowered(scope)
    summary = engine.summary(scope)
    yield f"{function.name}({', '.join(function.params)}):"
    lines = list(_lines(summary, function.params))
    yield from lines or ["  does nothing with them"]


def _lines(summary: Summary, params: tuple[str, ...]) -> Iterator[str]:
    for hit in summary.hits:
        yield f"  {_source(hit.taint, params)} reaches {hit.kind} at {hit.sink} ({hit.confidence})"
    yield from (f"  returns {path}{text}" for path, text in _parts(summary.returns, params))
    for name, value in sorted(summary.after.items()):
        yield from (f"  leaves in {name}{path or ' '}{text}" for path, text in _parts(value, params))
    for key, value in sorted(summary.shares.items()):
        yield from (f"  writes {key}{path or ' '}{text}" for path, text in _parts(value, params))
    for name, kinds in sorted(summary.checked.items()):
        if kinds:
            yield f"  comes back only with {name} safe for {', '.join(sorted(kinds))}"
    for word, asked in (("true", TRUE), ("false", Asked(holds=False))):
        for name, kinds in sorted(checked(summary.outcomes, asked).items()):
            if kinds and not summary.checked.get(name):
                yield f"  is {word} only with {name} safe for {', '.join(sorted(kinds))}"
    if summary.ends:
        yield "  does not return"
    if summary.cut:
        yield f"  was cut: {summary.cut}"


def _parts(value: Value, params: tuple[str, ...], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the constant and the taints of a value and of its parts, each with the way to the part."""
    way = f"{path} " if path else ""
    if value.known and value.constant is not None:
        yield way, f"= {value.constant!r}"
    for taint in value.taints:
        yield way, f"<- {_source(taint, params)}"
    for name, part in value.fields:
        yield from _parts(part, params, path + name)


def _source(taint: Taint, params: tuple[str, ...]) -> str:
    name = (
        params[taint.parameter]
        if taint.kind == "parameter" and 0 <= taint.parameter < len(params)
        else taint.source
    )
    marks = f" ({', '.join(sorted(taint.marks))})" if taint.marks else ""
    clean = f" clean for {', '.join(sorted(taint.clean))}" if taint.clean else ""
    return f"{name}{marks}{clean}"
