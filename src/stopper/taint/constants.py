"""Constants: what operators, comparisons, built-in functions and methods of texts give, where all they take is known."""

from __future__ import annotations

import functools
import operator
import string
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from stopper.taint.domain import ANY, CLEAN, KEYS, MAX_FIELDS, SEQUENCES, UNKNOWN, Value, joined, merged

MAX_TEXT = 10_000
"""How long a text that is computed here may grow."""
MAX_NUMBER = 1e15
"""How large a number may be that is computed with."""

Scalar = (str, bytes, int, float, complex, bool, type(None))

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod,
    "|": operator.or_, "&": operator.and_, "^": operator.xor, "u+": lambda _, right: +right,
    "<<": lambda left, right: left << right if right < 64 else _refuse(), ">>": operator.rshift,
    "**": lambda left, right: left**right if abs(left) < 1000 and right < 12 else _refuse(),
}  # fmt: skip
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "is": lambda left, right: left is right or (type(left) is type(right) and left == right),
    "is not": lambda left, right: not (left is right or (type(left) is type(right) and left == right)),
    "in": lambda left, right: left in right, "not in": lambda left, right: left not in right,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "int": int, "float": float, "str": str, "bool": bool, "abs": abs, "chr": chr, "ord": ord, "round": round, "min": min,
    "max": max, "repr": repr, "hex": hex, "bin": bin, "oct": oct, "ascii": ascii, "len": len,
}  # fmt: skip
_METHODS = frozenset(
    "lower upper strip lstrip rstrip title capitalize casefold swapcase replace startswith endswith find rfind index rindex count "
    "split rsplit splitlines partition rpartition removeprefix removesuffix join encode decode format isdigit isdecimal isnumeric "
    "isalpha isalnum isidentifier isupper islower isspace isascii istitle hex".split()
)
_ERRORS = (
    TypeError,
    ValueError,
    KeyError,
    IndexError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
)


def constant(value: Any) -> Value:
    """Return the value of a constant; a container's elements become fields."""
    if isinstance(value, str):
        return Value(constant=value, literal=value)
    if isinstance(value, dict):
        return _mapping(value)
    if isinstance(value, list | tuple | set | frozenset):
        shape = "list" if isinstance(value, list) else "tuple" if isinstance(value, tuple) else "set"
        items = sorted(value, key=repr) if shape == "set" else list(value)
        if len(items) > MAX_FIELDS:
            letters = "".join(items) if all(isinstance(one, str) and len(one) == 1 for one in items) else ""
            return Value(shape=shape, fields=((ANY, CLEAN),), literal=letters)
        fields = sorted((f"[{at}]", constant(item)) for at, item in enumerate(items))
        return Value(shape=shape, fields=tuple(fields))
    return Value(constant=value) if isinstance(value, Scalar) else CLEAN


def _mapping(value: Mapping[Any, Any]) -> Value:
    if len(value) > MAX_FIELDS:
        return Value(shape="dict", fields=((ANY, CLEAN),))
    return Value(
        shape="dict", fields=tuple(sorted((f"[{key!r}]", constant(item)) for key, item in value.items()))
    )


def plain(value: Value) -> Any:
    """Return the Python value, containers included, or UNKNOWN."""
    if value.constant is not UNKNOWN:
        return value.constant
    if (value.shape not in SEQUENCES and value.shape != "set") or not value.closed:
        return UNKNOWN
    items = [plain(item) for _, item in value.items()]
    if any(item is UNKNOWN for item in items):
        return UNKNOWN
    return tuple(items) if value.shape == "tuple" else items


def truth(value: Value) -> bool | None:
    """Return whether a value counts as true, None where that is not known."""
    if value.constant is not UNKNOWN:
        return bool(value.constant)
    if value.targets or value.classes:
        return None
    if value.closed and value.shape != "iterator":
        return bool(value.items()) or None
    return None


def computed(symbol: str, left: Value, right: Value) -> Value:
    """Return what an operator gives; without constants a text repeated stays as tainted as it was, numbers are clean."""
    one, other = plain(left), plain(right)
    if one is UNKNOWN or other is UNKNOWN or _large(one, other):
        return _open(symbol, left, right)
    try:
        return constant(_OPERATORS[symbol](one, other))
    except (*_ERRORS, OverflowError):
        return CLEAN


def _open(symbol: str, left: Value, right: Value) -> Value:
    if symbol == "*":
        return Value(merged(left.every(), right.every()), shape=left.shape or right.shape)
    if symbol == "|" and (left.shape == "dict" or right.shape == "dict"):
        return updated(left, right)
    if symbol in "|&^-" and "set" in (left.shape, right.shape):
        mine, its = left.every(), right.every() if symbol != "-" else ()
        taints = merged(mine, its) if symbol != "&" or (mine and its) else ()
        return Value(taints, shape="set", fields=((ANY, CLEAN),))
    return CLEAN


def updated(left: Value, right: Value) -> Value:
    """Return a dict with the items of another put over its own."""
    other = right.field(ANY)
    if right.taints or other is not None:
        anything = Value(right.taints) if other is None else other
        fields = tuple((name, joined(part, anything) if name != KEYS else part) for name, part in left.fields)
        left = replace(left, fields=fields)
    for name, part in right.fields:
        left = left.with_part(name, part)
    taints = merged(left.taints, right.taints)
    return left if taints == left.taints else Value(taints, UNKNOWN, "dict", left.fields)


