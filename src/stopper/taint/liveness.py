"""Liveness: which variables nothing reads any more once a block is left, so that states need not carry them on.

Whoever looks at an operation may ask where its operands come from: guards, sinks, and stores into what another variable holds.
So a variable is read where it is an operand, and where it is an operand of what made an operand, and so on. Kept to the end
are parameters, for the callers, and all variables of a module, of a class, and of a function that others stand in or that asks
for ``locals()``; there, only temporaries are given up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from collections.abc import Set as AbstractSet
from typing import Any

from stopper.records import dataclass, field
from stopper.source.module import Kind
from stopper.taint.ir import (
    AccessPath,
    Assign,
    Block,
    Build,
    Call,
    Compare,
    Compute,
    Define,
    Function,
    Join,
    Load,
    Operand,
    Raise,
    Return,
    Share,
    Store,
)

_ASKING = frozenset(("locals", "setFeature"))
"""Calls that any variable may be looked at for."""
_NOTHING = frozenset[str]()
_BASE = re.compile(r"[.\[]")


def dead_behind(function: Function, cells: Collection[str] = ()) -> tuple[AbstractSet[str], ...]:
    """Return for each block the variables that it may hold and that nothing reads once it is left.

    With them the cells of what was read of a variable that a loop gives anew behind the block.
    """
    if function.dead is None:
        function.dead = _worked_out(function) if len(function.blocks) > 1 else (frozenset(),)
        if cells and function.loops:
            function.dead = _with_cells(function, cells, function.dead)
    return function.dead


def _with_cells(
    function: Function, cells: Collection[str], dead: tuple[AbstractSet[str], ...]
) -> tuple[AbstractSet[str], ...]:
    """Return the dead variables with the cells of what was read of a variable that the next block makes."""
    made = [{op.target.base for op in block.ops if isinstance(op, Assign)} for block in function.blocks]
    based = [(cell, _BASE.split(cell[1:], maxsplit=1)[0]) for cell in cells]
    found = []
    for block, gone in zip(function.blocks, dead, strict=True):
        behind = set().union(*[made[edge.target] for edge in block.edges])
        read = {cell for cell, base in based if base in behind}
        found.append(gone | read if read else gone)
    return tuple(found)


def looked_at(function: Function) -> AbstractSet[str]:
    """Return the parameters that a function reads, or that a function inside it or ``locals()`` may."""
    if _open(function):
        return frozenset(function.params)
    edges = [edge.test for block in function.blocks for edge in block.edges]
    operands = [one for op in function.ops() for one in _OPERANDS.get(type(op), _none)(op)]
    return {one.base for one in (*operands, *edges) if isinstance(one, AccessPath)}


@dataclass(slots=True)
class _Use:
    """What one block does with variables."""

    made: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    """What it reads that another block may have made."""
    touched: set[str] = field(default_factory=set)
    """What it reads, but for the temporaries that it makes."""


def _worked_out(function: Function) -> tuple[AbstractSet[str], ...]:
    origins: dict[str, set[str]] = {}
    uses = [_use(block, origins) for block in function.blocks]
    reached: dict[str, set[str]] = {}
    needed = [
        use.read.union(*[_reached(name, origins, reached) for name in use.touched if name in origins])
        for use in uses
    ]
    before: list[set[str]] = [set() for _ in uses]
    after = list(before)
    changed = True
    while changed:
        changed = False
        for number in reversed(function.order):
            after[number] = set().union(*[before[edge.target] for edge in function.blocks[number].edges])
            alive = needed[number] | (after[number] - uses[number].made)
            if len(alive) != len(before[number]):
                before[number], changed = alive, function.loops
    given_up = _given_up(function, uses)
    held = [use.made for use in uses]
    held[0] |= function.free
    for block, alive in zip(function.blocks, after, strict=True):
        for edge in block.edges:
            held[edge.target] |= alive
    return tuple([(given_up & there) - alive or _NOTHING for there, alive in zip(held, after, strict=True)])


def _use(block: Block, origins: dict[str, set[str]]) -> _Use:
    """Return what a block reads and makes, and note what each variable is made of."""
    use = _Use()
    made, touched = use.made, use.touched
    for op in block.ops:
        operands = _OPERANDS.get(type(op))
        names = [one.base for one in operands(op) if isinstance(one, AccessPath)] if operands else []
        for name in names:
            if name not in made:
                use.read.add(name)
                touched.add(name)
            elif name[0] != "%":
                touched.add(name)
        target = getattr(op, "target", None)
        if target is not None:
            made.add(target.base)
            origins.setdefault(target.base, set()).update(names)
    tests = {edge.test.base for edge in block.edges if isinstance(edge.test, AccessPath)}
    use.read.update(tests - made)
    touched.update([name for name in tests if name[0] != "%" or name not in made])
    return use


def _reached(start: str, origins: dict[str, set[str]], known: dict[str, set[str]]) -> set[str]:
    """Return the variables that one is made of, and those are made of; of a temporary the temporaries as well."""
    found = known.get(start)
    if found is None:
        found = known[start] = {name for name in _followed(start, origins, "") if name[0] != "%"}
        if start[0] == "%":
            found |= _followed(start, origins, "%")
    return found


def _followed(start: str, origins: dict[str, set[str]], kind: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for name in origins.get(waiting.pop(), ()):
            if name not in found and name.startswith(kind):
                found.add(name)
                waiting.append(name)
    return found


def _given_up(function: Function, uses: list[_Use]) -> set[str]:
    """Return the variables that may be given up anywhere."""
    every = set().union(*[use.made for use in uses])
    if _open(function):
        return {name for name in every if name[0] == "%"}
    return (every | function.free).difference(function.params)


def _open(function: Function) -> bool:
    """Tell whether others than a function's own operations may look at its variables."""
    closed = getattr(function.scope, "kind", None) is Kind.FUNCTION and not function.scope.children
    asks = any(isinstance(op, Call) and op.last in _ASKING for op in function.ops())
    return not closed or asks or not _ASKING.isdisjoint(function.free)


def _none(_: Any) -> Iterable[Operand | None]:
    return ()


_OPERANDS: dict[type, Callable[[Any], Iterable[Operand | None]]] = {
    Call: lambda op: (op.receiver, op.function, *op.args, *[value for _, value in op.keywords]),
    Load: lambda op: (op.base, op.key),
    Store: lambda op: (op.base, op.key, op.source),
    Assign: lambda op: (op.source,),
    Share: lambda op: (op.source,),
    Return: lambda op: (op.source,),
    Raise: lambda op: (op.source,),
    Join: lambda op: op.parts,
    Build: lambda op: [value for _, value in op.items],
    Compare: lambda op: (op.left, op.right),
    Compute: lambda op: (op.left, op.right),
    Define: lambda op: op.decorators,
}
