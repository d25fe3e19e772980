"""Count hits in a window that slides with the clock, within a few hundred bytes a client."""

from __future__ import annotations

from bisect import bisect_right

from stopper.guard.rates import Terms


class Window:
    """The hits of one client on one limit that the limit still remembers.

    No window of the limit's length, wherever it starts, ever holds more hits than the limit allows. A fixed window lets twice
    as many through around its edge, and a weighted pair of counters guesses.
    """

    __slots__ = ("amount", "counts", "grain", "seconds", "times", "total")

    def __init__(self, terms: Terms, times: list[float], counts: list[int]) -> None:
        self.amount = terms.amount
        self.seconds = terms.seconds
        self.grain = terms.grain
        self.times = times
        self.counts = counts
        self.total = sum(counts)

    def slide(self, now: float) -> None:
        """Forget the hits that have left the window by ``now`` (seconds on the clock of the hits)."""
        times = self.times
        gone = bisect_right(times, now - self.seconds)
        self.total -= sum(self.counts[:gone])
        del times[:gone], self.counts[:gone]

    def add(self, now: float) -> None:
        """Remember a hit at ``now``, not before any hit that is remembered."""
        times, grain = self.times, self.grain
        self.total += 1
        if grain and times and now // grain == times[-1] // grain:
            times[-1] = now
            self.counts[-1] += 1
            return
        times.append(now)
        self.counts.append(1)

    @property
    def share(self) -> float:
        """Return which part of the limit is used up."""
        return self.total / self.amount

    def over(self, now: float) -> bool:
        """Tell whether nothing of it is remembered at ``now``."""
        return not self.times or self.times[-1] + self.seconds <= now
