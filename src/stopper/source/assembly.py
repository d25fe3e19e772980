"""Texts that code puts together, and which of their parts are known before anything runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from stopper.records import dataclass
from stopper.regex import regex
from stopper.source.code import Expr
from stopper.source.module import Binding, Bound, Kind
from stopper.source.rewrite import numbers_of, parts_of

_NUMBERS = frozenset(("int", "float", "len", "bool", "abs", "round", "min", "max", "sum", "hash", "id"))
_QUOTES = regex(r"quot|escap|ident|literal|sanit|placeholder|bindparam|mogrify", re.IGNORECASE)
_KEEP = frozenset(("text", "SQL", "str", "dedent", "strip", "lower", "upper", "format", "replace", "encode"))
_PATHS = frozenset(("join", "abspath", "dirname", "expanduser", "normpath", "realpath", "Path", "getcwd"))
_WRITTEN = frozenset((Bound.ASSIGN, Bound.AUGMENT))
_LETTERS = frozenset(("isalnum", "isalpha", "isdecimal", "isdigit", "isidentifier"))
_MATCHES = frozenset(("fullmatch", "match"))
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
    parts, numbers = parts_of(expr.node), numbers_of(expr.node)
    if parts is None:
        return None
    return _merged([" " if part in numbers else _part(expr, part, depth + 1) for part in parts])


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
        numbers = numbers_of(node)
        return all(
            isinstance(one, str) or one in numbers or is_closed(expr.inner(one), depth + 1) for one in parts
        )
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
        return node.id.isupper() or node.id == "__file__" or _is_bound_closed(expr, node.id, depth)
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
    if last == "join" and len(node.args) == 1:
        return is_closed(expr.inner(node.args[0]), depth + 1)
    return last in _PATHS and all(is_closed(expr.inner(one), depth + 1) for one in node.args)


def _is_bound_closed(expr: Expr, name: str, depth: int) -> bool:
    bindings = _bindings(expr, name)
    hows = (*_WRITTEN, Bound.LOOP)
    return bool(bindings) and all(
        one.how in hows and one.value is not None and is_closed(expr.inner(one.value), depth + 1)
        for one in bindings
    )


def is_checked(expr: Expr) -> bool:
    """Tell whether the function around an expression looks a name in it up in a list, or at what letters it has."""
    around = next((scope for scope in expr.scope.chain() if scope.kind is Kind.FUNCTION), None)
    if around is None:
        return False
    names = _read(expr, 0)
    return any(_checks(node, names) for node in ast.walk(around.node))


def _read(expr: Expr, depth: int) -> set[str]:
    """Return the local names that an expression is made of, by way of assignments too."""
    names = {node.id for node in ast.walk(expr.node) if isinstance(node, ast.Name)}
    if depth >= _DEEPEST:
        return names
    made = [one.value for name in names for one in _bindings(expr, name) if one.value is not None]
    return names.union(*(_read(expr.inner(value), depth + 1) for value in made if value is not expr.node))


def sources_of(expr: Expr) -> Iterator[str]:
    """Yield the text of an expression, and of all that is assigned to the local names in it."""
    yield expr.source
    for name in _read(expr, 0):
        for one in _bindings(expr, name):
            if one.value is not None:
                yield expr.inner(one.value).source


def _checks(node: ast.AST, names: set[str]) -> bool:
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
        return getattr(node.left, "id", "") in names
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    if node.func.attr in _LETTERS:
        return getattr(node.func.value, "id", "") in names
    return node.func.attr in _MATCHES and any(getattr(one, "id", "") in names for one in node.args)


def words_of(expr: Expr, depth: int = 0) -> list[Expr]:
    """Return the elements of a list that is written out, there or where its name is bound, and of lists in it; itself for anything else."""
    node = expr.node
    inner: list[ast.expr] = []
    if isinstance(node, ast.List | ast.Tuple):
        inner = node.elts
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        inner = [node.left, node.right] if _is_list(node.left) or _is_list(node.right) else []
    elif isinstance(node, ast.Starred):
        inner = [node.value]
    elif isinstance(node, ast.Name):
        inner = [value for value in _written(expr, node.id) if _is_list(value)][:1]
    if depth > _DEEPEST or not inner:
        return [] if _is_list(node) else [expr]
    return [word for one in inner for word in words_of(expr.inner(one), depth + 1)]


def _is_list(node: ast.expr) -> bool:
    return isinstance(node, ast.List | ast.Tuple) or (
        isinstance(node, ast.BinOp) and (_is_list(node.left) or _is_list(node.right))
    )


def is_opened(expr: Expr) -> bool:
    """Tell whether an expression is a file that is opened by a name which only the author wrote, or what is read from one."""
    node = expr.node
    if isinstance(node, ast.Name):
        bound = _bindings(expr, node.id)
        return bool(bound) and all(
            one.value is not None and is_opened(expr.inner(one.value)) for one in bound
        )
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("read", "read_bytes", "read_text"):
        return is_opened(expr.inner(node.func.value))
    named = expr.inner(node.func).identifier in ("open", "Path") and bool(node.args)
    return named and is_closed(expr.inner(node.args[0]))
