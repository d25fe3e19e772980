"""Registries: functions and classes that a decorator, a base class or a metaclass writes down as soon as they are defined."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.source.files import Role
from stopper.source.module import Scope
from stopper.source.names import Names, RefKind

if TYPE_CHECKING:
    from stopper.source.project import Project

_MAKERS = ("__new__", "__init__")
_PUTS = frozenset(("append", "add", "insert", "setdefault", "update", "register", "extend"))


def registered(project: Project) -> frozenset[int]:
    """Return the functions and classes that are written down somewhere when they are defined, by the identity of their scopes."""
    writing: dict[int, bool] = {}
    return frozenset(
        id(scope)
        for module in project.modules
        if module.role is not Role.TEST
        for scope in module.scopes
        if any(_writes(one, writing) for one in _told(scope, project.code.names))
    )


def filling(project: Project) -> frozenset[int]:
    """Return the modules that fill a registry of another one by calls of methods, by the identity of their scopes."""
    writing: dict[int, bool] = {}
    return frozenset(
        id(module.scope)
        for module in project.modules
        if module.role is not Role.TEST
        for statement in module.tree.body
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
        if _fills(statement.value, module.scope, project.code.names, writing)
    )


def _fills(call: ast.Call, scope: Scope, names: Names, known: dict[int, bool]) -> bool:
    if not isinstance(call.func, ast.Attribute) or not (call.args or call.keywords):
        return False
    holder = names.resolve(call.func.value, scope)
    if holder is None or holder.kind is not RefKind.INSTANCE:
        return False
    ref = names.resolve(call.func, scope)
    return (
        ref is not None
        and ref.kind is RefKind.FUNCTION
        and ref.scope is not None
        and _writes(ref.scope, known)
    )


def makers(scope: Scope, names: Names) -> list[tuple[Scope, Scope]]:
    """Return the metaclass of a class with those of its methods that make it, one pair a method."""
    lineage = [scope, *_bases(scope, names)] if isinstance(scope.node, ast.ClassDef) else []
    every = [word for one in lineage for word in getattr(one.node, "keywords", ())]
    marked = [word.value for word in every if word.arg == "metaclass"]
    ref = names.resolve(marked[0], scope.parent or scope) if marked else None
    if ref is None or ref.scope is None or ref.kind is not RefKind.CLASS:
        return []
    found = [names.method(ref.scope, name) for name in _MAKERS]
    return [(ref.scope, method) for method in found if method is not None]


def subclassed(scope: Scope, names: Names) -> Scope | None:
    """Return the method of a base class that is told of a new class."""
    bases = _bases(scope, names)
    return names.method(bases[0], "__init_subclass__") if bases else None


def _told(scope: Scope, names: Names) -> Iterator[Scope]:
    """Yield the functions of the project that are told of a function or a class when it is defined."""
    for decorator in scope.decorators:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        ref = names.resolve(called, scope.parent or scope)
        if ref is not None and ref.kind is RefKind.FUNCTION and ref.scope is not None:
            yield ref.scope
    if isinstance(scope.node, ast.ClassDef) and (scope.node.bases or scope.node.keywords):
        yield from (method for _, method in makers(scope, names))
        hook = subclassed(scope, names)
        if hook is not None:
            yield hook


def _bases(scope: Scope, names: Names) -> list[Scope]:
    found = [base.scope for base in names.bases(scope) if base.kind is RefKind.CLASS]
    return [base for base in found if base is not None]


def _writes(scope: Scope, known: dict[int, bool]) -> bool:
    """Tell whether a function puts anything into something that was there before it: of the module, of its own object."""
    found = known.get(id(scope))
    if found is None:
        local = {name for inside in _nested(scope) for name in inside.bindings}
        local -= {next(iter(scope.bindings), "")} if scope.owner is not None else set()
        into = (_filled(node) for node in ast.walk(scope.node))
        found = known[id(scope)] = any(name is not None and name not in local for name in into)
    return found


def _nested(scope: Scope) -> Iterator[Scope]:
    yield scope
    for child in scope.children:
        yield from _nested(child)


def _filled(node: ast.AST) -> str | None:
    """Return the name of the variable that leads to what something is put into; None where nothing is."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        holder: ast.expr = node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _PUTS:
        holder = node.func.value
    else:
        return None
    while isinstance(holder, ast.Attribute | ast.Subscript):
        holder = holder.value
    return holder.id if isinstance(holder, ast.Name) else None
