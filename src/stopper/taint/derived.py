"""What was made of a value before it was tested: a longer text, a path, a list. The test says the same of the value in there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stopper.taint.ir import (
    AccessPath,
    Assign,
    Build,
    Call,
    Compare,
    Compute,
    Function,
    Join,
    Load,
    Op,
    Operand,
)

_BUILDING = frozenset(
    (
        "join",
        "joinpath",
        "/",
        "Path",
        "PurePath",
        "str",
        "fspath",
        "abspath",
        "normpath",
        "realpath",
        "resolve",
        "encode",
    )
)
"""The calls that leave their arguments in what they give, letter by letter; paths are made plain."""
_DEEP = 8
"""How many operations are followed back from what was made to what it was made of."""


def derived(function: Function) -> Mapping[str, tuple[str, ...]]:
    """Return the names of what a function makes of each variable, and of nothing else that comes from the same place."""
    found: Mapping[str, tuple[str, ...]] = function.once("derived", lambda: _found(function))
    return found


def _found(function: Function) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name in function.definitions:
        for source in _sources(function, name):
            found.setdefault(source, []).append(name)
    return {source: tuple(names) for source, names in found.items()}


def _sources(function: Function, name: str) -> Iterator[str]:
    """Yield the variables that one was built of: where two come from the same place, neither is known by itself."""
    for _ in range(_DEEP):
        parts = [part.base for part in _parts(function.definitions.get(name)) if isinstance(part, AccessPath)]
        origins = [_origins(function, part) for part in parts]
        own = [
            part
            for part, origin in zip(parts, origins, strict=True)
            if all(origin.isdisjoint(other) for other in origins if other is not origin)
        ]
        moving = [part for part in own if part in function.definitions or _is_given(function, part)]
        yield from moving
        if len(moving) != 1:
            return
        name = moving[0]


def _is_given(function: Function, name: str) -> bool:
    return name in function.params and name not in function.rebound


def _parts(op: Op | None) -> tuple[Operand, ...]:
    """Return what stands in what an operation gives."""
    if isinstance(op, Assign):
        return (op.source,)
    if isinstance(op, Join):
        return op.parts
    if isinstance(op, Build):
        return tuple([item for _, item in op.items])
    if not isinstance(op, Call) or op.last not in _BUILDING or op.callee is not None:
        return ()
    return op.args if op.receiver is None else (op.receiver, *op.args)


def _origins(function: Function, name: str) -> frozenset[str]:
    """Return the variables that are not computed here of which one is made in the end."""
    found: set[str] = set()
    waiting, seen = [name], {name}
    while waiting:
        at = waiting.pop()
        made = function.definitions.get(at)
        operands = _operands(made)
        if made is None or not operands:
            found.add(at)
        more = {one.base for one in operands if isinstance(one, AccessPath)} - seen
        seen |= more
        waiting += more
    return frozenset(found)


def _operands(op: Op | None) -> tuple[Operand | None, ...]:
    """Return everything that an operation reads."""
    if isinstance(op, Load):
        return (op.base, op.key)
    if isinstance(op, Compute | Compare):
        return (op.left, op.right)
    if isinstance(op, Call):
        return (op.receiver, op.function, *op.args, *[value for _, value in op.keywords])
    return _parts(op)
