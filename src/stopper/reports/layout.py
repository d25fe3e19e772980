"""Set words with styles into lines of a width: wrapped or cut, indented, with ANSI colours or without.

Widths are columns of a terminal: wide letters take two, combining marks none. A library that does this for whole screens takes
longer to import than a small project takes to audit.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from stopper.records import dataclass

Span = tuple[str, str]
"""A piece of text and its style: words such as ``bold``, ``red`` and ``on-red``, "" for none."""

_CODES = {
    "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "magenta": "35", "cyan": "36", "white": "37",
    "on-red": "41",
}  # fmt: skip
"""What ANSI calls the styles."""
_WORD = re.compile(r"\s*\S+\s*")


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph."""

    spans: tuple[Span, ...]
    indent: int = 0
    """Columns to leave free on the left of each line."""
    cut: bool = False
    """Whether it is one line that ends in ``…`` where it is too long; else it is wrapped."""
    ruled: bool = False
    """Whether a rule fills the rest of its one line."""


def block(
    *parts: str | Span, style: str = "", indent: int = 0, cut: bool = False, ruled: bool = False
) -> Block:
    """Return a paragraph; parts that name no style have ``style``."""
    spans = tuple((part, style) if isinstance(part, str) else part for part in parts)
    return Block(spans, indent, cut, ruled)


def drawn(blocks: Iterable[Block], width: int, *, colour: bool) -> str:
    """Return the paragraphs as text.

    Args:
        blocks: What to draw, in order.
        width: The columns that no line exceeds, the indent counted.
        colour: Whether to write ANSI codes.
    """
    return "".join(f"{line}\n" for one in blocks for line in _lines(one, width, colour=colour))


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _lines(one: Block, width: int, *, colour: bool) -> Iterator[str]:
    room, text = width - one.indent, "".join(piece for piece, _ in one.spans)
    for start, end in _ranges(one, text, room):
        whole = end == len(text) or not (one.cut or one.ruled)
        spans = list(_within(one.spans, start, start + len(text[start:end].rstrip()) if whole else end))
        if not whole:
            spans.append(("…", spans[-1][1] if spans else ""))
        if one.ruled:
            taken = columns("".join(piece for piece, _ in spans))
            spans += [(f" {'─' * (room - taken - 1)}", "dim")]
        line = "".join(_styled(piece, style) if colour else piece for piece, style in spans)
        yield f"{' ' * one.indent}{line}".rstrip()


def _ranges(one: Block, text: str, room: int) -> list[tuple[int, int]]:
    """Return where each line of a paragraph starts and ends."""
    if not one.cut and not one.ruled:
        return list(_wrapped(text, room))
    most = room - 2 if one.ruled else room
    return [(0, len(text) if columns(text) <= most else _fitting(text, 0, most - 1))]


def _wrapped(text: str, room: int) -> Iterator[tuple[int, int]]:
    """Yield the lines that hold as many words as fit; a word that is wider than a line is cut."""
    if columns(text) <= room:
        yield 0, len(text)
        return
    start, taken = 0, 0
    for match in _WORD.finditer(text):
        at, needed = match.start(), columns(match[0].rstrip())
        if taken + needed <= room:
            taken += columns(match[0])
            continue
        if at > start:
            yield start, at
        start = at
        while columns(text[start : match.end()].rstrip()) > room:
            end = _fitting(text, start, room)
            yield start, end
            start = end
        taken = columns(text[start : match.end()])
    yield start, len(text)


def _fitting(text: str, start: int, room: int) -> int:
    """Return the end of what fits into a line from ``start`` on; one character at least."""
    taken = 0
    for at in range(start, len(text)):
        taken += _columns(text[at])
        if taken > room:
            return max(at, start + 1)
    return len(text)


def _within(spans: tuple[Span, ...], start: int, end: int) -> Iterator[Span]:
    """Yield the pieces of a range of characters with their styles."""
    at = 0
    for piece, style in spans:
        part = piece[max(0, start - at) : max(0, end - at)]
        at += len(piece)
        if part:
            yield part, style


def _styled(piece: str, style: str) -> str:
    if not style:
        return piece
    return f"\x1b[{';'.join(_CODES[word] for word in style.split())}m{piece}\x1b[0m"
