"""Which functions matter: the roots that read what a client sends, and how a request enters a view."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from stopper.finding import RouteRef
from stopper.records import dataclass
from stopper.source.files import Role
from stopper.source.module import Kind, Module, Scope, parameters
from stopper.taint.converters import given
from stopper.taint.domain import CLEAN, KEYS, Taint, Value
from stopper.taint.forms import forms_of
from stopper.taint.listeners import caught, listeners
from stopper.taint.registries import filling, registered

if TYPE_CHECKING:
    from stopper.source.project import Project

_INTERESTING = re.compile(
    r"\b(?:request|req|parse_args|format_exc|exc_info|except)\b|\.data\b|\.extensions\["
)
_SOURCE = re.compile(r"\b(?:request|req|parse_args|format_exc|exc_info)\b|\.data\b|\.extensions\[")
"""What a function's text holds that reads a client's data itself."""
_HOOKS = frozenset(
    (
        "errorhandler",
        "before_request",
        "after_request",
        "teardown_request",
        "url_value_preprocessor",
        "context_processor",
    )
)
"""The hooks that run while a request is answered."""
_FIRST = frozenset(("before_request", "url_value_preprocessor"))
_SERIALIZERS = frozenset(("output", "marshal_with", "marshal_list_with"))
_ANSWERING = frozenset(("errorhandler", "before_request"))
"""The hooks that may answer the request themselves."""


@dataclass(frozen=True, slots=True)
class Root:
    """A function that data of a client may enter."""

    scope: Scope
    entry: dict[str, Value]
    view: bool
    """Whether what it returns is the response."""
    page: bool = True
    """Whether text that it returns is sent as HTML; a REST resource sends it as JSON."""
    route: RouteRef | None = None
    """The first route that leads to it."""
    called: bool = True
    """Whether Flask or an extension calls it; else only its text says that data may be followed from it."""
    reads: bool = True
    """Whether its text holds what reads data; else only what was stored may be found there."""
    owners: tuple[Scope, ...] = ()
    """For a method that answers a route: the class-based views that it answers for, which may have inherited it."""
    given: tuple[tuple[Scope, str, object], ...] = ()
    """What ``as_view()`` hands to the constructors of these: the view, the place or the name of the argument, a constant or a scope."""

    registered: bool = False
    """Whether something writes it down when it is defined."""
    followed: bool = True
    """Whether what it does is looked at; else only what is done with it when it is defined."""

    @property
    def traits(self) -> tuple[object, ...]:
        """Return all but the function itself."""
        return (
            self.entry, self.view, self.page, self.route, self.called, self.reads, self.owners, self.given,
            self.registered, self.followed,
        )  # fmt: skip


def roots(project: Project) -> Iterator[Root]:
    """Yield the functions in which flows may start: what runs before every request, what Flask calls, then the rest.

    Tests are left out.
    """
    rest: list[Root] = []
    entries = _entries(project)
    first = [id(hook.view) for hook in project.routes.hooks if hook.kind in _FIRST]
    yield from (
        entries.pop(key) for key in dict.fromkeys(first) if entries[key].scope.module.role is not Role.TEST
    )
    done, noted = set(first), registered(project) | filling(project)
    for module in project.modules:
        if module.role is Role.TEST:
            continue
        whole = _INTERESTING.search(module.text.content) is not None
        for scope in (module.scope, *module.scopes):
            found = entries.get(id(scope))
            kept = id(scope) in noted
            if found is not None:
                yield replace(found, registered=True) if kept else found
            elif id(scope) in done:
                continue
            elif scope.kind is not Kind.CLASS and whole and _holds(_INTERESTING, module, scope):
                page, reads = not _is_resource(project, scope), _holds(_SOURCE, module, scope)
                rest.append(Root(scope, {}, view=False, page=page, called=kept, reads=reads, registered=kept))
            elif kept:
                yield Root(scope, {}, view=False, registered=True, followed=False)
    yield from rest


def _entries(project: Project) -> dict[int, Root]:
    """Return the functions that Flask and its extensions call, by the identity of their scopes."""
    found: dict[int, Root] = {}
    forms = forms_of(project)
    for route in project.routes.routes:
        answering: list[Scope | None] = [*route.handlers.values()] or [_answers(project, route.view)]
        for scope in answering:
            if scope is None or scope.kind is Kind.CLASS:
                continue
            before = found.get(id(scope))
            entry = {
                **_unnamed(scope, route.parameters),
                **given(project, route.parameters, route.rule),
                **(before.entry if before is not None else forms.entries(scope)),
            }
            entry = _collected(scope, entry)
            ref = before.route if before is not None else route.ref
            page, owners = not _is_resource(project, scope), _owners(route.view, before)
            made = before.given if before is not None else ()
            if route.view is not None:
                made = (*made, *[(route.view, key, value) for key, value in route.given])
            found[id(scope)] = Root(scope, entry, view=True, page=page, route=ref, owners=owners, given=made)
    for hook in project.routes.hooks:
        if hook.kind in _HOOKS:
            handles = hook.kind == "errorhandler"
            values = caught(hook.view, project.code.names) if handles else _given(hook.view, hook.kind)
            found.setdefault(id(hook.view), Root(hook.view, values, view=hook.kind in _ANSWERING))
    for scope, values in (*listeners(project), *forms.validators()):
        found.setdefault(id(scope), Root(scope, values, view=False))
    return found


def _owners(view: Scope | None, before: Root | None) -> tuple[Scope, ...]:
    """Return the class-based views that a method answers for."""
    owners = before.owners if before is not None else ()
    new = view is not None and view.kind is Kind.CLASS and view not in owners
    return (*owners, view) if new and view is not None else owners


def routed(project: Project) -> dict[int, dict[str, Value]]:
    """Return what each view is given of the URL, by the identity of its scope; numbers are clean."""
    found: dict[int, dict[str, Value]] = {}
    for route in project.routes.routes:
        for scope in route.handlers.values() or [route.view]:
            found.setdefault(id(scope), {}).update(given(project, route.parameters, route.rule))
    return found


def _unnamed(scope: Scope, named: Collection[str]) -> dict[str, Value]:
    """Return the parameters of a view that no part of its URL gives and no decorator can: a rule that is misspelt or cut short."""
    args = getattr(scope.node, "args", None)
    if not isinstance(args, ast.arguments) or scope.owner is not None or len(scope.decorators) > 1:
        return {}
    wanted = args.args[: len(args.args) - len(args.defaults)]
    names = [arg.arg for arg in wanted if arg.arg not in named]
    return {
        name: Value((Taint(f"the view's parameter {name}", marks=frozenset(("kept",))),)) for name in names
    }


def _collected(scope: Scope, entry: dict[str, Value]) -> dict[str, Value]:
    """Return what a view is given with the parts of the URL that it has no parameter for in its ``**kwargs``."""
    args = getattr(scope.node, "args", None)
    if not isinstance(args, ast.arguments) or args.kwarg is None:
        return entry
    named = {arg.arg for arg in parameters(args)}
    rest = entry.get(args.kwarg.arg, Value(shape="dict", fields=((KEYS, CLEAN),)))
    for name in sorted(entry.keys() - named):
        rest = rest.with_part(f"[{name!r}]", entry[name])
    return {name: value for name, value in entry.items() if name in named} | {args.kwarg.arg: rest}


def _answers(project: Project, view: Scope | None) -> Scope | None:
    """Return what answers a route: the function, or the method of a class-based view without verbs."""
    if view is None or view.kind is not Kind.CLASS:
        return view
    member = project.code.names.member(view, "dispatch_request")
    return member[1].scope if member is not None else None


def _given(view: Scope, kind: str) -> dict[str, Value]:
    """Return what a hook is given that the client wrote: the values of the URL."""
    args = getattr(view.node, "args", None)
    names = [arg.arg for arg in parameters(args)] if isinstance(args, ast.arguments) else []
    if kind == "after_request" and names:
        return {names[0]: Value(name="flask.Response()")}
    if kind != "url_value_preprocessor" or len(names) < 2:
        return {}
    label = "the URL's values"
    return {names[1]: Value((Taint(label, marks=frozenset(("segment",))),), shape="dict")}


def _is_resource(project: Project, scope: Scope) -> bool:
    """Tell whether what a view returns is sent as JSON: a REST resource's, or what a schema writes down."""
    owner = scope.owner
    if any(_serializes(mark) for mark in scope.decorators):
        return True
    return owner is not None and any(
        base.name.endswith(".Resource") for base in project.code.names.bases(owner)
    )


def _serializes(mark: ast.expr) -> bool:
    """Tell whether a decorator writes down what a view returns: ``@blp.response(200, Schema)``, ``@app.output(Schema)``."""
    if not isinstance(mark, ast.Call) or not isinstance(mark.func, ast.Attribute):
        return False
    last, keywords = mark.func.attr, [keyword.arg for keyword in mark.keywords]
    if last == "response":
        return len(mark.args) > 1 or "schema" in keywords
    return last in _SERIALIZERS and bool(mark.args)


def _holds(words: re.Pattern[str], module: Module, scope: Scope) -> bool:
    if scope.kind is Kind.MODULE:
        return False
    first, last = getattr(scope.node, "lineno", 1), getattr(scope.node, "end_lineno", None) or 1
    starts = module.text.starts
    end = starts[last] if last < len(starts) else len(module.text.content)
    return words.search(module.text.content, starts[first - 1], end) is not None
