"""The middleware of secure must not stand before an app that sets cookies.

SecureWSGIMiddleware of secure 2.0.1 takes repeated headers out by indexes that are stale after the first: where an app sets
several of the same headers, a Set-Cookie is dropped and an X-Frame-Options is sent twice. Its default policy asks for
upgrade-insecure-requests and knows no nonces.

Bad::

    from flask import Flask
    from secure import Secure
    from secure.middleware import SecureWSGIMiddleware

    app = Flask(__name__)
    app.wsgi_app = SecureWSGIMiddleware(app.wsgi_app, secure=Secure.with_default_headers())

Good::

    from flask import Flask
    from secure import Secure

    app = Flask(__name__)
    headers = Secure.with_default_headers().headers

    @app.after_request
    def secured(response):
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

References:
    - CWE-693
    - ASVS 5.0 V3.4.3
    - https://secure.readthedocs.io/en/latest/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import own_calls
from stopper.source.project import Project


class SecureWsgiMiddleware(Rule):
    """Look for the WSGI middleware of secure."""

    area = Area.HEADERS
    severity = Severity.MEDIUM
    cwe = (693,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each app that is wrapped in it."""
        for call in own_calls(
            project, "secure.middleware.SecureWSGIMiddleware", "secure.middleware.wsgi.SecureWSGIMiddleware"
        ):
            yield self.found(
                call.location, "secure's middleware drops a Set-Cookie where the app repeats a header, and its default policy has no nonce",
                confidence=Confidence.MEDIUM, remedy="response.headers.setdefault(name, value)  # in an after_request", context=call.function,
            )  # fmt: skip
