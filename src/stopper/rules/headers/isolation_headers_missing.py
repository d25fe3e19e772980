"""Pages should say what they keep to themselves.

Cross-Origin-Opener-Policy and Cross-Origin-Resource-Policy keep other sites' windows and pages away from this one's, Permissions-Policy keeps scripts away from
the camera and the position. Without them nothing is open by itself; with them less is lost when something is.

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Permissions-Policy: camera=()
    Cross-Origin-Opener-Policy: same-origin
    Cross-Origin-Resource-Policy: same-origin

References:
    - CWE-693
    - CWE-346
    - ASVS 5.0 V3.4.8
    - https://owasp.org/www-project-secure-headers/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity, Vantage
from stopper.policy import DEMANDED, HEADERS
from stopper.rule import Rule

if TYPE_CHECKING:
    from stopper.wire.site import Site


class IsolationHeadersMissing(Rule):
    """Compare the first page with the headers of the policy that are advice, not a demand."""

    area = Area.HEADERS
    severity = Severity.INFO
    cwe = (693, 346)

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report the headers that the first page lacks."""
        if not site.pages:
            return
        page = site.pages[0]
        for name in (
            name
            for name in HEADERS
            if name not in (*DEMANDED, "X-Frame-Options") and page.header(name) is None
        ):
            yield self.seen(
                f"header:{name}", f"{page.url} has no {name}", vantage=Vantage.WIRE, context=name,
                remedy=f'response.headers.setdefault("{name}", "{HEADERS[name]}")',
            )  # fmt: skip
