"""Questions about settings and set-up that several rules ask in the same words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from stopper.finding import Confidence, Finding
from stopper.policy import SAFE_METHODS
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._places import app_places
from stopper.source.code import Call, Expr
from stopper.source.files import Role
from stopper.source.module import Module, Scope
from stopper.source.project import Project
from stopper.source.values import UNKNOWN

_SHORTCUTS = ("route", "get", "post", "put", "patch", "delete")
_REGISTRARS = tuple(f"flask.{kind}().{name}" for kind in ("Flask", "Blueprint") for name in _SHORTCUTS)
TALISMAN = ("flask_talisman.Talisman", "flask_talisman.talisman.Talisman")
LIMITER = ("flask_limiter.Limiter", "flask_limiter.extension.Limiter")
_IMPORT = regex(r"^[ \t]*from[ \t]+[\w.]+[ \t]+import[ \t]+(?:\([^)]*\)|[^\n]*)", re.MULTILINE)
_SESSION = regex(r"\bsession|_session\b")
SESSION_USERS = (
    "flask_login",
    "flask_wtf",
    "flask_security",
    "flask_principal",
    "flask_dance",
    "flask_admin",
    "flask_user",
)


def own_calls(project: Project, *names: str) -> Iterator[Call]:
    """Yield the calls that application code makes; tests, examples and migrations do not count."""
    return (call for call in project.code.calls(*names) if call.module.role is Role.APP)


def constant(expr: Expr | None) -> Any:
    """Return the constant that an argument is where nothing is set in the environment, or UNKNOWN."""
    return UNKNOWN if expr is None else expr.value.in_production()


def absence(project: Project) -> Confidence:
    """Return how sure one can be that a setting which was not seen is not set."""
    return Confidence.LOW if project.settings.unreadable else Confidence.MEDIUM


def uses_sessions(project: Project) -> bool:
    """Tell whether application code keeps anything in Flask's session; an import of it alone keeps nothing."""
    named = {place.path for place in project.code.imports("flask.session")}
    starred = bool(project.code.imports("flask.*"))
    modules = [one for one in project.modules if one.role is Role.APP and (starred or one.path in named)]
    texts = [_IMPORT.sub("", module.text.content) for module in modules]
    return project.code.uses(*SESSION_USERS) or any(map(_SESSION.search, texts))


def decorated_with(project: Project, *names: str) -> bool:
    """Tell whether application code calls any of the names given."""
    return next(own_calls(project, *names), None) is not None


def takes_post(methods: tuple[str, ...]) -> bool:
    """Tell whether a route takes a method that may change something."""
    return bool(set(methods) - SAFE_METHODS)


def decorators_above_route(project: Project) -> Iterator[tuple[Scope, list[Expr]]]:
    """Yield each view that a decorator registers, with the decorators that stand above that one and so do nothing."""
    for call in own_calls(project, *_REGISTRARS):
        scope = call.decorates
        if scope is None:
            continue
        every = [project.code.expr(node, scope.parent or scope) for node in scope.decorators]
        place = next((at for at, one in enumerate(every) if one.location == call.location), 0)
        if every[:place]:
            yield scope, every[:place]


def judged_setting(
    rule: Rule,
    project: Project,
    key: str,
    *,
    wrong: Callable[[Any], bool],
    wrong_message: str,
    unset_message: str = "",
    remedy: str,
) -> Iterator[Finding]:
    """Report what a setting is in production: a wrong value where it is written, or its absence at each app.

    Args:
        rule: The rule that reports.
        project: The project looked at.
        key: The setting.
        wrong: Whether a known value is wrong.
        wrong_message: Said of a wrong value.
        unset_message: Said when it is set nowhere; "" when the default is right.
        remedy: The line to write instead.
    """
    settings = [
        one for one in project.settings.in_production(key) if project.role(one.location.path) is Role.APP
    ]
    if settings:
        value = settings[-1].value.in_production()
        if value is not UNKNOWN and wrong(value):
            confidence = Confidence.HIGH if settings[-1].value.known else Confidence.MEDIUM
            yield rule.found(
                settings[-1].location, wrong_message, confidence=confidence, remedy=remedy, context=key
            )
    elif unset_message and not project.settings.is_set(key):
        for place in app_places(project):
            yield rule.found(place, unset_message, confidence=absence(project), remedy=remedy, context=key)


def own_modules(project: Project) -> Iterator[Module]:
    """Yield the Python modules of the application itself."""
    return (module for module in project.modules if module.role is Role.APP)


def function_text(call: Call) -> str:
    """Return the text of the function that holds a call, of the whole module where none does."""
    if not call.function:
        return call.module.text.content
    return call.module.source(call.scope.node)


def decorating_calls(project: Project, *names: str) -> Iterator[tuple[Scope, Call]]:
    """Yield each function of the application that a call of a name given decorates, such as ``flask_talisman.Talisman()``."""
    for module in own_modules(project):
        for scope in module.scopes:
            for node in scope.decorators:
                call = project.code.expr(node, scope.parent or scope).call
                if call is not None and call.name in names:
                    yield scope, call
