"""Answers: what a test of an answer of the project's own function says of what the function was given."""

from __future__ import annotations

from typing import Protocol

from stopper.taint.change import Change
from stopper.taint.ir import AccessPath, Call, Compare, Constant, Load, Op, Operand
from stopper.taint.outcomes import TRUE, Asked
from stopper.taint.prefixes import unsettled

Verdicts = dict[int | str, frozenset[str]]
"""What a function has checked of its arguments, by their places and keywords."""
EQUALITIES = {"==": True, "in": True, "is": True, "!=": False, "not in": False, "is not": False}
"""Whether the operator says that both sides are, or may be, the same."""


class Guards(Protocol):
    """The guards of one function, as far as they are asked here."""

    def op(self, operand: Operand, /) -> Op | None:
        """Return the operation that made a value."""

    def subject(self, operand: Operand, /) -> tuple[AccessPath | None, list[str]]:
        """Return the variable that a tested value is made from, and what was done to it on the way."""

    def verdicts(self, call: Call, asked: Asked, /) -> Verdicts:
        """Return what a function of the project has checked where a test of its answer came out so."""


def asked_changes(guards: Guards, call: Call, asked: Asked = TRUE) -> list[Change]:
    """Return what is known of the arguments of a call of the project's own function where a test of its answer came out so."""
    verdicts = guards.verdicts(call, asked)
    changes: list[Change] = []
    if (call.callee is None or asked != TRUE) and not any(verdicts.values()):
        return []  # what is called is a value and may be anything, or nothing was to be expected
    given: list[tuple[int | str, Operand]] = [*enumerate(call.args), *call.keywords]
    for key, arg in given:
        path, _ = guards.subject(arg)
        kinds = verdicts.get(key, frozenset())
        if path is not None:
            changes.append(Change(path, kinds, unsettled(kinds, call.last), frozenset(("asked",))))
    return changes


def part_changes(guards: Guards, made: Op | None, *, truth: bool) -> list[Change]:
    """Return what a test of a part of an answer says: ``valid, why = judge(name)`` with ``if not valid``."""
    call, part = _answer(guards, made)
    return asked_changes(guards, call, Asked(part, truth)) if call is not None and part else []


def compared_changes(guards: Guards, op: Compare, *, truth: bool) -> list[Change]:
    """Return what a comparison of an answer with a constant says: ``if problem(name) is None``."""
    equal = EQUALITIES.get(op.operator)
    if equal is None or op.operator in ("in", "not in"):
        return []
    for answer, other in ((op.left, op.right), (op.right, op.left)):
        call, part = _answer(guards, guards.op(answer)) if isinstance(other, Constant) else (None, "")
        if call is not None and isinstance(other, Constant):
            return asked_changes(guards, call, Asked(part, equal == truth, (other.value,)))
    return []


def _answer(guards: Guards, made: Op | None) -> tuple[Call | None, str]:
    """Return the call of the project's own that gave a value or, with the name of a part, what the value is a part of."""
    part = ""
    if isinstance(made, Load) and made.part[:1] == "[":
        part, made = made.part, guards.op(made.base)
    if isinstance(made, Call) and (made.callee is not None or made.function is not None):
        return made, part
    return None, ""
