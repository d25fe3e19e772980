"""A content security policy must name what default-src does not cover.

base-uri, form-action and frame-ancestors do not fall back to default-src. Without them an injected base tag
moves every relative link, a form can post anywhere, and any site can frame the page.

Bad::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    Talisman(app, content_security_policy={"default-src": "'self'"})

Good::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    Talisman(app, content_security_policy={
        "default-src": "'self'",
        "script-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    })

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Content-Security-Policy: default-src 'self'

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Content-Security-Policy: default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'

References:
    - CWE-693
    - CWE-1021
    - ASVS 5.0 V3.4.3
    - ASVS 5.0 V3.4.6
    - https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity
from stopper.policy import CSP_NEEDED
from stopper.rule import Rule
from stopper.rules._csp import policies, weaknesses
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.wire.site import Site


class CspIncomplete(Rule):
    """Read every policy written in code or in a proxy's configuration."""

    area = Area.HEADERS
    severity = Severity.LOW
    cwe = (693, 1021)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each policy with the directives it lacks."""
        for policy in policies(project):
            missing = [name for name in CSP_NEEDED if name not in policy.directives]
            if missing and policy.whole:
                yield self.found(
                    policy.location,
                    f"the policy says nothing of {', '.join(missing)}, which default-src does not cover",
                    remedy="base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
                    context="csp",
                )

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report what the policies on the wire let through, with what this site's pages would need instead."""
        yield from weaknesses(self, site, ("missing",))
