"""X-Forwarded-Proto must be believed only where a proxy writes it.

Talisman takes the word of any client that says ``X-Forwarded-Proto: https``: over plain HTTP it is then neither redirected nor
refused. Behind two proxies the header reads ``https,http`` and everybody is redirected for ever. ProxyFix reads the header
from as many proxies as there are.

Bad::

    from flask import Flask, request

    app = Flask(__name__)

    @app.before_request
    def only_https():
        if request.headers.get("X-Forwarded-Proto") != "https":
            return "Use HTTPS", 403

Good::

    from flask import Flask, request
    from werkzeug.middleware.proxy_fix import ProxyFix

    app = Flask(__name__)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)

    @app.before_request
    def only_https():
        if not request.is_secure:
            return "Use HTTPS", 403

References:
    - CWE-348
    - CWE-290
    - ASVS 5.0 V4.1.3
    - https://flask.palletsprojects.com/en/stable/deploying/proxy_fix/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._posture import TALISMAN, constant, decorated_with, own_calls
from stopper.rules._when import counts_proxies
from stopper.source.project import Project


@closed_by("proxies", when=counts_proxies, whole=True)
class ForwardedProtoTrusted(Rule):
    """Look for code that reads the header by itself, and for a Talisman without ProxyFix."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (348, 290)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report who reads the header without knowing who wrote it."""
        remedy = "app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)"
        for call in own_calls(project, "flask.request.headers.get"):
            if str(constant(call.argument(0))).lower() == "x-forwarded-proto":
                yield self.found(
                    call.location, "the scheme is what the client says it is, unless a proxy writes this header",
                    confidence=Confidence.MEDIUM, remedy=f"{remedy}  # and request.is_secure here", context=call.function,
                )  # fmt: skip
        if decorated_with(project, "werkzeug.middleware.proxy_fix.ProxyFix"):
            return
        for call in own_calls(project, *TALISMAN):
            if constant(call.argument(None, "force_https")) is not False:
                yield self.found(
                    call.location, "Talisman believes X-Forwarded-Proto from anybody; a proxy that always writes it would settle it",
                    confidence=Confidence.LOW, remedy=remedy, context=call.function,
                )  # fmt: skip
