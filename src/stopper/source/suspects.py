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

_TOKEN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/.~-")
_TABLE = bytes(0x78 if code in _TOKEN else 0x20 for code in range(256))
_WANTED = b"x" * RUN


def around_runs(text: str, wanted: Callable[[str], bool]) -> list[tuple[int, int]]:
    """Return the spans of the lines that hold a wanted run, with what stands before them; those that meet are one."""
    if len(text) < RUN:
        return []
    shape = text.encode("latin-1", "replace").translate(_TABLE)
    spans: list[tuple[int, int]] = []
    at = shape.find(_WANTED)
    while at >= 0:
        end = shape.find(b" ", at + RUN)
        end = end if end >= 0 else len(text)
        if wanted(text[at:end]):
            start, end = max(0, text.rfind("\n", 0, at) + 1 - BEFORE), _end(text, at)
            if spans and start <= spans[-1][1]:
                start = spans.pop()[0]
            spans.append((start, end))
        at = shape.find(_WANTED, end)
    return spans


def lines_with(text: str, words: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield the spans of the lines, line ends included, that hold one of the words (in lower case); case is ignored."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters of other scripts become two when they are lowered
        lowered = "".join(one if len(one) == 1 else "?" for one in map(str.lower, text))
    found: dict[int, int] = {}
    for word in words:
        at = lowered.find(word)
        while at >= 0:
            start, end = text.rfind("\n", 0, at) + 1, _end(text, at)
            found[start] = end
            at = lowered.find(word, end)
    yield from sorted(found.items())


def _end(text: str, at: int) -> int:
    """Return where the line that holds ``at`` ends, its line end included."""
    return text.find("\n", at) + 1 or len(text)
