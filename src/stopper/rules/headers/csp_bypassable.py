"""A content security policy must not let in hosts that serve what anybody chooses.

A list of hosts is only as strict as the laxest of them: CDNs serve every version of every package, JSONP answers call any function, and
'self' covers uploads. A nonce with 'strict-dynamic' names the page's own scripts instead.

Bad::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    Talisman(app, content_security_policy={"default-src": "'self'", "script-src": "'self' https://cdn.jsdelivr.net"})

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Content-Security-Policy: script-src https://cdn.jsdelivr.net; object-src 'none'; base-uri 'none'

Good::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    Talisman(
        app,
        content_security_policy={"default-src": "'self'", "script-src": "'strict-dynamic'"},
        content_security_policy_nonce_in=["script-src"],
    )

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Content-Security-Policy: script-src 'nonce-pR5c0iZrWm8kQ2hT' 'strict-dynamic'; object-src 'none'; base-uri 'none'

References:
    - CWE-693
    - CWE-829
    - ASVS 5.0 V3.4.3
    - https://csp.withgoogle.com/docs/strict-csp.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.csp import judge
from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._csp import policies, weaknesses
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.wire.site import Site


class CspBypassable(Rule):
    """Judge the sources of each policy, in the source and on the wire, by what they let in."""

    area = Area.HEADERS
    severity = Severity.LOW
    cwe = (693, 829)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report the policies that name a host which serves what anybody chooses."""
        for policy in policies(project):
            if policy.nonce_in_scripts or not policy.whole:
                continue
            open_ones = [one for one in judge(policy.directives) if one.kind == "anybody"]
            if open_ones:
                yield self.found(
                    policy.location, f"{open_ones[0].directive} {open_ones[0].source}: {open_ones[0].says}", severity=Severity.MEDIUM,
                    remedy=f"{open_ones[0].directive} {open_ones[0].instead}", context="csp",
                )  # fmt: skip

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report what the policies on the wire let in."""
        yield from weaknesses(self, site, ("anybody", "host", "self", "plain", "nonce"))
