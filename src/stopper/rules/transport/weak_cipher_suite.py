"""TLS must offer only suites that keep what was said, also when the key is lost later.

Suites without ECDHE let whoever gets the key one day read what was recorded today, and those with CBC or SHA-1 have been attacked again and
again. Browsers need none of them.

Bad::

    > GET https://blog.example.org/
    > suites: AES128-SHA, ECDHE-RSA-AES128-SHA
    HTTP/1.1 200 OK

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK

References:
    - CWE-326
    - CWE-327
    - ASVS 5.0 V12.1.2
    - https://wiki.mozilla.org/Security/Server_Side_TLS
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity, Vantage, few
from stopper.policy import TLS_CURVES
from stopper.rule import Rule

if TYPE_CHECKING:
    from stopper.wire.site import Site


class WeakCipherSuite(Rule):
    """Offer a server nothing but suites outside Mozilla's intermediate profile, and see which it takes."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (326, 327)

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report the suites and curves that were taken."""
        if site.tls is None:
            return
        where = f"{site.origin.host}:{site.origin.port}"
        curves = tuple(one for one in site.tls.curves if one not in TLS_CURVES)
        for kind, taken, severity in (
            ("suite", site.tls.weak, Severity.LOW),
            ("curve", curves, Severity.INFO),
        ):
            if taken:
                yield self.seen(
                    "proxy:tls", f"{where} takes {few(taken, 4)}, which Mozilla's intermediate profile leaves out", vantage=Vantage.WIRE,
                    severity=severity, context=kind, remedy=f"stopper deploy nginx {site.origin.host}  # prints the right list",
                )  # fmt: skip
