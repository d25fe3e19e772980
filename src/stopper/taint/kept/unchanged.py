"""Roots that an earlier run has solved and that need not be solved again; what they left behind is there all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from stopper.records import dataclass, field
from stopper.taint.domain import Value
from stopper.taint.pages import Place

if TYPE_CHECKING:
    from stopper.taint.flow import Flow
    from stopper.taint.kept.stable import Scopes, Stable

Writings = tuple[tuple[int, tuple[tuple[str, str], ...], bytes], ...]
"""What was written to cells: the round, the digest of each cell's value, and the values themselves."""


class StaleError(Exception):
    """What an earlier run left behind cannot be read."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one root did, and what that rests on."""

    digest: str = ""
    """The digest of how the root is entered."""
    rests: int = 0
    """The parts of the code that were asked, one bit each."""
    idle: bool = False
    """Whether it was not solved as there is nothing in it to follow."""
    reads: tuple[str, ...] = ()
    """The cells that were read."""
    followed: Scopes = ()
    """The functions that were followed to their ends."""
    called: Scopes = ()
    """The functions that were called."""
    written: Writings = ()
    flows: tuple[tuple[Flow, bool], ...] = ()
    """The flows, and of each whether its route is that of the function's callers."""
    cut: str = ""
    """Why it was not followed to the end; empty where it was."""
    shown: tuple[Place, ...] = ()
    """What came out at places of templates."""
    rendered: tuple[int, ...] = ()
    """The numbers of the templates that were rendered."""
    whole: bool = True
    """Whether it is known what all this rests on."""

    def digests(self) -> dict[tuple[int, str], str]:
        """Return the digest of each cell that was written, by the round and the cell."""
        return {(number, key): told for number, keys, _ in self.written for key, told in keys}


@dataclass(slots=True)
class Unchanged:
    """The roots that are not solved again."""

    records: dict[int, Record] = field(default_factory=dict)
    """What they did, by their places in the order of all roots."""
    idle: frozenset[int] = frozenset()
    """The places of roots in which there is nothing to follow."""
    called: frozenset[int] = frozenset()
    """Those that Flask or an extension calls."""
    scopes: dict[int, int] = field(default_factory=dict)
    """The places of the others, by the identity of their scopes."""
    followed: frozenset[int] = frozenset()
    """What the first round's have followed, by the identity of the scopes."""
    stable: Stable | None = None
    wanted: frozenset[str] | None = None
    """The cells that the roots which are solved again will read, where that is foreseen; None for all."""
    dropped: set[int] = field(default_factory=set)
    """Those that are no roots any more, as something calls them now."""

    def drop(self, followed: Iterable[int]) -> None:
        """Drop what was solved only because nothing had followed it."""
        self.dropped = {self.scopes[scope] for scope in followed if scope in self.scopes}

    def lacks(self, reads: Iterable[str]) -> bool:
        """Tell whether one of some cells may hold more than it was said to, as nobody was expected to read it."""
        if self.wanted is None:
            return False
        left = [keys for one in self.records.values() for _, keys, _ in one.written if not self._wants(keys)]
        hidden = expanded(key for keys in left for key, _ in keys)
        return not hidden.isdisjoint(set(reads) - self.wanted)

    def written(self, number: int) -> dict[str, dict[int, Value]]:
        """Return what these roots wrote to cells in a round that are wanted, by the place of the root.

        Raises:
            StaleError: It cannot be read.
        """
        found: dict[str, dict[int, Value]] = {}
        for place, record in self.records.items():
            for key, value in self._read(record, number) if place not in self.dropped else ():
                found.setdefault(key, {})[place] = value
        return found

    def _read(self, record: Record, number: int) -> Iterator[tuple[str, Value]]:
        for at, keys, raw in record.written:
            if at == number and self.stable is not None and self._wants(keys):
                try:
                    yield from self.stable.load(self.stable.sealed(raw, record.rests)).items()
                except Exception as error:
                    raise StaleError from error

    def _wants(self, keys: Iterable[tuple[str, str]]) -> bool:
        wanted = self.wanted
        return wanted is None or any(not wanted.isdisjoint(_names(key)) for key, _ in keys)


def expanded(keys: Iterable[str]) -> set[str]:
    """Return the names under which cells are read."""
    return {name for key in keys for name in _names(key)}


def _names(key: str) -> tuple[str, str, str]:
    """Return the names of a cell: itself, the table that it belongs to, its part that was not stored."""
    return key, key.rpartition(".")[0], f"{key} fresh"


NOBODY = Unchanged()
"""No root at all; nothing is ever dropped there."""
