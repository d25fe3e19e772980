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
    page: bool = True
    """Whether text that it returns is sent as HTML; a REST resource sends it as JSON."""


def roots(project: Project) -> Iterator[Root]:
    """Yield the functions in which flows may start, in the order of the files; tests are left out."""
    views = _views(project)
    for module in project.modules:
        if module.role is Role.TEST:
            continue
        whole = _INTERESTING.search(module.text.content) is not None
        for scope in (module.scope, *module.scopes):
            parameters = views.get(id(scope))
            if scope.kind is Kind.CLASS or (
                parameters is None and not (whole and _interesting(module, scope))
            ):
                continue
            yield Root(
                scope, _entry(parameters or {}), parameters is not None, not _is_resource(project, scope)
            )


def _views(project: Project) -> dict[int, dict[str, str]]:
    """Return the routed parameters of each view and what converts them, by the identity of its scope."""
    found: dict[int, dict[str, str]] = {}
    for route in project.routes.routes:
        answering: list[Scope | None] = [*route.handlers.values()] or [route.view]
        for scope in answering:
            if scope is not None:
                found.setdefault(id(scope), {}).update(route.parameters)
    for hook in project.routes.hooks:
        if hook.kind in ("errorhandler", "before_request"):
            found.setdefault(id(hook.view), {})
    return found


def _is_resource(project: Project, scope: Scope) -> bool:
    owner = scope.owner
    return owner is not None and any(
        base.name.endswith(".Resource") for base in project.code.names.bases(owner)
    )


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
