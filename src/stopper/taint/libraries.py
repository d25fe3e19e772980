"""Libraries: what a function or a method that is not the project's own gives back for what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from stopper.taint.domain import ALL, CLEAN, Taint, Value, joined, merged
from stopper.taint.ir import Call
from stopper.taint.models import Models
from stopper.taint.steps import after_method, is_number, path_joined
from stopper.taint.strings import loaded

_TEXT = frozenset(("str", "json.dumps", "simplejson.dumps", "ascii", "format"))
_ANSWERS = frozenset(("startswith", "endswith", "count", "index", "find", "validate", "exists"))
_TAKES = frozenset(("join", "replace"))


def result(
    models: Models, op: Call, receiver: Value, args: tuple[Value, ...], keywords: Mapping[str, Value]
) -> Value:
    """Return what a library's function gives: clean, where no model names it and no tainted object has it as a method."""
    given = merged(receiver.every(), *(value.every() for value in (*args, *keywords.values())))
    if not given:
        return CLEAN
    name = op.name or (op.last if op.receiver is None else "")
    cleaned = frozenset(kind for entry in models.find("sanitizer", name, op.last) for kind in entry.kinds)
    if cleaned:
        return CLEAN if ALL in cleaned else Value(tuple(taint.cleaned(cleaned) for taint in given))
    for entry in models.find("propagator", name):
        return _carried(op, given, args, keywords, entry.marks)
    if op.last in ("join", "format", "format_map") and op.receiver is not None:
        taints = (taint.marked("built").hop(op.at, f"goes through .{op.last}()") for taint in given)
        return Value(tuple(taints), literal=receiver.literal)
    if op.receiver is None or not receiver.every():
        return CLEAN
    return _method(op, receiver, args, keywords)


def _carried(
    op: Call,
    given: tuple[Taint, ...],
    args: tuple[Value, ...],
    keywords: Mapping[str, Value],
    marks: tuple[str, ...],
) -> Value:
    name = op.name or op.last
    note = f"goes through {op.last or name}()"
    if marks == ("path",):
        return path_joined(args, op, note, dict(keywords))
    shape = next((value.shape for value in args if value.shape), "")
    if name in _TEXT:
        given = tuple(replace(taint, marks=taint.marks - {"object"}) for taint in given)
    return Value(tuple(taint.marked(*marks).hop(op.at, note) for taint in given), shape=shape)


def _method(op: Call, receiver: Value, args: tuple[Value, ...], keywords: Mapping[str, Value]) -> Value:
    kind = keywords.get("type")
    if op.last == "get" and kind is not None and is_number(dict(op.keywords).get("type")):
        return CLEAN
    if op.last in ("get", "pop", "setdefault", "getlist") and args and args[0].known:
        value = loaded(receiver, f"[{args[0].constant!r}]")
        return joined(value, args[1]) if len(args) > 1 and args[1].every() else value
    if op.last.startswith("is") or op.last in _ANSWERS:
        return CLEAN
    taints = merged(receiver.every(), *(value.every() for value in args if op.last in _TAKES))
    return Value(tuple(after_method(taint, op, args) for taint in taints))
