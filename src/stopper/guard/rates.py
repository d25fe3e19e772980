"""Read how many requests in what time are allowed: "10 per minute", "5/second; 100 per hour".

The notation is that of the ``limits`` library, which Flask-Limiter reads too, so that a limit can be moved over as it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from limits import parse_many

from stopper.errors import ConfigurationError

STEPS: Final = 32
"""The most groups of hits that are remembered for one limit and one client.

Up to so many hits are remembered one by one, so that a limit of 10 per minute is exact to the microsecond. A larger
limit remembers them in groups of 1/30 of its window, each as young as its youngest hit: never is more let through than
the limit says, and a hit is forgotten at most that much too late.
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds, in whatever window of that length one looks."""

    amount: int
    seconds: int

    @property
    def grain(self) -> float:
        """Return the seconds within which hits are remembered as one group; 0 where each is remembered by itself."""
        return 0.0 if self.amount <= STEPS else self.seconds / (STEPS - 2)

    def __str__(self) -> str:
        for name, seconds in _UNITS.items():
            if self.seconds % seconds == 0:
                count = self.seconds // seconds
                return f"{self.amount} per {name}" if count == 1 else f"{self.amount} per {count} {name}s"
        return f"{self.amount} per {self.seconds} seconds"


@dataclass(frozen=True, slots=True)
class Terms:
    """A rate and what a request costs, worked out once."""

    amount: int
    seconds: int
    grain: float
    cost: int


@lru_cache(maxsize=1024)
def terms_of(rate: Rate, cost: int = 1) -> Terms:
    """Return the terms of a rate: cost 1 counts a request, 0 only looks."""
    return Terms(rate.amount, rate.seconds, rate.grain, cost)


_UNITS: Final = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}


def parse_rates(text: object, where: str) -> tuple[Rate, ...]:
    """Return the rates that a text like "10 per minute; 100 per hour" names, the shortest window first.

    Args:
        text: What the developer wrote.
        where: The setting or decorator it stands in, for the message.

    Raises:
        ConfigurationError: It is no rate, or one that lets nothing through.
    """
    if isinstance(text, Rate):
        return (text,)
    try:
        items = parse_many(text)  # type: ignore[arg-type]
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(
            f'{where}: {text!r} is not a rate; write for example "10 per minute" or "5/second; 100 per hour"'
        ) from error
    rates = {Rate(item.amount, item.get_expiry()) for item in items}
    if any(rate.amount < 1 for rate in rates):
        raise ConfigurationError(
            f"{where}: {text!r} lets nothing through; write at least 1, or take the route away"
        )
    return tuple(sorted(rates, key=lambda rate: (rate.seconds, rate.amount)))
