"""A content security policy must be one that browsers understand.

An unknown directive is ignored, and self without single quotes means a host called self. Neither Talisman nor
the browser stops the app for it: the policy looks strict and is not.

Bad::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    Talisman(app, content_security_policy={
        "default-src": "'self'",
        "scriptsrc": "self",
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
    Content-Security-Policy: default-src self; scripts-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Content-Security-Policy: default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'

References:
    - CWE-693
    - ASVS 5.0 V3.4.3
    - https://www.w3.org/TR/CSP3/#grammardef-keyword-source
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity
from stopper.policy import CSP_DIRECTIVES, CSP_KEYWORDS
from stopper.rule import Rule
from stopper.rules._csp import policies, weaknesses
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.wire.site import Site


class CspMisspelt(Rule):
    """Compare directives and keywords with those of CSP Level 3."""

    area = Area.HEADERS
    severity = Severity.MEDIUM
    cwe = (693,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report unknown directives and keywords without quotes."""
        for policy in policies(project):
            unknown = sorted(name for name in policy.directives if name not in CSP_DIRECTIVES)
            bare = sorted(
                {
                    one
                    for sources in policy.directives.values()
                    for one in sources
                    if one.lower() in CSP_KEYWORDS
                }
            )
            problems = [f"{name!r} is no directive" for name in unknown] + [
                f"{one} needs single quotes" for one in bare
            ]
            if problems:
                yield self.found(
                    policy.location,
                    f"browsers ignore parts of this policy: {', '.join(problems)}",
                    remedy='"script-src": "\'self\'"',
                    context="csp",
                )

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report what the policies on the wire let through, with what this site's pages would need instead."""
        yield from weaknesses(self, site, ("unknown", "keyword", "semicolon"))
