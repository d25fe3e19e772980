"""Grounds: all that every root may rest on and no single module tells, as one digest.

The names of the modules, the routes and hooks, the receivers of signals, the templates, their filters and globals, what is put on
``g``. Where any of it changed, nothing that was worked out before holds.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from stopper.source.holders import HOLDERS, stores, supposed
from stopper.source.module import Scope
from stopper.source.names import Names, Ref
from stopper.taint.converters import own_converters
from stopper.taint.engine import MAX_SITES
from stopper.taint.kept.stable import Stable
from stopper.taint.listeners import receivers
from stopper.taint.program import Program
from stopper.taint.stage import Stage, stage_of

if TYPE_CHECKING:
    from stopper.source.project import Project

_OWN = frozenset(("self", "cls"))
_FILTER, _CALLS = "filter", "calls"


def grounds(project: Project, stable: Stable, views: Iterable[tuple[Scope, bool]]) -> str:
    """Return the digest of what all roots rest on.

    Args:
        project: The project.
        stable: The names of its parts.
        views: The functions whose answer is the response, each with whether it is sent as HTML.
    """
    parts = (
        [(module.path, module.name, module.role) for module in project.modules],
        project.options.second_order,
        list(_templates(project)),
        list(_hooks(project)),
        list(_routes(project)),
        [(name, [_named(one) for one in scopes]) for name, scopes in receivers(project).items()],
        list(_stage(stage_of(project))),
        own_converters(project),
        list(_put_there(project.code.names)),
        sorted((_named(scope), html) for scope, html in views),
    )
    return stable.digest(parts)


def _named(scope: Scope | None) -> tuple[str, str, int]:
    """Return what tells a scope from all others, lines aside."""
    if scope is None:
        return "", "", 0
    twins = [one for one in scope.module.scopes if one.name == scope.name and one.qualname == scope.qualname]
    at = next((number for number, one in enumerate(twins) if one is scope), 0)
    return scope.module.path, scope.qualname, at


def _templates(project: Project) -> Iterator[object]:
    for one in project.templates.all:
        traits = (one.html, one.autoescape, one.role, one.inline, one.called is not None)
        yield one.path, one.name, traits, one.text.content


def _hooks(project: Project) -> Iterator[object]:
    for hook in project.routes.hooks:
        named = hook.argument if isinstance(hook.argument, str | int) else type(hook.argument).__name__
        yield hook.kind, _named(hook.view), hook.blueprint, named


def _routes(project: Project) -> Iterator[object]:
    for route in project.routes.routes:
        handlers = [(verb, _named(scope)) for verb, scope in route.handlers.items()]
        yield route.ref, list(route.parameters.items()), _named(route.view), handlers


def _stage(stage: Stage) -> Iterator[object]:
    yield [(name, _told(ref)) for name, ref in stage.filters.items()]
    yield [(name, _told(ref)) for name, ref in stage.globals.items()]
    yield [(_named(scope), sorted(names)) for scope, names in stage.processors]


def _told(ref: Ref | None) -> object:
    return None if ref is None else (ref.name, ref.kind, _named(ref.scope))


def answers(project: Project, program: Program, asked: Iterable[str]) -> dict[str, str]:
    """Return the answers to questions about the whole project that the work on roots has asked, as ``questions`` names them."""
    stage = stage_of(project)
    found: dict[str, str] = {}
    for question in asked:
        kind, _, name = question.partition(" ")
        found[question] = (
            repr(_told(stage.filter(name))) if kind == _FILTER else str(program.calls(name) > MAX_SITES)
        )
    return found


def questions(project: Project, program: Program) -> set[str]:
    """Return what was asked so far: which functions are filters by their name alone, and how many calls there are of a name."""
    filters = {f"{_FILTER} {name}" for name in stage_of(project).filtered}
    return filters | {f"{_CALLS} {name}" for name in program.counted}


def _put_there(names: Names) -> Iterator[tuple[str, object]]:
    """Yield the names under which functions may put things on ``g`` or the application, each with what tells the function from others."""
    for part, (holder, _, scope) in stores(names.modules.values()):
        own = isinstance(holder, ast.Name) and holder.id in _OWN
        if not own and (names.name(holder, scope) or supposed(holder)) in HOLDERS:
            yield part, _named(scope)
