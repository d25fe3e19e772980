"""Single steps of propagation that need no state of a function."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stopper.taint.domain import ANY, SEQUENCES, UNKNOWN, Taint, Target, Value, joined, merged
from stopper.taint.ir import AccessPath, Assign, Call, Function, Op, Operand, Store
from stopper.taint.prefixes import begun_anew, local_path
from stopper.taint.strings import HEADERS

_SAME_BEGINNING = frozenset(
    ("lower", "upper", "casefold", "rstrip", "removesuffix", "encode", "decode", "get")
)
"""The methods of a text that leave its first letters where they are."""

MAX_WEIGHT = 2_000
"""How much one value may be made of; a list that is put into itself in a loop would grow without end."""


def accepts(kind: str, taint: Taint) -> bool:
    """Tell whether a source's data matters to a sink: exceptions to pages only, the host name to links only."""
    if taint.kind == "parameter":
        return True
    if (kind == "error-details") != (taint.kind == "exception"):
        return False
    return "host" not in taint.marks or kind in ("ssrf", "sql", "command")


def path_joined(args: tuple[Value, ...], op: Call, note: str, keywords: dict[str, Value]) -> Value:
    """Return what a function that joins paths makes of its arguments."""
    taints = merged(*(value.every() for value in (*args, *keywords.values())))
    built = ("path", "built") if len(args) > 1 else ("path",)
    return Value(tuple(taint.marked(*built).hop(op.at, note) for taint in taints))


def after_method(taint: Taint, op: Call, args: tuple[Value, ...]) -> Taint:
    """Return the taint after a method of the value was called."""
    if op.last == "replace" and args and args[0].known:
        if args[0].constant == "\\":
            return taint.marked("slashes")
        if args[0].constant in ("\n", "\r\n", "\r"):
            return taint.cleaned(("log", "header", "mail"))
    if op.last in ("get", "getlist") and taint.source == HEADERS:
        return taint.marked("one-line")
    if op.last in ("save", "read", "stream"):
        return taint.marked("stream")
    if op.last not in _SAME_BEGINNING:
        taint = begun_anew(taint)
    return taint.hop(op.at, f"goes through .{op.last}()") if op.last not in ("get", "getlist") else taint


def shift(op: Call) -> int:
    """Return 1 for a call of a method, whose first parameter is the receiver."""
    owner = getattr(op.callee, "owner", None)
    static = any(getattr(item, "id", "") == "staticmethod" for item in getattr(op.callee, "decorators", ()))
    return 1 if owner is not None and op.receiver is not None and not static else 0


def common(every: Iterable[frozenset[str]]) -> frozenset[str]:
    """Return what all groups share; nothing where there is none."""
    groups = list(every)
    return frozenset.intersection(*groups) if groups else frozenset()


def left_clean(value: Value, own: set[int]) -> frozenset[str]:
    """Return the kinds that a parameter is safe for, as one exit leaves it."""
    left = [taint for taint in value.every() if taint.parameter in own]
    return common(taint.clean | local_path(taint.marks) for taint in left)


def aliases(function: Function) -> dict[str, list[str]]:
    """Return the variables that are other names of what each variable holds, as both are assigned once: ``other = table``."""
    found: dict[str, list[str]] = {}
    for name, made in function.definitions.items():
        source = made.source if isinstance(made, Assign) and name[0] != "%" else None
        if isinstance(source, AccessPath) and source.base in function.definitions and source.base[0] != "%":
            found.setdefault(source.base, []).append(name)
    return found


def from_start(holder: Value, part: str) -> str:
    """Return the place in a list that is counted from its end, ``[-1]``, counted from its start; anywhere, where that is not known."""
    if part[:2] != "[-" or holder.shape not in SEQUENCES:
        return part
    place = len(holder.items()) + int(part[1:-1]) if part[2:-1].isdecimal() and holder.closed else -1
    return f"[{place}]" if place >= 0 else ANY


def depth(value: Value) -> int:
    """Return how deeply the fields of a value nest."""
    return 1 + max((depth(part) for _, part in value.fields), default=0) if value.fields else 0


def bounded(value: Value) -> Value:
    """Return a value, with its parts no longer told apart where there are too many of them."""
    if not (value.fields or value.targets) or value.weight <= MAX_WEIGHT:
        return value
    held = [one.every() for target in value.targets for one in target.held()]
    flat = value.flat(merged(*held))
    targets = tuple([Target(target.scope, target.name) for target in value.targets])
    return Value(flat.taints, UNKNOWN, value.shape, flat.fields, "", value.name, targets, value.classes)


def is_number(operand: Operand | None) -> bool:
    """Tell whether an operand names a type of numbers."""
    return operand is not None and str(operand).rpartition(".")[2] in (
        "int",
        "float",
        "bool",
        "UUID",
        "Decimal",
    )


def sets_type(op: Op) -> bool:
    """Tell whether an operation gives a response another content type than HTML."""
    if not isinstance(op, Store):
        return False
    part = op.part.strip(".[]'\"").lower().replace("-", "_")
    return part in ("content_type", "mimetype") and not any(
        word in str(op.source) for word in ("html", "svg")
    )


def joined_states(one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    """Return what is known where two ways meet: ``one`` itself, where the other adds nothing to it.

    A variable that only one way sets may hold what that way put there.
    """
    result, held = one, one.get
    for name, value in other.items():
        before = held(name)
        if before is value:
            continue
        after = value if before is None else joined(before, value)
        if after is not before:
            result = dict(one) if result is one else result
            result[name] = after
    return result


def index(part: str) -> Any:
    """Return the key that a field's name stands for: a number or a text."""
    text = part[1:-1]
    if text.removeprefix("-").isdecimal():
        return int(text)
    return text[1:-1] if text[:1] in "'\"" else None
