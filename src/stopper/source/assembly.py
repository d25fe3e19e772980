"""Texts that code puts together, and which of their parts are known before anything runs."""

from __future__ import annotations

import ast
import re

from stopper.records import dataclass
from stopper.regex import regex
from stopper.source.code import Expr
from stopper.source.module import Binding, Bound, Kind
from stopper.source.rewrite import parts_of

_NUMBERS = frozenset(("int", "float", "len", "bool", "abs", "round", "min", "max", "sum", "hash", "id"))
_QUOTES = regex(r"quot|escap|ident|literal|sanit|placeholder|bindparam|mogrify", re.IGNORECASE)
_KEEP = frozenset(("text", "SQL", "str", "dedent", "strip", "lower", "upper", "format", "replace", "encode"))
_WRITTEN = frozenset((Bound.ASSIGN, Bound.AUGMENT))
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Assembly:
    """A text that is put together."""

    text: str
    """What is constant in it; a NUL stands for each part that is not."""
    parts: tuple[Expr, ...]
    """Those parts of which nothing is known."""


def assembled(expr: Expr) -> Assembly | None:
    """Return the text that an expression puts together, by way of local variables too; None where it is a text in one piece."""
    return _assembled(expr, 0)


def _assembled(expr: Expr, depth: int) -> Assembly | None:
    if depth > _DEEPEST or expr.value.known:
        return None
    if isinstance(expr.node, ast.Name):
        written = _written(expr, expr.node.id)
        found = [_piece(expr.inner(value), depth + 1) for value in written]
        return _merged(found) if any(isinstance(one, Assembly) for one in found) else None
    parts = parts_of(expr.node)
    return _merged([_part(expr, part, depth + 1) for part in parts]) if parts is not None else None


def _part(expr: Expr, part: str | ast.expr, depth: int) -> Assembly | str:
    return part if isinstance(part, str) else _piece(expr.inner(part), depth)


def _piece(expr: Expr, depth: int) -> Assembly | str:
    """Return the constant text that a part is, or what it is put together from; itself where nothing is known of it."""
    if expr.value.known:
        return str(expr.value.constant)
    return _assembled(expr, depth) or (" " if is_closed(expr) else Assembly("\0", (expr,)))


def _merged(found: list[Assembly | str]) -> Assembly:
    text = "".join(one if isinstance(one, str) else one.text for one in found)
    return Assembly(text, tuple(part for one in found if isinstance(one, Assembly) for part in one.parts))


def _bindings(expr: Expr, name: str) -> list[Binding]:
    """Return where the function around an expression binds a local name; nothing for a name of the module."""
    place = expr.names.lookup(name, expr.scope)
    return place[1] if place is not None and place[0].kind is not Kind.CLASS else []


def _written(expr: Expr, name: str) -> list[ast.expr]:
    """Return all that is assigned or added to a name; nothing where it is bound in another way as well."""
    bindings = _bindings(expr, name)
    values = [one.value for one in bindings if one.how in _WRITTEN and one.value is not None]
    return values if len(values) == len(bindings) else []


def is_closed(expr: Expr, depth: int = 0) -> bool:
    """Tell whether an expression can only be what the author wrote: constants, numbers, and what quotes its argument."""
    node = expr.node
    if depth > _DEEPEST:
        return False
    if expr.value.known or isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp):
        return True
    parts = parts_of(node)
    if parts is not None:
        return all(isinstance(one, str) or is_closed(expr.inner(one), depth + 1) for one in parts)
    if isinstance(node, ast.Call):
        return _gives_closed(expr, node, depth)
    if isinstance(node, ast.BinOp):
        left, right = (
            is_closed(expr.inner(node.left), depth + 1),
            is_closed(expr.inner(node.right), depth + 1),
        )
        return (left or right) if isinstance(node.op, ast.Mult) else (left and right)
    inner: list[ast.expr] = []
    if isinstance(node, ast.IfExp):
        inner = [node.body, node.orelse]
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        inner = node.elts
    elif isinstance(node, ast.GeneratorExp | ast.ListComp | ast.SetComp):
        inner = [node.elt]
    elif isinstance(node, ast.Subscript):
        inner = [node.value]
    elif isinstance(node, ast.Name):
        return node.id.isupper() or _is_bound_closed(expr, node.id, depth)
    return bool(inner) and all(is_closed(expr.inner(one), depth + 1) for one in inner)


def _gives_closed(expr: Expr, node: ast.Call, depth: int) -> bool:
    last = expr.inner(node.func).identifier
    if last in _NUMBERS or _QUOTES.search(last):
        return True
    if last in _KEEP:
        held = (
            [node.func.value]
            if isinstance(node.func, ast.Attribute) and not expr.inner(node.func).name
            else []
        )
        given = [*held, *node.args, *(keyword.value for keyword in node.keywords)]
        return all(is_closed(expr.inner(one), depth + 1) for one in given)
    return last == "join" and len(node.args) == 1 and is_closed(expr.inner(node.args[0]), depth + 1)


def _is_bound_closed(expr: Expr, name: str, depth: int) -> bool:
    bindings = _bindings(expr, name)
    hows = (*_WRITTEN, Bound.LOOP)
    return bool(bindings) and all(
        one.how in hows and one.value is not None and is_closed(expr.inner(one.value), depth + 1)
        for one in bindings
    )
