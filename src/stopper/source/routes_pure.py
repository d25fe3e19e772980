"""Call what Python itself offers on values that are known: no result may be huge, and none may raise."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import Any

from stopper.source.routes_objects import Unknown

MAX_TEXT = 5000
_WIDE = re.compile(r"[%:][^a-zA-Z}]*\d{4,}|[%:][^a-zA-Z}]*\*")
"""A format that would make a huge string of a small one."""
PLAIN = (str, int, float, bytes, bool, type(None), list, tuple, dict, set, frozenset, range)
BUILTINS: dict[str, Callable[..., Any]] = {
    "dict": dict, "list": list, "tuple": tuple, "set": set, "sorted": sorted, "enumerate": enumerate, "zip": zip,
    "len": len, "str": str, "int": int, "reversed": reversed,
}  # fmt: skip
PURE = frozenset(
    (
        "append extend insert update setdefault get items keys values copy add pop format join replace "
        "strip lstrip rstrip lower upper title capitalize split rsplit partition rpartition startswith "
        "endswith removeprefix removesuffix union index count casefold"
    ).split()
)
KNOWN = frozenset(
    [*BUILTINS, "getattr", "hasattr", "isinstance", "type", "vars", "setattr", "object", "map", "callable"]
)
OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Mod: operator.mod,
    ast.BitOr: operator.or_,
}
COMPARISONS: dict[type, Callable[..., Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda item, box: item in box, ast.NotIn: lambda item, box: item not in box,
}  # fmt: skip


def quiet(act: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Return what a call gives, or an unknown where it raises or would be huge."""
    texts = [value for value in (getattr(act, "__self__", None), *args) if isinstance(value, str)]
    if any(len(text) > MAX_TEXT or _WIDE.search(text) for text in texts):
        return Unknown()
    try:
        result = act(*args, **kwargs)
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError):
        return Unknown()
    if isinstance(result, str | bytes | list | tuple) and len(result) > MAX_TEXT:
        return Unknown()
    return result if isinstance(result, PLAIN) or result is None else _listed(result)


def _listed(result: Any) -> Any:
    views = isinstance(result, zip | enumerate | reversed) or type(result).__name__ in {
        "dict_items",
        "dict_keys",
        "dict_values",
    }
    return list(result) if views else result
