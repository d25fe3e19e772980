"""A live site, as far as it was asked: the questions that rules put to its answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.records import dataclass
from stopper.wire.exchange import Exchange
from stopper.wire.session import payload

if TYPE_CHECKING:
    from stopper.wire.client import Origin
    from stopper.wire.tls import Tls


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie as an answer sets it."""

    name: str
    value: str
    attributes: dict[str, str]
    """Names in lower case; the value of a flag is ""."""
    exchange: Exchange

    @property
    def is_session(self) -> bool:
        """Tell whether it holds a session of Flask's, whatever its name is."""
        return not self.expires and (self.name in ("session", "__Host-session") or bool(payload(self.value)))

    @property
    def expires(self) -> bool:
        """Tell whether the answer takes the cookie away."""
        return self.attributes.get("max-age") == "0" or "1970" in self.attributes.get("expires", "")


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that a site answered."""

    origin: Origin
    exchanges: tuple[Exchange, ...]
    """The pages first, in the order in which they were read."""
    tls: Tls | None
    """None for a site that was named with http."""
    verified: bool
    """Whether the certificate was trusted."""
    refusal: str
    """Why it was not."""
    requests: int
    """How many requests were sent."""
    seconds: float
    active: bool

    def of(self, *purposes: str) -> list[Exchange]:
        """Return the answered exchanges of the purposes given."""
        return [one for one in self.exchanges if one.purpose in purposes and one.answered]

    @property
    def pages(self) -> list[Exchange]:
        """Return the pages that were read, the first one first."""
        return self.of("page")

    @property
    def answers(self) -> list[Exchange]:
        """Return every answer of the site itself: pages, errors and what a stranger tried, over its own scheme."""
        return [
            one for one in self.exchanges if one.answered and one.url.startswith(f"{self.origin.scheme}:")
        ]

    @property
    def unanswered(self) -> list[Exchange]:
        """Return what was asked without an answer, and what was not asked."""
        return [one for one in self.exchanges if not one.answered]

    def cookies(self) -> Iterator[Cookie]:
        """Yield every cookie that any answer sets."""
        for exchange in self.answers:
            for line in exchange.all("set-cookie"):
                first, *rest = line.split(";")
                name, _, value = first.partition("=")
                pairs = (part.partition("=") for part in rest)
                yield Cookie(
                    name.strip(),
                    value.strip(),
                    {key.strip().lower(): given.strip() for key, _, given in pairs},
                    exchange,
                )
