"""A first visit should be encrypted, too.

HSTS holds from the second visit on. Browsers ship a list of sites that they never ask over plain HTTP, and a site may ask to be on it. It is hard to get
off again, and it holds for every subdomain: it is a choice, not a duty.

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Strict-Transport-Security: max-age=31536000

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Strict-Transport-Security: max-age=63072000; includeSubDomains; preload

References:
    - CWE-319
    - ASVS 5.0 V3.4.1
    - https://hstspreload.org/#submission-requirements
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity, Vantage
from stopper.policy import HSTS_PRELOAD_SECONDS
from stopper.rule import Rule
from stopper.wire.hsts import max_age

if TYPE_CHECKING:
    from stopper.wire.site import Site


class HstsPreload(Rule):
    """Compare the value on the wire with what the preload list asks for."""

    area = Area.HEADERS
    severity = Severity.INFO
    cwe = (319,)

    def wire(self, site: Site) -> Iterator[Finding]:
        """Say what the preload list would still need, where HSTS is there."""
        value = site.pages[0].header("strict-transport-security") if site.pages else None
        if value is None or site.origin.scheme != "https":
            return
        year = f"max-age={HSTS_PRELOAD_SECONDS}"
        needs = [] if (max_age(value) or 0) >= HSTS_PRELOAD_SECONDS else [year]
        needs += [word for word in ("includeSubDomains", "preload") if word.lower() not in value.lower()]
        if needs:
            yield self.seen(
                "header:Strict-Transport-Security", f"the preload list would need {', '.join(needs)} as well", vantage=Vantage.WIRE,
                context="preload", remedy=f"Strict-Transport-Security: {year}; includeSubDomains; preload",
            )  # fmt: skip
