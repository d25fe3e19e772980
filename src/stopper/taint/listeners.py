"""Functions that a client's data enters without a route: the events of Flask-SocketIO, the sockets of Flask-Sock."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stopper.source.module import Kind, Scope, parameters
from stopper.source.project import Project
from stopper.taint.domain import Taint, Value

_EVENTS = frozenset(("flask_socketio.SocketIO().on", "flask_socketio.SocketIO().event"))
_SOCKETS = frozenset(("flask_sock.Sock().route", "flask_sockets.Sockets().route"))
_NAMESPACE = "flask_socketio.Namespace"
_SOCKET = "simple_websocket.Server()"


def listeners(project: Project) -> Iterator[tuple[Scope, dict[str, Value]]]:
    """Yield each function that listens, with what its parameters hold."""
    if not project.code.imports("flask_socketio", "flask_sock", "flask_sockets"):
        return
    names = project.code.names
    for module in project.modules:
        for scope in module.scopes:
            if scope.kind is not Kind.FUNCTION:
                continue
            called = {
                names.name(mark.func if isinstance(mark, ast.Call) else mark, scope.parent or scope)
                for mark in scope.decorators
            }
            owner = scope.owner
            event = called & _EVENTS or (
                scope.name.startswith("on_")
                and owner is not None
                and any(base.name == _NAMESPACE for base in names.bases(owner))
            )
            if event:
                yield scope, _messages(scope)
            elif called & _SOCKETS:
                yield scope, {name: Value(name=_SOCKET) for name in _taken(scope)[:1]}


def _messages(scope: Scope) -> dict[str, Value]:
    taint = Taint("the event's data", marks=frozenset(("object",)))
    return {
        name: Value((taint.hop(scope.node, "the event's data comes in"),))
        for name in _taken(scope)
        if name not in ("auth", "sid")
    }


def _taken(scope: Scope) -> list[str]:
    args = getattr(scope.node, "args", None)
    names = [arg.arg for arg in parameters(args)] if isinstance(args, ast.arguments) else []
    return names[1:] if scope.owner is not None else names
