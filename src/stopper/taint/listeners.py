"""Functions that a client's data enters without a route.

The events of Flask-SocketIO, the sockets of Flask-Sock, session interfaces and request loaders that are handed the request,
WSGI applications and middleware, the workers of threads, and the handlers of the project's own exceptions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from stopper.source.module import Kind, Module, Scope, parameters
from stopper.source.names import Names, RefKind
from stopper.source.project import Project
from stopper.taint.domain import Taint, Value
from stopper.taint.raising import BUILTIN

HTTP_ERROR = "werkzeug.exceptions.HTTPException()"
"""The name of what an error handler is given that Flask itself raised."""

_EVENTS = frozenset(("flask_socketio.SocketIO().on", "flask_socketio.SocketIO().event"))
_SOCKETS = frozenset(("flask_sock.Sock().route", "flask_sockets.Sockets().route"))
_LOADERS = frozenset(("flask_login.LoginManager().request_loader",))
_FIELDS = frozenset(f"ariadne.{kind}().field" for kind in ("QueryType", "MutationType", "ObjectType"))
_TYPED = frozenset(("strawberry.field", "strawberry.mutation"))
_HARMLESS = frozenset(
    (
        "int",
        "float",
        "bool",
        "UUID",
        "Decimal",
        "date",
        "datetime",
        "Int",
        "Float",
        "Boolean",
        "Date",
        "DateTime",
    )
)
_LAST = frozenset(name.rpartition(".")[2] for name in _EVENTS | _SOCKETS | _LOADERS | _FIELDS | _TYPED)
_OBJECTS = ("graphene.ObjectType", "graphene.Mutation", "graphene.types.ObjectType")
_NAMESPACE = "flask_socketio.Namespace"
_SOCKET = "simple_websocket.Server()"
_REQUEST = Value(name="flask.request")


def listeners(project: Project) -> Iterable[tuple[Scope, dict[str, Value]]]:
    """Return each function that listens, with what its parameters hold."""
    return project.cached("taint.listeners", lambda: tuple(_listeners(project)))


def _listeners(project: Project) -> Iterator[tuple[Scope, dict[str, Value]]]:
    names = project.code.names
    sockets = bool(project.code.imports("flask_socketio", "flask_sock", "flask_sockets"))
    graphs = bool(project.code.imports("graphene", "strawberry", "ariadne"))
    for module in project.modules:
        for scope in module.scopes:
            if scope.kind is not Kind.FUNCTION:
                continue
            found = _handed(scope, names) or (_heard(scope, names) if sockets else None)
            found = found or (_resolved(scope, names) if graphs else None)
            if found:
                yield scope, found
        yield from _workers(module, names)


def _workers(module: Module, names: Names) -> Iterator[tuple[Scope, dict[str, Value]]]:
    """Yield the functions that threads and processes of the module run: what they work on lies in a queue."""
    for last in ("Thread", "Process"):
        for site in module.calls.get(last, ()):
            given = next((one.value for one in site.node.keywords if one.arg == "target"), None)
            ref = names.resolve(given, site.scope) if given is not None else None
            if ref is not None and ref.kind is RefKind.FUNCTION and ref.scope is not None:
                yield ref.scope, {}


def _handed(scope: Scope, names: Names) -> dict[str, Value] | None:
    """Return the request, or what stands for it, where a function is handed it."""
    taken = _taken(scope)
    if taken[:2] == ["environ", "start_response"]:
        return {"environ": Value((Taint("the WSGI environment").hop(scope.node, "a request comes in"),))}
    if scope.name == "open_session" and len(taken) > 1 and _derives(scope, names, "SessionInterface"):
        return {taken[0]: Value(name="flask.Flask()"), taken[1]: _REQUEST}
    if scope.name == "load_user_from_request" or _called(scope, names) & _LOADERS:
        return dict.fromkeys(taken[:1], _REQUEST)
    return None


def _heard(scope: Scope, names: Names) -> dict[str, Value] | None:
    called = _called(scope, names)
    if called & _EVENTS or (scope.name.startswith("on_") and _derives(scope, names, _NAMESPACE)):
        return _messages(scope)
    return {name: Value(name=_SOCKET) for name in _taken(scope)[:1]} if called & _SOCKETS else None


def _resolved(scope: Scope, names: Names) -> dict[str, Value] | None:
    """Return the arguments of a query that a resolver of GraphQL is given; those of a type without harm are left out."""
    taken = _taken(scope)
    if _derives(scope, names, _OBJECTS) and scope.name.startswith(("resolve_", "mutate")):
        taken = taken[taken.index("info") + 1 :] if "info" in taken else taken[1:]
    elif _called(scope, names) & _FIELDS:
        taken = taken[2:]
    elif not _called(scope, names) & _TYPED:
        return None
    harmless = _numbers(scope) | {"info", "root", "self"}
    taint = Taint("the query's argument").hop(scope.node, "the query's argument comes in")
    return {name: Value((taint,)) for name in taken if name not in harmless}


def _numbers(scope: Scope) -> set[str]:
    """Return the parameters that are declared as numbers: by annotation, or in the class, as graphene does."""
    args = getattr(scope.node, "args", None)
    every = parameters(args) if isinstance(args, ast.arguments) else []
    found = {arg.arg for arg in every if arg.annotation is not None and _last(arg.annotation) in _HARMLESS}
    owner = scope.owner
    for binding in owner.bindings.get(scope.name.removeprefix("resolve_"), ()) if owner is not None else ():
        given = binding.value.keywords if isinstance(binding.value, ast.Call) else []
        found |= {one.arg for one in given if one.arg and _last(one.value) in _HARMLESS}
    for inner in owner.children if owner is not None else ():
        for name, bound in inner.bindings.items() if inner.name == "Arguments" else ():
            if any(one.value is not None and _last(one.value) in _HARMLESS for one in bound):
                found.add(name)
    return found


def _last(expr: ast.expr) -> str:
    called = expr.func if isinstance(expr, ast.Call) else expr
    return str(getattr(called, "attr", getattr(called, "id", "")))


def receivers(project: Project) -> dict[str, list[Scope]]:
    """Return the functions that are connected to each signal of blinker, by the last name of the signal."""
    return project.cached("taint.receivers", lambda: _receivers(project))


def _receivers(project: Project) -> dict[str, list[Scope]]:
    found: dict[str, list[Scope]] = {}
    if not project.code.imports("blinker", "flask.signals"):
        return found
    for module in project.modules:
        for scope in module.scopes:
            for mark in scope.decorators:
                called = mark.func if isinstance(mark, ast.Call) else mark
                if isinstance(called, ast.Attribute) and called.attr in ("connect", "connect_via"):
                    found.setdefault(_last(called.value), []).append(scope)
        for site in module.calls.get("connect", ()):
            ref = project.code.names.resolve(site.node.args[0], site.scope) if site.node.args else None
            if ref is not None and ref.kind is RefKind.FUNCTION and ref.scope is not None:
                found.setdefault(_last(getattr(site.node.func, "value", site.node)), []).append(ref.scope)
    return found


def _messages(scope: Scope) -> dict[str, Value]:
    taint = Taint("the event's data", marks=frozenset(("object",)))
    return {
        name: Value((taint.hop(scope.node, "the event's data comes in"),))
        for name in _taken(scope)
        if name not in ("auth", "sid")
    }


def caught(view: Scope, names: Names) -> dict[str, Value]:
    """Return what an error handler is given: an object of the project's own exception, or one of Flask's."""
    taken = _taken(view)
    if not taken:
        return {}
    for mark in view.decorators:
        for arg in mark.args[:1] if isinstance(mark, ast.Call) else ():
            ref = names.resolve(arg, view.parent or view)
            if ref is not None and ref.kind is RefKind.CLASS and ref.scope is not None:
                return {taken[0]: Value(classes=(ref.scope,))}
            if ref is not None and ref.name in BUILTIN:
                taint = Taint(f"the exception {taken[0]}", "exception")
                return {taken[0]: Value((taint.hop(view.node, "the exception is handled"),))}
    return {taken[0]: Value(name=HTTP_ERROR)}


def _called(scope: Scope, names: Names) -> set[str | None]:
    """Return the full names of the decorators that may make a listener of a function."""
    marks = (mark.func if isinstance(mark, ast.Call) else mark for mark in scope.decorators)
    return {names.name(mark, scope.parent or scope) for mark in marks if getattr(mark, "attr", "") in _LAST}


def _derives(scope: Scope, names: Names, base: str | tuple[str, ...]) -> bool:
    owner = scope.owner
    return owner is not None and any(one.name.endswith(base) for one in names.bases(owner))


def _taken(scope: Scope) -> list[str]:
    args = getattr(scope.node, "args", None)
    names = [arg.arg for arg in parameters(args)] if isinstance(args, ast.arguments) else []
    return names[1:] if scope.owner is not None else names
