"""Flags: a variable that tells which way was taken, so that a test of it is a test of what was asked on that way.

``valid = False``, ``if name.isalnum(): valid = True``, ``if not valid: abort(400)``; and ``error = None``,
``if not name.isalnum(): error = "..."``, ``if error is None: ...``; and a list of errors that is still empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from stopper.records import dataclass
from stopper.taint.change import Change
from stopper.taint.ir import (
    AccessPath,
    Assign,
    Build,
    Call,
    Compare,
    Constant,
    Edge,
    Function,
    Join,
    Op,
    Operand,
    Return,
    Store,
)
from stopper.taint.outcomes import Asked

_GROWING = frozenset(("append", "extend", "add", "insert", "update", "__setitem__", "setdefault"))
_SHRINKING = frozenset(("clear", "pop", "popitem", "remove", "discard"))
_CHANGING = _GROWING | _SHRINKING
_TRANSLATED = frozenset(("_", "gettext", "lazy_gettext", "_l"))
_UNLIKELY = 12
"""With more ways to set it than these a variable is no flag."""

_LARGE = 300
"""With more blocks than these a function is not looked through for what leads to where a flag is set."""


class Guards(Protocol):
    """The guards of one function, as far as they are asked here."""

    function: Function

    def op(self, operand: Operand, /) -> Op | None:
        """Return the operation that made a value."""

    def changes(self, test: Operand, truth: bool, /) -> list[Change]:
        """Return what is known where ``test`` came out as ``truth``."""


@dataclass(slots=True)
class _Setting:
    """A place where a flag is set."""

    block: int
    truth: bool | None
    """Whether what it is set to is true; None where that is not known."""
    source: Operand | None = None
    """What is assigned to it."""

    def says(self, asked: Asked) -> bool | None:
        """Tell whether the flag passes a test where it was set here; None where that is not known."""
        if not asked.constants:
            return self.truth
        (constant,) = asked.constants
        if isinstance(self.source, Constant):
            return bool(self.source.value == constant)
        return False if constant is None and self.truth is not None else None


def flag_changes(guards: Guards, test: Operand, *, truth: bool) -> list[Change]:
    """Return what a test of a flag says of what was tested before the flag was set."""
    flag, asked = _asked(guards, test, truth)
    function = guards.function
    if flag is None or function.loops or len(function.blocks) > _LARGE:
        return []
    settings = list(_settings(guards, flag))
    if len(settings) == 1 and isinstance(settings[0].source, AccessPath):
        flag = settings[0].source
    if flag.base[0] == "%":
        settings = _left_standing(guards, flag)
    said = [one.says(asked) for one in settings]
    if not 1 < len(settings) <= _UNLIKELY or said.count(None) > (not asked.constants):
        return []
    fits = [one for one, says in zip(settings, said, strict=True) if says in (asked.holds, None)]
    others = {one.block for one in settings if one not in fits}
    uses = _places(function).tests.get(test) or _places(function).returned.get(test, [])
    if len(fits) != 1 or fits[0].block in others:
        return []
    if fits[0].block == settings[0].block and uses:
        found = [change for number in others for change in _not_taken(guards, others, number, uses)]
    else:
        found = _taken(guards, fits[0].block)
    if None in said and fits[0].source is not None:
        found += guards.changes(fits[0].source, asked.holds)
    steady = function.definitions.keys() | function.params  # what these hold is still what was tested
    return [change for change in found if change.path.base in steady]


def _left_standing(guards: Guards, flag: AccessPath) -> list[_Setting]:
    """Return where a result is set that is no variable: ``status = 200 if x else 400``, ``valid = x and y``.

    Of ``x and y`` the first part is the result only where it is not true.
    """
    settings = list(_settings(guards, flag))
    blocks = {one.block for one in settings}
    for one in settings:
        edges = guards.function.blocks[one.block].edges if one.truth is None else ()
        ways = {edge.truth for edge in edges if edge.test == one.source and edge.target not in blocks}
        one.truth = ways.pop() if len(ways) == 1 else one.truth
    return settings


def _asked(guards: Guards, test: Operand, truth: bool) -> tuple[AccessPath | None, Asked]:
    """Return the flag that is tested, and what is asked of it."""
    made = guards.op(test)
    if isinstance(made, Compare) and isinstance(made.left, AccessPath) and isinstance(made.right, Constant):
        if made.operator not in ("is", "is not", "==", "!="):
            return None, Asked()
        equal, constant = truth == (made.operator in ("is", "==")), made.right.value
        truths = isinstance(constant, bool)
        return made.left, Asked(holds=equal == constant) if truths else Asked("", equal, (constant,))
    if not isinstance(test, AccessPath):
        return None, Asked()
    result = test.base[0] != "%" or len(_places(guards.function).changes.get(test, ())) > 1
    return test if result else None, Asked(holds=truth)


def _settings(guards: Guards, flag: AccessPath) -> Iterator[_Setting]:
    """Yield where a flag is set, in the order of the blocks."""
    for number, op in _places(guards.function).changes.get(flag, ()):
        if isinstance(op, Assign):
            yield _Setting(number, _truth(guards, op.source), op.source)
        else:
            grows = isinstance(op, Store) or (isinstance(op, Call) and op.last in _GROWING)
            yield _Setting(number, truth=True if grows else None)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a function changes, tests and returns its variables, and what leads to each block."""

    changes: dict[AccessPath, list[tuple[int, Op]]]
    tests: dict[Operand, list[int]]
    returned: dict[Operand, list[int]]
    leading: dict[int, list[tuple[int, Edge]]]


