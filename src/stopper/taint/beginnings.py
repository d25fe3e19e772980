"""Beginnings: what a test of the first letters of a text says of it, as ``url[0] == "/"`` and ``url[:2] != "//"``."""

from __future__ import annotations

import re._constants as codes  # type: ignore[import-not-found] # the parser that re itself uses; typeshed leaves it out
from typing import NamedTuple, Protocol

from stopper.taint.answers import EQUALITIES
from stopper.taint.change import Change
from stopper.taint.characters import Characters, parsed
from stopper.taint.domain import UNKNOWN, Value
from stopper.taint.ir import AccessPath, Build, Compare, Constant, Load, Op, Operand
from stopper.taint.prefixes import FORMULA

_SLASH_FIRST = "a value that starts with a slash may still name a host, as '//evil.example' does"
_REFUSED: dict[tuple[int, int], dict[str, str]] = {
    (0, 1): {"/": "relative"},
    (0, 2): {"//": "one-slash", "/\\": "no-backslash"},
    (1, 1): {"/": "one-slash", "\\": "no-backslash"},
}
"""What is known where letters are not these, by the place of the first and by how many there are."""


class Guards(Protocol):
    """The guards of one function, as far as they are asked here."""

    def read(self, operand: Operand, /) -> Value:
        """Return what is known of an operand."""

    def op(self, operand: Operand, /) -> Op | None:
        """Return the operation that made a value."""

    def subject(self, operand: Operand, /) -> tuple[AccessPath | None, list[str]]:
        """Return the variable that a tested value is made from, and what was done to it on the way."""


class _Letters(NamedTuple):
    """Some of the first letters of a text."""

    text: Operand
    first: int
    many: int


def beginning_changes(guards: Guards, op: Compare, *, truth: bool) -> list[Change]:
    """Return what a comparison of a text's first letters with constants says of the text."""
    equal = EQUALITIES.get(op.operator)
    if equal is None:
        return []
    sides = [(op.left, op.right)]
    if op.operator in ("==", "!="):
        sides.append((op.right, op.left))
    for tested, other in sides:
        letters = _letters(guards, tested)
        path, ways = guards.subject(letters.text) if letters is not None else (None, [])
        if letters is not None and path is not None and not ways:
            return _told(letters, path, _texts(guards, other, letters.many), holds=equal == truth)
    return []


def begun(pattern: str, allowed: Characters | None) -> frozenset[str]:
    """Return how a text begins that a pattern lets through, and whether it may hold a backslash."""
    tree = parsed(pattern)
    if tree is None or allowed is None or ord("\\") in allowed:
        return frozenset()
    first = next((item for item in tree[0] if item[0] is not codes.AT), None)
    return frozenset(
        ("no-backslash", "slash-first") if first == (codes.LITERAL, ord("/")) else ("no-backslash",)
    )


def _told(letters: _Letters, path: AccessPath, texts: list[str], *, holds: bool) -> list[Change]:
    if not texts:
        return []
    if holds:
        slash = letters[1:] == (0, 1) and all(text == "/" for text in texts)
        return [Change(path, near=_SLASH_FIRST, marks=frozenset(("slash-first",)))] if slash else []
    known = _REFUSED.get(letters[1:], {})
    marks = frozenset(known[text] for text in texts if text in known)
    kinds = frozenset(("csv",)) if letters[1:] == (0, 1) and FORMULA.issubset(texts) else frozenset[str]()
    return [Change(path, kinds, marks=marks)] if marks or kinds else []


def _letters(guards: Guards, tested: Operand) -> _Letters | None:
    """Return which letters of a text are read: ``text[0]``, ``text[:1]``, ``text[1:2]``."""
    made = guards.op(tested) if isinstance(tested, AccessPath) else None
    if not isinstance(made, Load):
        return None
    if made.part in ("[0]", "[1]"):
        return _Letters(made.base, int(made.part[1]), 1)
    piece = guards.op(made.key) if made.part == "[:]" and made.key is not None else None
    if not isinstance(piece, Build):
        return None
    start, stop, step = (bound.value if isinstance(bound, Constant) else UNKNOWN for _, bound in piece.items)
    if start not in (None, 0, 1) or not isinstance(stop, int) or step is not None:
        return None
    return _Letters(made.base, start or 0, stop - (start or 0))


def _texts(guards: Guards, other: Operand, many: int) -> list[str]:
    """Return the constants that letters are compared with, none where one of them is not known."""
    if isinstance(other, Constant):
        whole = other.value
        return ([*whole] if many == 1 else [whole]) if isinstance(whole, str) else []
    made = guards.op(other)
    listed: list[object] = (
        [item.value if isinstance(item, Constant) else None for _, item in made.items]
        if isinstance(made, Build)
        else [part.constant for _, part in guards.read(other).items()]
    )
    texts = [text for text in listed if isinstance(text, str)]
    return texts if len(texts) == len(listed) else []
