"""Cells: what outlives a function's run, and which functions must be solved again because a cell holds more.

Roots are solved in rounds. All of a round read the cells as they stood when it began, and what they write is joined at its end in
an order of its own, so that nothing depends on who was solved first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from stopper.records import dataclass, field
from stopper.source.module import Scope
from stopper.taint.domain import CLEAN, Value, joined, merged, together

Reads = dict[str, int]
"""The cells that were read, each with how often cells had grown when it was first read."""
Written = dict[str, dict[int, Value]]
"""What was written to each cell, by the place of the root that wrote it."""


@dataclass(slots=True)
class Shared:
    """Cells that outlive a function's run: variables of modules, attributes of classes, what is kept for the next request."""

    cells: dict[str, Value] = field(default_factory=dict)
    """What each cell held when the round began."""
    grown: Reads = field(default_factory=dict)
    """When each cell got to hold more last."""
    rounds: int = 0
    """How many rounds have ended."""
    now: int = 0
    """How often cells have grown so far."""
    reading: list[Reads] = field(default_factory=lambda: [{}])
    """The cells that the functions being solved have read, the outermost first."""
    writer: int = 0
    """The place of the root that is being solved, in the order of all roots."""
    _written: Written = field(default_factory=dict)
    """What was written to each cell in this round."""

    _resting: tuple[Reads, dict[int, Reads]] = field(default_factory=lambda: ({}, {}))
    """The readings of the function that rested on another last, and those of all that it rests on already, by their identity."""

    def get(self, key: str) -> Value | None:
        """Return what a cell holds, None where nothing was written."""
        self.reading[-1].setdefault(key, self.now)
        return self.cells.get(key)

    def fresh(self, key: str) -> Value | None:
        """Return what a cell holds, to who does not look at what of it was stored."""
        self.reading[-1].setdefault(f"{key} fresh", self.now)
        return self.cells.get(key)

    def under(self, prefix: str) -> list[Value]:
        """Return what all cells of a table hold: ``table users``."""
        self.reading[-1].setdefault(prefix, self.now)
        names = sorted(name for name in self.cells if name.startswith(f"{prefix}."))
        return [self.cells[name] for name in names]

    def ask(self, variable: str) -> None:
        """Note that a variable was read as a module leaves it: see ``left``."""
        self.reading[-1].setdefault(variable, self.now)

    def grow(self, variables: Iterable[str]) -> None:
        """Note that modules leave something else in some variables."""
        self.now += 1
        self.grown.update(dict.fromkeys(variables, self.now))

    def call(self, view: object) -> None:
        """Note that the function being solved calls a view."""
        self.reading[-1].setdefault(f"call {id(view)}", self.now)

    def has_called(self, view: object) -> bool:
        """Tell whether the root being solved has called a view so far, itself or by way of others."""
        return f"call {id(view)}" in self.reading[-1]

    def put(self, key: str, value: Value) -> None:
        """Write to a cell, which keeps what it held; it is read from the next round on."""
        writers = self._written.setdefault(key, {})
        before = writers.get(self.writer)
        writers[self.writer] = value if before is None else joined(before, value)

    def written(self) -> Written:
        """Return what was written to each cell in this round."""
        return dict(self._written)

    def by(self, writer: int) -> dict[str, Value]:
        """Return what a root wrote to each cell in this round."""
        return {key: writers[writer] for key, writers in self._written.items() if writer in writers}

    def withdraw(self, writer: int) -> None:
        """Take back what a root wrote in this round."""
        for key in [key for key, writers in self._written.items() if writer in writers]:
            del self._written[key][writer]
            if not self._written[key]:
                del self._written[key]

    def end_round(self, others: Iterable[Written] = ()) -> None:
        """Let the cells hold what was written to them in this round, here and by other roots elsewhere."""
        self.rounds += 1
        self.now += 1
        for other in others:
            for key, writers in other.items():
                self._written[key] = self._written.get(key, {}) | writers
        for key, writers in self._written.items():
            before = self.cells.get(key)
            values = [writers[writer] for writer in sorted(writers)]
            after = _all_of(values if before is None else [before, *values])
            if after == before:
                continue
            self.cells[key] = after
            self.grown[key] = self.grown[key.rpartition(".")[0]] = self.now
            if _unstored(after) != _unstored(before or CLEAN):
                self.grown[f"{key} fresh"] = self.now
        self._written.clear()

    def rest_on(self, reads: Reads) -> None:
        """Note that the function being solved rests on what another has read."""
        mine = self.reading[-1]
        if self._resting[0] is not mine:
            self._resting = (mine, {})
        done = self._resting[1]
        if id(reads) in done:
            return
        done[id(reads)] = reads
        # A summary that is used is not outdated: its cells have not grown since, whichever round is noted.
        mine.update(reads)

    def outdated(self, reads: Reads) -> bool:
        """Tell whether a cell holds more than when it was read."""
        grown = self.grown
        return any(grown.get(key, 0) > event for key, event in reads.items())


LEFT = "left "
"""How the names begin under which the variables of modules are read."""


def left(scope: Scope, name: str) -> str:
    """Return under what name a variable is read as the statements of a module leave it."""
    return f"{LEFT}{id(scope)} {name}"


def _all_of(values: list[Value]) -> Value:
    """Return what is known when any one of the values may be there, its taints cut down once, whatever came first."""
    return replace(together(values), taints=merged(*(value.taints for value in values)))


def _unstored(value: Value) -> Value:
    return value.refined(lambda taint: None if "stored" in taint.marks else taint)
