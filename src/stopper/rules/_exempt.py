"""Which routes a project leaves out of which of Stopper's guards: ``stopper.exempt`` and ``STOPPER_ROUTES``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, Final

from stopper.records import dataclass
from stopper.regex import regex
from stopper.rules._guarded import guarding
from stopper.rules._posture import own_calls, own_modules
from stopper.source.causes import GUARD_CLASSES
from stopper.source.code import Call
from stopper.source.module import Scope
from stopper.source.project import Project
from stopper.source.routes import Route
from stopper.source.values import UNKNOWN

EXEMPT: Final = tuple(f"{one}().exempt" for one in GUARD_CLASSES)
"""The decorator that leaves a view alone."""

_PUT_ON: Final = regex(r"\s*\(\s*([\w.]+)\s*\)")
_BLUEPRINT: Final = regex(
    r"^\s*(\w+)\s*(?::[^=\n]+)?=\s*[\w.]*Blueprint\(\s*[\"']([\w-]+)[\"']", re.MULTILINE
)


@dataclass(frozen=True)
class Applied:
    """One exemption that is put on something by a call: ``stopper.exempt("csrf")(blueprint)``."""

    target: str
    """The name of the view or blueprint, without its module."""
    guards: frozenset[Any]


def exempt(project: Project, route: Route, guard: str) -> bool | None:
    """Tell whether a guard leaves a route alone; None where what says so cannot be read."""
    marks = project.cached((exempt, id(route)), lambda: frozenset(_marks(project, route)))
    if guard in marks:
        return True
    return None if UNKNOWN in marks else False


def _marks(project: Project, route: Route) -> Iterator[Any]:
    """Yield the guards that leave a route alone; UNKNOWN for one that cannot be read."""
    scopes = [one for one in (route.view, *route.handlers.values()) if one is not None]
    for scope in scopes:
        for call in exemptions(project, scope):
            yield from _names(call)
    named = {scope.name for scope in scopes} | set(route.blueprint.split("."))
    for one in project.cached(_applied, lambda: tuple(_applied(project))):
        if one.target in named:
            yield from one.guards
    yield from _by_pattern(project, route)


def exemptions(project: Project, scope: Scope) -> Iterator[Call]:
    """Yield the calls of ``stopper.exempt`` that decorate a view, or stand in the ``decorators`` of a view class."""
    for node in scope.decorators:
        call = project.code.expr(node, scope.parent or scope).call
        if call is not None and call.name in EXEMPT:
            yield call
    for call in own_calls(project, *EXEMPT):
        if call.scope is scope and call.decorates is None:
            yield call


def _names(call: Call) -> Iterator[Any]:
    if call.has_star:
        yield UNKNOWN
    yield from (one.value.in_production() for one in call.arguments)


def _applied(project: Project) -> Iterator[Applied]:
    """Yield what is put on views and blueprints by a call; a blueprint by the name it is made with."""
    made = [found for module in own_modules(project) for found in _BLUEPRINT.findall(module.text.content)]
    for call in own_calls(project, *EXEMPT):
        text, end = call.module.text, call.location
        match = _PUT_ON.match(text.content, text.offset(end.end_line, end.end_column))
        if call.decorates is None and match is not None:
            target, guards = match[1].rpartition(".")[2], frozenset(_names(call))
            for name in {target, *(name for variable, name in made if variable == target)}:
                yield Applied(name, guards)


def _by_pattern(project: Project, route: Route) -> Iterator[Any]:
    """Yield what ``STOPPER_ROUTES`` says of a route."""
    patterns = guarding(project).setting("routes", {})
    for pattern, said in patterns.items() if isinstance(patterns, dict) else [("*", UNKNOWN)]:
        name = route.rule if str(pattern).startswith("/") else route.endpoint
        if pattern is not UNKNOWN and not fnmatchcase(name, str(pattern)):
            continue
        listed = said.get("exempt", ()) if isinstance(said, dict) else UNKNOWN
        yield from [listed] if not isinstance(listed, list | tuple | set | frozenset) else listed
