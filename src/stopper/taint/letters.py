"""Letters: what a test of every letter of a text says of the text."""

from __future__ import annotations

from typing import Protocol

from stopper.taint import characters
from stopper.taint.change import Change
from stopper.taint.domain import Value
from stopper.taint.ir import AccessPath, Call, Compare, Compute, Load, Op, Operand


class Guards(Protocol):
    """The guards of one function, as far as they are asked here."""

    def read(self, operand: Operand, /) -> Value:
        """Return what is known of an operand."""

    def op(self, operand: Operand, /) -> Op | None:
        """Return the operation that made a value."""

    def sources(self, operand: Operand, /) -> list[Operand]:
        """Return every value that is assigned to a variable."""

    def subject(self, operand: Operand, /) -> tuple[AccessPath | None, list[str]]:
        """Return the variable that a tested value is made from."""


def letter_changes(guards: Guards, tested: Operand, *, refused: bool) -> list[Change]:
    """Return what ``all(letter.isalnum() for letter in text)`` says, and ``any(letter in BAD ...)`` that was ``refused``."""
    items: list[tuple[str, Operand]] = list(getattr(guards.op(tested), "items", ()))
    told = [
        _letter(guards, source, refused=refused) for _, item in items[:1] for source in guards.sources(item)
    ]
    paths = {path for path, _ in told}
    if len(paths) != 1:
        return []
    allowed = frozenset[int]().union(*(one for _, one in told))
    path = next(iter(paths))
    return [Change(path, characters.harmless(allowed))] if path is not None else []


def subset_changes(guards: Guards, op: Op | None, *, truth: bool) -> list[Change]:
    """Return what ``set(text) <= ALLOWED`` says, in any of its ways: no letter of the text is another."""
    asked = _subset(op, truth=truth)
    if asked is None:
        return []
    part, whole = asked
    made = guards.op(part)
    if isinstance(made, Call) and made.last in ("set", "frozenset") and made.receiver is None and made.args:
        part = made.args[0]
    elif not isinstance(op, Call):
        return []  # two texts or two numbers are compared
    path, ways = guards.subject(part)
    allowed = characters.of_value(guards.read(whole))
    return [Change(path, characters.harmless(allowed))] if path is not None and not ways and allowed else []


def _subset(op: Op | None, *, truth: bool) -> tuple[Operand, Operand] | None:
    """Return what is a part, and of what, where a test came out as ``truth``."""
    if isinstance(op, Compute) and op.operator == "-" and not truth:
        return op.left, op.right
    if isinstance(op, Compare) and op.operator in ("<=", ">=") and truth:
        return (op.left, op.right) if op.operator == "<=" else (op.right, op.left)
    if not isinstance(op, Call) or op.last not in ("issubset", "issuperset") or not op.args or not truth:
        return None
    if op.receiver is None:
        return None
    return (op.receiver, op.args[0]) if op.last == "issubset" else (op.args[0], op.receiver)


def _letter(
    guards: Guards, test: Operand, *, refused: bool
) -> tuple[AccessPath | None, characters.Characters]:
    """Return the text that a test of one letter is about, and the letters that get through."""
    op = guards.op(test)
    if isinstance(op, Compare) and op.operator == "not":
        return _letter(guards, op.left, refused=not refused)
    letter: Operand | None = None
    allowed: characters.Characters | None = None
    if isinstance(op, Call) and op.receiver is not None:
        letter, allowed = op.receiver, characters.of_method(op.last)
    elif isinstance(op, Compare) and op.operator in ("in", "not in", "==", "!="):
        letter, allowed = op.left, characters.of_value(guards.read(op.right))
        refused = refused != (op.operator in ("not in", "!="))
    source = guards.op(letter) if letter is not None else None
    if allowed is None or not isinstance(source, Load) or source.part not in ("[*]", "[each]"):
        return None, frozenset()
    return guards.subject(source.base)[0], characters.without(allowed) if refused else allowed
