"""Cells: what outlives a function's run, and which functions must be solved again because a cell holds more."""

from __future__ import annotations

from stopper.records import dataclass, field
from stopper.taint.domain import Value, joined

Reads = dict[str, int]
"""The cells that were read, each with how often cells had grown when it was first read."""


@dataclass(slots=True)
class Shared:
    """Cells that outlive a function's run: variables of modules, attributes of classes, what is kept for the next request."""

    cells: dict[str, Value] = field(default_factory=dict)
    grown: Reads = field(default_factory=dict)
    """When each cell got new taints last, counted in such events."""
    events: int = 0
    reading: list[Reads] = field(default_factory=lambda: [{}])
    """The cells that the functions being solved have read, the outermost first."""

    def get(self, key: str) -> Value | None:
        """Return what a cell holds, None where nothing was written."""
        self.reading[-1].setdefault(key, self.events)
        return self.cells.get(key)

    def fresh(self, key: str) -> Value | None:
        """Return what a cell holds, to who does not look at what of it was stored."""
        self.reading[-1].setdefault(f"{key} fresh", self.events)
        return self.cells.get(key)

    def under(self, prefix: str) -> list[Value]:
        """Return what all cells of a table hold: ``table users``."""
        self.reading[-1].setdefault(prefix, self.events)
        names = sorted(name for name in self.cells if name.startswith(f"{prefix}."))
        return [self.cells[name] for name in names]

    def put(self, key: str, value: Value) -> None:
        """Write to a cell, which keeps what it held."""
        before = self.cells.get(key)
        after = value if before is None else joined(before, value)
        if after == before:
            return
        self.cells[key] = after
        new = set(after.every()) - set(before.every() if before is not None else ())
        if new:
            self.events += 1
            self.grown[key] = self.grown[key.rpartition(".")[0]] = self.events
            if any("stored" not in taint.marks for taint in new):
                self.grown[f"{key} fresh"] = self.events

    def rest_on(self, reads: Reads) -> None:
        """Note that the function being solved rests on what another has read."""
        mine = self.reading[-1]
        for key, event in reads.items():
            if mine.get(key, event) >= event:
                mine[key] = event

    def outdated(self, reads: Reads) -> bool:
        """Tell whether a cell got new taints since it was read."""
        grown = self.grown
        return any(grown.get(key, 0) > event for key, event in reads.items())
