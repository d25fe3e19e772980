"""Remember who did what how often: in this process, in a file that workers share, or in Redis or Valkey.

One request asks once, for all the limits of its route together: either every limit has room and each counts the request, or
one has not and none counts it. A refused request does not lengthen the wait.
"""

from __future__ import annotations

import heapq
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from stopper.guard.rates import Rate
from stopper.guard.windows import Window

CLIENTS: Final = 50_000
"""How many windows are remembered in this process: about 20 MB when it is full."""


class Ask(NamedTuple):
    """One limit, asked for one client."""

    key: str
    """The name of the limit, and of the client."""
    rate: Rate
    cost: int = 1
    """1 counts the request; 0 only looks whether there is room."""


class Verdict(NamedTuple):
    """What the storage says to the limits of one request."""

    full: int
    """The index of the limit that has no room, -1 where all have."""
    tightest: int
    """The index of the limit of which the smallest part is left."""
    left: int
    """How many more requests the tightest limit lets through."""
    wait: float
    """Seconds until the tightest limit, or the full one, has room for one more than now."""


class Store(ABC):
    """A memory of hits. Every method may be called from any thread."""

    name: str
    """How messages call it."""

    @abstractmethod
    def take(self, asks: Sequence[Ask]) -> Verdict:
        """Count a request in every limit that has room for it, or in none.

        Args:
            asks: At least one.
        """

    @abstractmethod
    def forget(self, keys: Sequence[str]) -> None:
        """Forget the hits of these keys."""


def judge(asks: Sequence[Ask], windows: Sequence[Window | None], now: float) -> Verdict:
    """Return the verdict on windows that have slid to ``now``; None stands for one without hits."""
    tightest, left, part, wait = 0, 0, 2.0, 0.0
    for index, (ask, window) in enumerate(zip(asks, windows, strict=True)):
        amount = ask.rate.amount
        total = 0 if window is None else window.total
        if total >= amount:
            assert window is not None
            return Verdict(index, index, 0, window.wait(now))
        rest = amount - total - ask.cost
        if rest < part * amount:
            tightest, left, part = index, rest, rest / amount
            wait = ask.rate.seconds if window is None or not total else window.wait(now)
    return Verdict(-1, tightest, left, wait)


class Memory(Store):
    """The memory of one process, bounded: when it is full, what is over goes first, and then who is farthest from a limit.

    Who sends from many addresses can therefore make it forget others that came once or twice, and nobody who is near a limit.
    """

    name = "memory"

    def __init__(self, clients: int = CLIENTS, clock: Callable[[], float] = time.monotonic) -> None:
        self._windows: dict[str, Window] = {}
        self._bound = clients
        self._clock = clock
        self._lock = threading.Lock()

    def take(self, asks: Sequence[Ask]) -> Verdict:
        """Count a request in every limit that has room for it, or in none."""
        now = self._clock()
        known = self._windows
        with self._lock:
            windows = [known.get(ask.key) for ask in asks]
            for window in windows:
                if window is not None:
                    window.slide(now)
            verdict = judge(asks, windows, now)
            if verdict.full < 0:
                for ask, window in zip(asks, windows, strict=True):
                    if not ask.cost:
                        continue
                    if window is None:
                        window = known[ask.key] = Window(ask.rate)  # noqa: PLW2901
                    window.add(now)
                if len(known) > self._bound:
                    self._make_room(now)
            return verdict

    def forget(self, keys: Sequence[str]) -> None:
        """Forget the hits of these keys."""
        with self._lock:
            for key in keys:
                self._windows.pop(key, None)

    def __len__(self) -> int:
        return len(self._windows)

    def _make_room(self, now: float) -> None:
        """Drop what is over, then those farthest from their limit, until a quarter is free."""
        known = self._windows
        for key in [key for key, window in known.items() if window.over(now)]:
            del known[key]
        surplus = len(known) - self._bound * 3 // 4
        if surplus <= 0:
            return
        farthest = heapq.nsmallest(
            surplus, known.items(), key=lambda item: (item[1].share, item[1].times[-1])
        )
        for key, _ in farthest:
            del known[key]
