"""The certificate must be one that clients trust, and be renewed before it ends.

A warning that users learn to click away protects nobody, and a certificate that ends takes the site with it: with HSTS there is no way
past the error.

Bad::

    > GET https://blog.example.org/
    > untrusted: certificate has expired
    HTTP/1.1 200 OK

Bad::

    > GET https://blog.example.org/
    > days: 3
    HTTP/1.1 200 OK

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK

Good::

    > GET https://blog.example.org/
    > days: 45
    HTTP/1.1 200 OK

References:
    - CWE-295
    - CWE-298
    - ASVS 5.0 V12.2.2
    - https://letsencrypt.org/docs/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity, Vantage
from stopper.rule import Rule

if TYPE_CHECKING:
    from stopper.wire.site import Site

_SOON = 14
"""Days: clients of ACME renew at a third of the life, so fewer mean that renewing fails."""


class CertificateNotTrusted(Rule):
    """Shake hands as a client does, and count the days that the certificate has left."""

    area = Area.TRANSPORT
    severity = Severity.HIGH
    cwe = (295, 298)

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report a chain that is not trusted, and one that ends soon."""
        if site.tls is None:
            return
        where = f"{site.origin.host}:{site.origin.port}"
        remedy = f"stopper cert obtain {site.origin.host}"
        if not site.tls.trusted:
            message = f"clients do not trust the certificate of {where}: {site.tls.problem}"
            yield self.seen("proxy:tls", message, vantage=Vantage.WIRE, context="trust", remedy=remedy)
        elif site.tls.days_left is not None and site.tls.days_left < _SOON:
            message = f"the certificate of {where} ends in {site.tls.days_left:.0f} days"
            yield self.seen(
                "proxy:tls",
                message,
                vantage=Vantage.WIRE,
                context="days",
                severity=Severity.MEDIUM,
                remedy="stopper cert renew",
            )
