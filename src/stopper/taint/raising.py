"""Raising: the data that exceptions carry from where they are raised to who catches them.

What is on its way is kept beside the variables, under the names of the classes of each exception. A handler takes what its
classes name; what is raised where a handler waits goes no further, and nothing goes further than ``MAX_LEVELS`` calls.
"""

from __future__ import annotations

import builtins
from typing import Any

from stopper.taint.constants import numbered
from stopper.taint.domain import CLEAN, Value, merged, together
from stopper.taint.ir import Catch, Function
from stopper.taint.program import Program

FLYING = "%raised"
"""The variable that holds what was raised on the way here."""
BUILTIN = frozenset(
    name
    for name, thing in vars(builtins).items()
    if isinstance(thing, type) and issubclass(thing, BaseException)
)


MAX_LEVELS = 2
"""How many calls an exception is followed outwards through."""


def catching(function: Function) -> dict[int, tuple[int, ...]]:
    """Return the blocks whose exceptions handlers wait for that give them a name, with the blocks of the handlers."""
    found: dict[int, tuple[int, ...]] = function.once(FLYING, lambda: _caught(function))
    return found


def _caught(function: Function) -> dict[int, tuple[int, ...]]:
    blocks = function.blocks
    handlers = {at for at, block in enumerate(blocks) if block.ops and isinstance(block.ops[0], Catch)}
    ways = {
        at: tuple(edge.target for edge in block.edges if edge.target in handlers)
        for at, block in enumerate(blocks)
    }
    return {at: targets for at, targets in ways.items() if targets}


def outwards(raised: Value) -> Value:
    """Return what a call lets out, one level further out; what has come too far is left out."""
    fields = [
        (f".{int(name[1]) + 1}{name[2:]}", part) for name, part in raised.fields if int(name[1]) < MAX_LEVELS
    ]
    return Value(fields=tuple(fields)) if fields else CLEAN


def told(held: Value, args: tuple[Value, ...]) -> Value:
    """Return an exception that was made of these arguments."""
    taints = merged(held.taints, *[value.every() for value in args])
    return held.holding(taints, held.fields, held.constant).with_part(".args", numbered("tuple", list(args)))


def flying(raised: Value, program: Program) -> Value:
    """Return an exception under the names of its classes; nothing where it carries no data."""
    taints = raised.every()
    if not taints:
        return CLEAN
    held = tuple([(name, Value(part.every())) for name, part in raised.fields])
    flat = Value(raised.taints, fields=held, name=raised.name, classes=raised.classes)
    return Value(fields=tuple([(f".0|{'|'.join(names)}", flat) for names in _lineages(raised, program)]))


def together_flying(one: Value, other: Value) -> Value:
    """Return what flies of both."""
    if one.fields == other.fields:
        return one
    for name, part in other.fields:
        before = one.field(name)
        one = one.with_part(name, part if before is None else together([before, part]))
    return one


def caught(raised: Value, classes: frozenset[str]) -> Value:
    """Return what a handler takes of what was raised."""
    return together(
        [part for name, part in raised.fields if not classes or not classes.isdisjoint(name.split("|"))]
    )


def is_exception(owner: Any, program: Program) -> bool:
    """Tell whether a class of the project is an exception of no library."""
    return program.base(owner) in BUILTIN


def _lineages(raised: Value, program: Program) -> list[list[str]]:
    found = [
        [owner.name, *[base.name.rpartition(".")[2] for base in program.names.bases(owner)]]
        for owner in raised.classes
    ]
    made = getattr(builtins, raised.name.removesuffix("()"), None)
    if not found and isinstance(made, type):
        found.append([base.__name__ for base in made.__mro__[:-1]])
    return [[*names, "Exception", "BaseException"] for names in found]
