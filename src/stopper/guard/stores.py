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

from stopper.guard.rates import Rate, Terms, terms_of
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
    def hit(self, keys: Sequence[str], terms: Sequence[Terms]) -> Verdict:
        """Count a request under every key whose limit has room for it, or under none.

        Args:
            keys: The names of limit and client, at least one.
            terms: What each limit allows, in the same order.
        """

    @abstractmethod
    def forget(self, keys: Sequence[str]) -> None:
        """Forget the hits of these keys."""

    def take(self, asks: Sequence[Ask]) -> Verdict:
        """Count a request in every limit that has room for it, or in none: ``hit``, in the words of single limits."""
        return self.hit([ask.key for ask in asks], [terms_of(ask.rate, ask.cost) for ask in asks])


def judge(terms: Sequence[Terms], windows: Sequence[Window | None], now: float) -> Verdict:
    """Return the verdict on windows that have slid to ``now``; None stands for one without hits."""
    tightest = left = 0
    part, first = 2.0, now
    for index, term in enumerate(terms):
        window, amount = windows[index], term.amount
        rest = amount - term.cost
        if window is not None and window.total:
            if window.total >= amount:
                return Verdict(index, index, 0, window.times[0] + term.seconds - now)
            rest -= window.total
        if rest < part * amount:
            tightest, left, part = index, rest, rest / amount
            first = window.times[0] if window is not None and window.times else now
    # Three times as quick as Verdict(...), and this runs in every request.
    return tuple.__new__(Verdict, (-1, tightest, left, first + terms[tightest].seconds - now))


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

    def hit(self, keys: Sequence[str], terms: Sequence[Terms]) -> Verdict:
        """Count a request under every key whose limit has room for it, or under none."""
        known = self._windows
        now = self._clock()
        with self._lock:
            windows = [known.get(key) for key in keys]
            for window in windows:
                if window is not None and window.total and window.times[0] <= now - window.seconds:
                    window.slide(now)
            verdict = judge(terms, windows, now)
            if verdict[0] < 0:
                for key, term, window in zip(keys, terms, windows, strict=True):
                    if not term.cost:
                        continue
                    if window is None:
                        known[key] = Window(term, [now], [1])
                    else:
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