def _places(function: Function) -> _Places:
    found: _Places = function.once("flags", lambda: _looked_up(function))
    return found


def _looked_up(function: Function) -> _Places:
    places = _Places({}, {}, {}, {})
    for number in function.order:
        block = function.blocks[number]
        for op in block.ops:
            changed: Any = None
            if isinstance(op, Return):
                places.returned.setdefault(op.source, []).append(number)
            if isinstance(op, Call) and op.last in _CHANGING:
                changed = op.receiver
            elif isinstance(op, Store):
                changed = op.base
            for path in (changed, getattr(op, "target", None)):
                if isinstance(path, AccessPath) and (path.base[0] != "%" or isinstance(op, Assign)):
                    places.changes.setdefault(path, []).append((number, op))
        for test in {edge.test for edge in block.edges if edge.test is not None}:
            places.tests.setdefault(test, []).append(number)
        for edge in block.edges:
            places.leading.setdefault(edge.target, []).append((number, edge))
    return places


def _truth(guards: Guards, source: Operand) -> bool | None:
    if isinstance(source, Constant):
        return bool(source.value)
    made = guards.op(source)
    if isinstance(made, Build):
        return bool(made.items)
    if isinstance(made, Join):
        return True if any(isinstance(part, Constant) and part.value for part in made.parts) else None
    return True if isinstance(made, Call) and made.last in _TRANSLATED else None


def _taken(guards: Guards, number: int) -> list[Change]:
    """Return what is known of who came by a block: what was asked on the one way that leads to it."""
    found: list[Change] = []
    leading = _places(guards.function).leading
    for _ in guards.function.blocks:
        if len(leading.get(number, ())) != 1:
            break
        number, edge = leading[number][0]
        if edge.test is not None:
            found += guards.changes(edge.test, edge.truth)
    return found


def _not_taken(guards: Guards, closed: set[int], number: int, uses: list[int]) -> list[Change]:
    """Return what is known of who did not come by a block, but by all that lead to it."""
    return [
        change
        for before, edge in _places(guards.function).leading.get(number, ())
        if edge.test is not None and before not in closed
        if not _reaches(guards.function, uses, {before, *closed})
        for change in guards.changes(edge.test, not edge.truth)
    ]


def _reaches(function: Function, uses: list[int], closed: set[int]) -> bool:
    """Tell whether a way leads to the uses that leaves some blocks aside; ``closed`` is used up."""
    waiting = [0]
    while waiting:
        at = waiting.pop()
        if at in closed:
            continue
        closed.add(at)
        if at in uses:
            return True
        waiting += [edge.target for edge in function.blocks[at].edges]
    return False
