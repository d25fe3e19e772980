"""Answers must not say which versions run.

A version in the Server header tells an attacker which known hole to try first. Werkzeug in it says more: the development server
answers the internet.

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Server: Werkzeug/3.0.1 Python/3.11.7

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Server: gunicorn

References:
    - CWE-200
    - CWE-497
    - ASVS 5.0 V13.4.6
    - https://owasp.org/www-project-secure-headers/#server
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity, Vantage
from stopper.rule import Rule

if TYPE_CHECKING:
    from stopper.wire.site import Site


class VersionBanner(Rule):
    """Read the headers that servers and frameworks introduce themselves with."""

    area = Area.SECRETS
    severity = Severity.LOW
    cwe = (200, 497)

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report each header with a version in it, once."""
        for name in ("Server", "X-Powered-By", "Via"):
            value = next((answer.header(name) for answer in site.answers if answer.header(name)), None)
            if value and re.search(r"/\d", value):
                development = value.startswith("Werkzeug/")
                said = (
                    "the development server answers the internet"
                    if development
                    else "it tells which known holes to try"
                )
                yield self.seen(
                    f"header:{name}", f"{name}: {value}: {said}", vantage=Vantage.WIRE, severity=Severity.HIGH if development else Severity.LOW,
                    remedy="gunicorn wsgi:app" if development else "server_tokens off;",
                )  # fmt: skip
