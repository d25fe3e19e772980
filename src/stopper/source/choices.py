"""What an expression may be: either end of a conditional, an item of a dict of the project, what a parameter is given."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stopper.source.code import Code, Expr
from stopper.source.module import Scope, parameters


def choices(code: Code, expr: Expr, function: Scope) -> list[Expr]:
    """Return what an expression in a function may be, as far as the text says; itself where it says nothing."""
    given = [*code.passed(function, expr.source), *_default(code, function, expr.source)]
    return [one for each in given or [expr] for one in _ends(each)]


def _default(code: Code, function: Scope, parameter: str) -> Iterator[Expr]:
    """Yield what a parameter holds when nothing is passed."""
    args = getattr(function.node, "args", None)
    if not isinstance(args, ast.arguments) or parameter not in [arg.arg for arg in parameters(args)]:
        return
    plain = [*args.posonlyargs, *args.args]
    pairs = [
        *zip(plain[len(plain) - len(args.defaults) :], args.defaults, strict=True),
        *zip(args.kwonlyargs, args.kw_defaults, strict=True),
    ]
    for arg, default in pairs:
        if arg.arg == parameter and default is not None:
            yield code.expr(default, function.parent or function)


def _ends(expr: Expr) -> Iterator[Expr]:
    node = expr.node
    if isinstance(node, ast.IfExp):
        yield from _ends(expr.inner(node.body))
        yield from _ends(expr.inner(node.orelse))
        return
    pairs = list(_items(expr, node)) if isinstance(node, ast.Subscript) else []
    wanted = expr.inner(node.slice).value if isinstance(node, ast.Subscript) else expr.value
    named = [value for key, value in pairs if wanted.known and key.value.constant == wanted.constant]
    yield from named[-1:] or [value for _, value in pairs] or [expr]


def _items(expr: Expr, node: ast.Subscript) -> Iterator[tuple[Expr, Expr]]:
    """Yield the items of the dict that an expression is read from, where one statement of the project makes it."""
    scope: Scope | None = expr.scope
    name = node.value.id if isinstance(node.value, ast.Name) else ""
    while scope is not None and name not in scope.bindings:
        scope = scope.parent
    bindings = scope.bindings[name] if scope is not None else []
    held = bindings[0].value if len(bindings) == 1 else None
    if isinstance(held, ast.Dict) and scope is not None:
        for key, value in zip(held.keys, held.values, strict=True):
            if key is not None:
                yield Expr(key, scope, expr.names), Expr(value, scope, expr.names)
