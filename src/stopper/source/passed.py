"""What a view passes to a template: the request's own words, something clean, or something not known.

Local variables are followed to what they were bound to within the view, no further. A variable that the view
compares or matches with something is not known: the check may leave only good values.
"""

from __future__ import annotations

import ast
import enum
import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from stopper.source.module import Bound, Scope

if TYPE_CHECKING:
    from stopper.source.code import Expr

MAX_STEPS = 5
"""How many variables and joins are followed for one value."""

REQUEST_PARTS = frozenset(
    ("args", "form", "values", "cookies", "headers", "path", "full_path", "url", "base_url", "query_string")
) | frozenset(
    (
        "referrer",
        "view_args",
        "user_agent",
        "json",
        "data",
        "files",
        "get_json",
        "get_data",
        "host",
        "url_root",
    )
)
"""What of ``flask.request`` the client writes."""

_REQUEST = re.compile(r"^flask\.request\.(?P<part>\w+)")
_NUMBER = re.compile(
    r"^(?:builtins\.)?(?:int|float|len|bool|round|sum|ord|uuid\.uuid4|uuid\.UUID|time\.time|flask\.url_for)\(\)"
)
_TYPES = frozenset(
    ("int", "float", "bool", "UUID", "uuid.UUID", "Decimal", "decimal.Decimal", "builtins.int")
)


class Known(enum.Enum):
    """What is known of a value that a view passes."""

    USER = enum.auto()
    CLEAN = enum.auto()
    UNKNOWN = enum.auto()


def judge(expression: Expr, screened: Collection[str], steps: int = MAX_STEPS) -> tuple[Known, str]:
    """Return what is known of an expression, and for ``USER`` what it is read from.

    Args:
        expression: What the view passes.
        screened: The full names of calls whose result is clean, and the names of the project's own cleaners.
        steps: How far to follow.
    """
    if not steps:
        return Known.UNKNOWN, ""
    if expression.value.known:
        return Known.CLEAN, ""
    node = expression.node
    if isinstance(node, ast.Name):
        return _variable(node.id, expression, screened, steps)
    pieces = _pieces(node)
    if pieces:
        return _worst([judge(expression.inner(piece), screened, steps - 1) for piece in pieces])
    name = expression.name or ""
    last = name.removesuffix("()").rpartition(".")[2]
    if name in screened or _NUMBER.match(name) or (name.endswith("()") and last in screened) or _typed(node):
        return Known.CLEAN, ""
    request = _REQUEST.match(name)
    if request and request["part"] in REQUEST_PARTS:
        return Known.USER, name.removeprefix("flask.").removesuffix(".get()")
    return Known.UNKNOWN, ""


def _pieces(node: ast.expr) -> list[ast.expr]:
    """Return the parts of a string put together, and the branches of a choice."""
    if isinstance(node, ast.JoinedStr):
        return [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        right = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        return [node.left, *right]
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return list(node.values)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return [*node.args, *(keyword.value for keyword in node.keywords)]
    return []


def _worst(found: list[tuple[Known, str]]) -> tuple[Known, str]:
    for wanted in (Known.USER, Known.UNKNOWN):
        for one in found:
            if one[0] is wanted:
                return one
    return Known.CLEAN, ""


def _typed(node: ast.expr) -> bool:
    """Tell whether a read is converted: ``request.args.get("page", type=int)``."""
    if not isinstance(node, ast.Call):
        return False
    return any(keyword.arg == "type" and ast.unparse(keyword.value) in _TYPES for keyword in node.keywords)


def _variable(name: str, expression: Expr, screened: Collection[str], steps: int) -> tuple[Known, str]:
    function = expression.scope.function
    bindings = function.bindings.get(name, []) if function is not None else []
    if function is None or not bindings or _is_checked(name, function):
        return Known.UNKNOWN, ""
    found = []
    for binding in bindings:
        if binding.how is Bound.PARAMETER:
            found.append(
                (Known.USER, f"<{name}> of the URL") if _is_in_url(name, function) else (Known.UNKNOWN, "")
            )
        elif binding.how is Bound.ASSIGN and binding.value is not None:
            found.append(judge(expression.inner(binding.value), screened, steps - 1))
        else:
            found.append((Known.UNKNOWN, ""))
    kinds = {kind for kind, _ in found}
    constants = [binding.value for binding in bindings if isinstance(binding.value, ast.Constant)]
    if len(kinds) > 1 and len(constants) + sum(kind is Known.USER for kind, _ in found) < len(found):
        return Known.UNKNOWN, ""
    return _worst(found)


def _is_checked(name: str, function: Scope) -> bool:
    """Tell whether a function compares or matches a variable, and so may let only some values through."""
    word = re.escape(name)
    check = (
        rf"\b{word}\b\s*(?:not\s+)?in\b|match\([^)]*\b{word}\b|\b{word}\.(?:is\w+|startswith)\(|"
        rf"\b{word}\s*[!=]=|valid\w*\(\s*{word}\b"
    )
    return re.search(check, function.module.source(function.node)) is not None


def _is_in_url(name: str, function: Scope) -> bool:
    """Tell whether a parameter is a free part of the view's URL: ``<name>``, ``<path:name>``."""
    free = re.compile(rf"<(?:string(?:\([^)]*\))?:|path:)?{re.escape(name)}>")
    return any(free.search(function.module.source(decorator)) for decorator in function.decorators)
