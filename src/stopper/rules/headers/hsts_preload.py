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

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity, Vantage
from stopper.rule import Rule

if TYPE_CHECKING:
    from stopper.wire.site import Site

_YEAR = 31_536_000
"""Seconds: the least that the list takes."""


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
        lowered = value.lower()
        age = re.search(r"max-age\s*=\s*\"?(\d+)", lowered)
        needs = [] if age and int(age[1]) >= _YEAR else [f"max-age={_YEAR}"]
        needs += [word for word in ("includeSubDomains", "preload") if word.lower() not in lowered]
        if needs:
            yield self.seen(
                "header:Strict-Transport-Security", f"the preload list would need {', '.join(needs)} as well", vantage=Vantage.WIRE,
                context="preload", remedy=f"Strict-Transport-Security: max-age={_YEAR}; includeSubDomains; preload",
            )  # fmt: skip
