"""Which functions matter: the roots that read what a client sends, and how a request enters a view."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stopper.source.files import Role
from stopper.source.module import Kind, Module, Scope
from stopper.taint.domain import Taint, Value

if TYPE_CHECKING:
    from stopper.source.project import Project

_INTERESTING = re.compile(r"\b(?:request|req|parse_args|format_exc|exc_info|except)\b|\.data\b")
_TYPED = frozenset(("int", "float", "uuid", "any"))


@dataclass(frozen=True, slots=True)
class Root:
    """A function that data of a client may enter."""

    scope: Scope
    entry: dict[str, Value]
    view: bool
    """Whether what it returns is the response."""


def roots(project: Project) -> Iterator[Root]:
    """Yield the functions in which flows may start, in the order of the files; tests are left out."""
    views = _views(project)
    for module in project.modules:
        if module.role is Role.TEST:
            continue
        whole = _INTERESTING.search(module.text.content) is not None
        for scope in (module.scope, *module.scopes):
            parameters = views.get(id(scope))
            if scope.kind is Kind.CLASS or (parameters is None and not (whole and _interesting(module, scope))):
                continue
            yield Root(scope, _entry(parameters or {}), parameters is not None)


def _views(project: Project) -> dict[int, dict[str, str]]:
    """Return the routed parameters of each view and what converts them, by the identity of its scope."""
    found: dict[int, dict[str, str]] = {}
    for route in project.routes.routes:
        answering = list(route.handlers.values()) or [route.view]
        for scope in answering:
            if scope is not None:
                found.setdefault(id(scope), {}).update(route.parameters)
    for hook in project.routes.hooks:
        if hook.kind in ("errorhandler", "before_request"):
            found.setdefault(id(hook.view), {})
    return found


def _entry(parameters: dict[str, str]) -> dict[str, Value]:
    entry: dict[str, Value] = {}
    for name, converter in parameters.items():
        if converter in _TYPED:
            continue
        marks = frozenset() if converter == "path" else frozenset(("segment",))
        entry[name] = Value((Taint(f"the URL's <{name}>", marks=marks),))
    return entry


def _interesting(module: Module, scope: Scope) -> bool:
    if scope.kind is Kind.MODULE:
        return False
    first, last = getattr(scope.node, "lineno", 1), getattr(scope.node, "end_lineno", None) or 1
    starts = module.text.starts
    end = starts[last] if last < len(starts) else len(module.text.content)
    return _INTERESTING.search(module.text.content, starts[first - 1], end) is not None
