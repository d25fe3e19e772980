"""A content security policy must not allow inline scripts.

'unsafe-inline' and 'unsafe-eval' in script-src let every script in the page run, those that an attacker put
there included: the policy then stops little of what it is for. A nonce for each answer lets your own inline
scripts run.

Bad::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    Talisman(app, content_security_policy={
        "default-src": "'self'",
        "script-src": ["'self'", "'unsafe-inline'"],
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    })

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
    Content-Security-Policy: default-src 'self'; script-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Content-Security-Policy: default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'

References:
    - CWE-693
    - CWE-79
    - ASVS 5.0 V3.4.3
    - https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CSP
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._csp import policies, weaknesses
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.wire.site import Site


class CspUnsafeInline(Rule):
    """Read every policy written in code or in a proxy's configuration."""

    area = Area.HEADERS
    severity = Severity.MEDIUM
    cwe = (693, 79)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each policy whose scripts may be inline or evaluated, unless a nonce or hash switches that off."""
        for policy in policies(project):
            sources = policy.directives.get("script-src", policy.directives.get("default-src", ()))
            unsafe = [one for one in ("'unsafe-inline'", "'unsafe-eval'") if one in sources]
            if any(one.startswith(("'nonce-", "'sha")) for one in sources) or policy.nonce_in_scripts:
                unsafe = [one for one in unsafe if one != "'unsafe-inline'"]
            if unsafe:
                yield self.found(
                    policy.location,
                    f"script-src allows {' and '.join(unsafe)}: a script that an attacker writes into a page runs",
                    severity=Severity.MEDIUM if "'unsafe-inline'" in unsafe else Severity.LOW,
                    remedy='"script-src": "\'self\'"  # and a nonce for inline scripts: content_security_policy_nonce_in=["script-src"]',
                    context="csp",
                )

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report what the policies on the wire let through, with what this site's pages would need instead."""
        yield from weaknesses(self, site, ("inline", "eval", "broad"))
