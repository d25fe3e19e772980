"""Reading again: ``request.args["to"]`` is tested in one place and read once more in another, and is the same data.

So is what a dict holds that is passed on as a whole after one of its keys was tested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from stopper.taint.domain import ANY, EACH, Taint, Value
from stopper.taint.ir import AccessPath, Assign, Call, Constant, Function, Load, Operand, Return, Store

NONE: dict[str, str] = {}
_OWN = {"flask.session": "session", "flask.g": "g"}
"""What is written without changing what a client sent."""
_Holders = dict[str, tuple[str, Operand]]
"""The variable and the key that each cell is kept under."""


def rereads(function: Function) -> dict[str, str]:
    """Return the cell of each temporary that holds what a function reads in several places, by its name."""
    found: dict[str, str] = function.once("rereads", lambda: _found(function))
    return found


def remembered(state: dict[str, Value], cell: str, value: Value) -> Value:
    """Return what is read with what was learnt of it where it was read before, and keep it for the next time."""
    before = state.get(cell)
    if before is not None and value.taints and before.taints:
        value = value.refined(lambda taint: _learnt(taint, before.taints))
    state[cell] = value
    return value


def has_keys(function: Function, path: AccessPath) -> bool:
    """Tell whether a function reads a value by keys: ``"name" in data`` then asks for a key, and says nothing of any text."""
    return any(
        (isinstance(op, Load) and op.part[:2] in ("['", '["') and op.base == path)
        or (isinstance(op, Call) and op.last == "get" and op.receiver == path)
        for op in function.definitions.values()
    )


def _learnt(taint: Taint, before: tuple[Taint, ...]) -> Taint:
    same = [one for one in before if one.source == taint.source and one.parameter == taint.parameter]
    if not same:
        return taint
    clean = frozenset.intersection(*(one.clean for one in same))
    marks = frozenset.intersection(*(one.marks for one in same))
    known = taint.within(taint.clean | clean, taint.marks | marks)
    return known.doubted(known.near or next((one.near for one in same if one.near), ""))


def kept_in(
    state: dict[str, Value], function: Function, cells: Iterable[str], read: Callable[[Operand], Value]
) -> None:
    """Put what was learnt of cells into the dicts that they were read from."""
    holders: _Holders = function.once("holders", dict)
    for cell in cells:
        base, key = holders.get(cell, ("", Constant(None)))
        value, learnt, name = state.get(base), state.get(cell), read(key).constant if base else None
        if (
            value is not None
            and learnt is not None
            and isinstance(name, str)
            and (value.taints or value.fields)
        ):
            state[base] = value.with_part(f"[{name!r}]", learnt)


def _found(function: Function) -> dict[str, str]:
    stable = function.free.union(name for name in function.params if name not in function.rebound)
    keys: dict[str, str] = {}
    stored: set[str] = set()
    holders: _Holders = function.once("holders", dict)
    for op in function.ops():
        if isinstance(op, Load):
            key = _part(op, stable) and _key(op.base, keys, function, stable)
            if key:
                keys[op.target.base] = cell = f"{key}{_part(op, stable)}"
                _hold(holders, f"={cell}", op.base, op.key or _constant(op.part))
        elif isinstance(op, Call) and op.last == "get" and op.receiver is not None and not op.keywords:
            key = _key(op.receiver, keys, function, stable)
            if key and op.args and all(isinstance(arg, Constant) for arg in op.args):
                keys[op.target.base] = cell = f"{key}[{op.args[0]}]"
                _hold(holders, f"={cell}", op.receiver, op.args[0])
        elif isinstance(op, Store):
            stored.add(f"{_OWN.get(op.name, '')}{op.part}")
    counts = Counter(keys.values())
    whole = _whole(function) if holders else frozenset[str]()
    found = {
        target: f"={key}"
        for target, key in keys.items()
        if (counts[key] > 1 or holders.get(f"={key}", ("",))[0] in whole)
        and not any(key.endswith(part) for part in stored)
    }
    return found or NONE


def _part(op: Load, stable: frozenset[str]) -> str:
    """Return what is read of a value, in words; "" where it may be another part each time."""
    if op.key is not None:
        steady = op.part == ANY and isinstance(op.key, AccessPath) and op.key.base in stable
        return f"[{op.key}]" if steady else ""
    return "" if op.part[:2] in ("[*", "[:", "[e") else op.part


def _constant(part: str) -> Constant:
    """Return the key that a field's name stands for; None for an attribute."""
    return Constant(part[2:-2] if part[:2] == "['" else None)


def _hold(holders: _Holders, cell: str, base: Operand, key: Operand) -> None:
    """Note in which variable's dict a cell is kept, and under which key."""
    if isinstance(base, AccessPath) and base.base[0] != "%" and key != Constant(None):
        holders[cell] = base.base, key


def _whole(function: Function) -> frozenset[str]:
    """Return the variables that others get to see as a whole: they are passed to a call, handed out, or were passed in."""
    found = {name for name in function.params if name not in function.rebound}
    for op in function.ops():
        given: tuple[Operand, ...] = ()
        if isinstance(op, Call):
            given = (*op.args, *[value for _, value in op.keywords])
        elif isinstance(op, Return):
            given = (op.source,)
        found.update(one.base for one in given if isinstance(one, AccessPath))
    return frozenset(found)


def _key(operand: Operand, keys: dict[str, str], function: Function, stable: frozenset[str]) -> str:
    """Return what is read, where it stays the same: a field of a parameter, of the request, of a variable that is set once."""
    if not isinstance(operand, AccessPath):
        return ""
    if operand.base[0] == "%":
        return keys.get(operand.base, "")
    once = operand.base in function.definitions and (not function.loops or _is_given(operand.base, function))
    return operand.base if once or operand.base in stable else ""


def _is_given(name: str, function: Function) -> bool:
    """Tell whether a loop gives a variable anew each time; what was read of it is given up before: see ``liveness``."""
    made = function.definitions.get(name)
    for _ in range(2):  # for member in ..., for key, value in ...
        made = (
            function.definitions.get(made.source.base)
            if isinstance(made, Assign) and isinstance(made.source, AccessPath)
            else made
        )
        if not isinstance(made, Load) or made.part == EACH:
            break
        made = function.definitions.get(made.base.base) if isinstance(made.base, AccessPath) else None
    return isinstance(made, Load) and made.part == EACH
