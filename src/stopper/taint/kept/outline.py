"""Outlines: what a run remembers of the modules' text, so that the next one can tell which parts changed and where the others went."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from stopper.finding import Location
from stopper.records import dataclass
from stopper.source.module import Module
from stopper.source.units import texts, told


@dataclass(frozen=True, slots=True)
class Outline:
    """One module as it was: digests of its text and of the parts of it."""

    text: bytes
    frame: bytes
    units: tuple[bytes, ...]
    lines: tuple[int, ...]
    """The first and the last line of each unit."""

    @property
    def size(self) -> int:
        """Return how many bits stand for the parts."""
        return 1 + len(self.units)

    def differences(self, other: Outline) -> int:
        """Return the parts that are not the same in another outline; every one where the frame is not."""
        if self.text == other.text:
            return 0
        if self.frame != other.frame or len(self.units) != len(other.units):
            return (1 << self.size) - 1
        pairs = enumerate(zip(self.units, other.units, strict=True), 1)
        return sum(1 << number for number, (one, two) in pairs if one != two)


def outlined(modules: Sequence[Module], known: Sequence[Outline] = ()) -> tuple[Outline, ...]:
    """Return the outlines of modules; those of an earlier run where the text is the same."""
    digests = [_digest(module.text.content) for module in modules]
    if len(known) != len(modules):
        return tuple(map(_outline, modules, digests))
    every = zip(modules, digests, known, strict=True)
    return tuple(before if before.text == text else _outline(module, text) for module, text, before in every)


def changed(old: Sequence[Outline], new: Sequence[Outline]) -> int:
    """Return the parts that changed, by the bits that they had."""
    found = start = 0
    for before, after in zip(old, new, strict=True):
        found |= before.differences(after) << start
        start += before.size
    return found


class Moves:
    """Where the parts that did not change are now."""

    def __init__(self, modules: Sequence[Module], old: Sequence[Outline], new: Sequence[Outline]) -> None:
        """Take the modules, and their outlines as they were and as they are."""
        self._pieces = _pieces(old, new)
        every = zip(modules, old, new, strict=True)
        self._shifted = {
            module.path: (before.lines, after.lines)
            for module, before, after in every
            if before.lines != after.lines and len(before.lines) == len(after.lines)
        }

    def bits(self, parts: int) -> int:
        """Return the bits that parts have now."""
        if len(self._pieces) == 1:
            return parts
        return sum((parts >> start & (1 << size) - 1) << now for start, size, now in self._pieces)

    def concerns(self, locations: Sequence[Location]) -> bool:
        """Tell whether some locations may have moved."""
        return bool(self._shifted) and any(one.path in self._shifted for one in locations)

    def location(self, one: Location) -> Location:
        """Return where something stands now."""
        lines = self._shifted.get(one.path)
        if lines is None:
            return one
        return replace(one, line=_moved(one.line, *lines), end_line=_moved(one.end_line, *lines))


def _moved(line: int, old: tuple[int, ...], new: tuple[int, ...]) -> int:
    """Return where a line is that stands in a part which did not change, or ends one."""
    place = bisect_right(old, line) - 1
    if place < 0:
        return line
    return line - old[place] + new[place]


def _pieces(old: Sequence[Outline], new: Sequence[Outline]) -> list[tuple[int, int, int]]:
    """Return the runs of bits that stay together: where each started, how many there are, where it starts now."""
    starts = [(0, 0)]
    for before, after in zip(old, new, strict=True):
        at, now = starts[-1]
        starts.append((at + before.size, now + after.size))
    cuts = [0, *(place for place in range(1, len(old)) if _shift(starts[place]) != _shift(starts[place - 1]))]
    ends = [starts[place] for place in (*cuts, len(old))]
    return [(at, until - at, now) for (at, now), (until, _) in pairwise(ends)]


def _shift(start: tuple[int, int]) -> int:
    return start[1] - start[0]


def _outline(module: Module, text: bytes) -> Outline:
    frame, *units = texts(module)
    lines = tuple(line for first, last, _ in module.units for line in (first, last))
    return Outline(text, _digest(f"{frame}\0{told(module)!r}"), tuple(map(_digest, units)), lines)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()
