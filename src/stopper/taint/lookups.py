"""Lookups: where a row was found by what a client sent, only what the database holds has come this far."""

from __future__ import annotations

from collections.abc import Iterator

from stopper.source.module import Kind
from stopper.taint.change import Change, Reader
from stopper.taint.ir import AccessPath, Call, Compare, Op, Operand

LOOKED_UP = "looked-up"
"""The mark of data that is the same as what a row holds."""
_ONE = frozenset(("first", "one_or_none", "scalar", "scalar_one_or_none", "get", "get_or_none"))
"""The last step of a query that gives one row, or nothing."""
INSISTING = frozenset(
    ("get", "first_or_404", "get_or_404", "one", "one_or_404", "scalar_one", "get_one", "first_or_fail")
)
"""The last step of a query that gives one row, or raises."""
_CONDITIONS = frozenset(("filter", "filter_by", "where"))
_STEPS = 6
"""Over how many steps of a query its conditions are looked for."""


def is_query(op: Op | None) -> bool:
    """Tell whether an operation asks for one row, or nothing; ``get`` may ask a dictionary as well."""
    return isinstance(op, Call) and op.last in _ONE and op.last != "get"


def lookup_changes(guards: Reader, op: Op, *, truth: bool) -> list[Change]:
    """Return what is known of the data that a row was asked by, where there is one."""
    return _changes(guards, op) if truth and isinstance(op, Call) and op.last in _ONE else []


def insisted_changes(guards: Reader, op: Call) -> list[Change]:
    """Return what is known of the data that a row was asked by, after a query that would have raised without one."""
    if op.last == "get" and not _is_model(guards, op):
        return []
    return _changes(guards, op)


def _is_model(guards: Reader, op: Call) -> bool:
    """Tell whether a class itself is asked, which raises where there is no such row: ``Zone.get(name)``."""
    asked = guards.read(op.receiver).targets if op.receiver is not None else ()
    return any(target.scope is not None and target.scope.kind is Kind.CLASS for target in asked)


def _changes(guards: Reader, op: Call) -> list[Change]:
    return [Change(path, marks=frozenset((LOOKED_UP,))) for path in _asked_by(guards, op)]


def _asked_by(guards: Reader, op: Call) -> Iterator[AccessPath]:
    """Yield what the conditions of a query compare columns with."""
    if op.last.startswith("get"):
        yield from _equals(guards, op.args[:2])
    step: Op | None = op
    if op.args and op.last.startswith(("scalar", "first_or", "one_or_404")):
        step = guards.op(op.args[0])
    for _ in range(_STEPS):
        if not isinstance(step, Call):
            return
        if step.last in _CONDITIONS:
            yield from _equals(guards, (*step.args, *(value for _, value in step.keywords)))
        step = guards.op(step.receiver) if step.receiver is not None else None


def _equals(guards: Reader, conditions: tuple[Operand, ...]) -> Iterator[AccessPath]:
    for condition in conditions:
        made = guards.op(condition)
        if isinstance(made, Compare):
            sides = (made.left, made.right) if made.operator == "==" else ()
            yield from (side for side in sides if isinstance(side, AccessPath))
        elif isinstance(condition, AccessPath):
            yield condition
