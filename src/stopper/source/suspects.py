"""The stretches of a text that can hold a secret at all, found so cheaply that nearly all text is passed over.

Every provider's credential holds at least ``RUN`` characters of a token in a row, and every named literal stands on a line with
one of a few words. Both are found by the string methods of Python, which run at a gigabyte a second where a regular expression
runs at fifty megabytes; only what they leave is given to the expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

RUN = 17
"""How many characters in a row make a run: the shortest of the providers' credentials."""

BEFORE = 120
"""How many characters before a run's line belong to it: where the name may stand that says what the run is."""

RANDOM = 16
"""How many characters a literal has at least that looks drawn at random."""

_TWO_WHEN_LOWERED = "\u0130"
"""The one letter that becomes two when it is lowered, so that what stands behind it would stand elsewhere."""
_TOKEN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/.~-")
_TABLE = bytes(0x78 if code in _TOKEN else 0x20 for code in range(256))
_WANTED = b"x" * RUN
_UNBROKEN = bytes(0x20 if code in b" \t\r\n\"'\\" else 0x78 for code in range(256))
_LONG = b"x" * RANDOM


def around_runs(text: str, wanted: Callable[[set[str]], set[str]]) -> list[tuple[int, int]]:
    """Return the spans of the lines that hold a wanted run, with what stands before them; those that meet are one.

    Args:
        text: What is looked at.
        wanted: Is given every run once and returns those that matter.
    """
    if len(text) < RUN:
        return []
    runs = list(_runs(text))
    kept = wanted({run for _, run in runs}) if runs else set()
    spans: list[tuple[int, int]] = []
    for at, run in runs:
        if run in kept:
            start, end = max(0, text.rfind("\n", 0, at) + 1 - BEFORE), _end(text, at)
            if spans and start <= spans[-1][1]:
                start = spans.pop()[0]
            spans.append((start, end))
    return spans


def _runs(text: str) -> Iterator[tuple[int, str]]:
    """Yield where each run begins, and the run."""
    shape = text.encode("latin-1", "replace").translate(_TABLE) + b" "
    find = shape.find
    at = find(_WANTED)
    while at >= 0:
        end = find(b" ", at + RUN)
        yield at, text[at:end]
        at = find(_WANTED, end)


def lines_with(text: str, words: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield the spans of the lines, line ends included, that hold one of the words (in lower case); case is ignored."""
    lowered = text.replace(_TWO_WHEN_LOWERED, "?").lower()
    found: dict[int, int] = {}
    for word in words:
        found.update(lines_holding(lowered, word))
    yield from sorted(found.items())


def lines_holding(text: str, word: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of the lines, line ends included, that hold a word as it is written, in order."""
    at = text.find(word)
    while at >= 0:
        end = _end(text, at)
        yield text.rfind("\n", 0, at) + 1, end
        at = text.find(word, end)


def with_random(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return those spans that hold ``RANDOM`` characters in a row without white space, quotation mark or backslash."""
    shape = text.encode("latin-1", "replace").translate(_UNBROKEN)
    return [(start, end) for start, end in spans if shape.find(_LONG, start, end) >= 0]


def _end(text: str, at: int) -> int:
    """Return where the line that holds ``at`` ends, its line end included."""
    return text.find("\n", at) + 1 or len(text)
