"""Edits to the user's files: what a fix is, and how edits are applied."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

from stopper.errors import FixConflictError
from stopper.records import dataclass


class Safety(enum.StrEnum):
    """Whether a fix may be applied without a person looking at it."""

    SAFE = "safe"
    """The meaning of the program is kept, but for the hole."""
    UNSAFE = "unsafe"
    """A person should look."""


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the characters ``start`` to ``end`` of a file's text by ``text``."""

    path: str
    """Relative to the target, with forward slashes."""
    start: int
    """Offset in characters from the start of the decoded text, counting from 0."""
    end: int
    """Exclusive; equal to ``start`` for an insertion."""
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that close one finding."""

    title: str
    """What the fix does, in the imperative: "Bind the value as a parameter"."""
    edits: tuple[Edit, ...]
    safety: Safety = Safety.UNSAFE


def apply(edits: Iterable[Edit], texts: Mapping[str, str]) -> dict[str, str]:
    """Return the new text of every file that the edits touch.

    Args:
        edits: In any order; the same edit given twice counts once.
        texts: The present text of each file, by path.

    Raises:
        FixConflictError: Two edits overlap, or one reaches past the end of its file.
    """
    result: dict[str, str] = {}
    for path, group in _by_path(edits).items():
        text = texts[path]
        _refuse_overlaps(path, group, len(text))
        for edit in reversed(group):
            text = text[: edit.start] + edit.text + text[edit.end :]
        result[path] = text
    return result


def _by_path(edits: Iterable[Edit]) -> dict[str, list[Edit]]:
    groups: dict[str, list[Edit]] = {}
    for edit in sorted(set(edits)):
        groups.setdefault(edit.path, []).append(edit)
    return groups


def _refuse_overlaps(path: str, edits: list[Edit], length: int) -> None:
    reached = 0
    previous: Edit | None = None
    for edit in edits:
        same_spot = previous is not None and previous.start == edit.start
        if edit.start < reached or edit.end > length or edit.end < edit.start or same_spot:
            raise FixConflictError(
                f"{path}: two fixes want the same characters (near offset {edit.start}); "
                "apply one, run the audit again, then apply the other"
            )
        reached, previous = edit.end, edit
