"""A policy that sends no Referer must not meet a check that demands one.

Over HTTPS Flask-WTF refuses a form without a Referer. With ``Referrer-Policy: no-referrer`` browsers send none, so that every
form gets status 400, and what gets switched off then is the check.

Bad::

    from flask import Flask
    from flask_wtf import CSRFProtect

    app = Flask(__name__)
    CSRFProtect(app)

    @app.after_request
    def private(response):
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

Good::

    from flask import Flask
    from flask_wtf import CSRFProtect

    app = Flask(__name__)
    CSRFProtect(app)

    @app.after_request
    def private(response):
        response.headers["Referrer-Policy"] = "same-origin"
        return response

References:
    - CWE-352
    - ASVS 5.0 V3.5.1
    - https://flask-wtf.readthedocs.io/en/stable/config/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Location, Severity
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._posture import TALISMAN, constant, decorated_with, own_calls
from stopper.source.headers import stored_headers
from stopper.source.project import Project


@closed_by("csrf", whole=True)
class CsrfNeedsReferrer(Rule):
    """Look for no-referrer, set by hand or by Talisman, beside CSRFProtect with its strict check."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (352,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each place that sets the policy."""
        if not decorated_with(project, "flask_wtf.CSRFProtect", "flask_wtf.csrf.CSRFProtect"):
            return
        if any(
            one.value.in_production() is False
            for one in project.settings.in_production("WTF_CSRF_SSL_STRICT")
        ):
            return
        for place in _without_referrer(project):
            yield self.found(
                place, "browsers then send no Referer, and Flask-WTF refuses every form without one over HTTPS",
                confidence=Confidence.MEDIUM, remedy='"Referrer-Policy": "same-origin"', context="no-referrer",
            )  # fmt: skip


def _without_referrer(project: Project) -> Iterator[Location]:
    """Yield where the policy no-referrer is set: in a header, or as an argument of Talisman."""
    for _, place in stored_headers(project, "referrer-policy"):
        if re.search(r"""['"]no-referrer['"]""", project.line(place)):
            yield place
    for call in own_calls(project, *TALISMAN):
        if constant(call.argument(None, "referrer_policy")) == "no-referrer":
            yield call.location