def spread_together(spreads: list[Value]) -> Value:
    """Return one dict of all that a call spreads as keywords: ``f(**one, **other)``."""
    return functools.reduce(updated, spreads, Value(shape="dict"))


def compared(symbol: str, left: Value, right: Value) -> Value:
    """Return the truth of a comparison, where it is known."""
    if symbol == "not":
        known = truth(left)
        return CLEAN if known is None else Value(constant=not known)
    one, other = plain(left), plain(right)
    if symbol in ("in", "not in") and one is not UNKNOWN and right.shape == "dict" and right.closed:
        if right.field(KEYS) is not None:
            return CLEAN
        return Value(constant=(right.field(f"[{one!r}]") is not None) == (symbol == "in"))
    if left.name == "sys.version_info":
        known = _of_version(symbol, other)
        return CLEAN if known is None else Value(constant=known)
    if one is UNKNOWN or other is UNKNOWN:
        return CLEAN
    try:
        return Value(constant=bool(_COMPARISONS[symbol](one, other)))
    except _ERRORS:
        return CLEAN


def of_library(name: str) -> Value | None:
    """Return a constant of the standard library; None for all else."""
    return _NAMED.get(name)


def _of_version(symbol: str, asked: Any) -> bool | None:
    """Return what a comparison of the interpreter's version gives, where every Python that Flask runs on agrees."""
    if not isinstance(asked, tuple) or not asked or not all(isinstance(one, int) for one in asked):
        return None
    return _OF_OLD.get(symbol) if asked <= _OLDEST else None


def may_know(name: str, last: str) -> bool:
    """Tell whether ``called`` knows a function or a method of this name."""
    return name in _FUNCTIONS or last in _METHODS


def called(name: str, last: str, receiver: Value, args: tuple[Value, ...]) -> Value | None:
    """Return what a pure built-in function or a method of a known text gives; None where that is not known."""
    if name == "len" and len(args) == 1 and not args[0].known:
        return _length(args[0])
    given = []
    for arg in args:  # no generator: nearly every call of a method ends here
        item = plain(arg)
        if item is UNKNOWN:
            return None
        given.append(item)
    try:
        if isinstance(receiver.constant, str | bytes) and last in _METHODS:
            return _method(receiver.constant, last, given)
        if name in _FUNCTIONS and given and not _large(*given[:2]):
            return constant(_FUNCTIONS[name](*given))
    except (*_ERRORS, OverflowError):
        return None
    return None


def _method(text: str | bytes, last: str, given: list[Any]) -> Value | None:
    sizes = [len(item) for item in given if hasattr(item, "__len__")]
    if last == "format" or (len(text) + 1) * (max(sizes, default=0) + 1) > MAX_TEXT:
        return None
    result = getattr(text, last)(*given)
    return None if isinstance(result, list) and len(result) > MAX_FIELDS else constant(result)


def _length(value: Value) -> Value | None:
    if value.closed and value.shape in ("list", "tuple", "dict") and value.field(KEYS) is None:
        return Value(constant=len(value.items()))
    return None


def part_of(value: Value, key: Any) -> Value | None:
    """Return the character or the piece of a known text, or the piece of a list that a slice picks; None where open."""
    if isinstance(value.constant, str | bytes):
        try:
            return constant(value.constant[key])
        except _ERRORS:
            return CLEAN
    if isinstance(key, slice) and value.closed and value.shape in SEQUENCES:
        picked = [item for _, item in value.items()][key]
        return numbered(value.shape, picked)
    return None


def numbered(shape: str, items: list[Value]) -> Value:
    """Return a list of exactly these elements."""
    if len(items) > MAX_FIELDS:
        return Value(merged(*(item.every() for item in items)), shape=shape, fields=((ANY, CLEAN),))
    return Value(shape=shape, fields=tuple(sorted((f"[{at}]", item) for at, item in enumerate(items))))


def slice_of(value: Value) -> slice | None:
    """Return the slice that a value of shape ``slice`` is, None where a bound is not known."""
    bounds = [part.constant for _, part in value.fields]
    if len(bounds) != 3 or any(bound is not None and not isinstance(bound, int) for bound in bounds):
        return None
    return slice(*bounds)


def _large(*given: Any) -> bool:
    lengths = [len(item) for item in given if hasattr(item, "__len__")]
    numbers = [abs(item) for item in given if isinstance(item, int | float)]
    grown = (sum(lengths) or 1) * (max(numbers, default=1) if lengths else 1)
    return grown > MAX_TEXT or max(numbers, default=0) > MAX_NUMBER


def _refuse() -> Any:
    raise OverflowError


_OLDEST = (3, 9)
"""The oldest Python that a Flask of today runs on."""
_OF_OLD = {">=": True, ">": True, "<": False, "<=": False}
_NAMED = {
    **{
        f"string.{name}": constant(getattr(string, name))
        for name in ("ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits", "hexdigits", "octdigits", "punctuation", "whitespace")
    },
    "sys.version_info.major": constant(3), "six.PY2": constant(False), "six.PY3": constant(True),
}  # fmt: skip
