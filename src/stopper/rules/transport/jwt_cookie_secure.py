"""Cookies that carry a JWT must be sent over HTTPS only.

Flask-JWT-Extended sets its cookies without Secure unless JWT_COOKIE_SECURE is on, so the token that is the
whole login travels in the clear.

Bad::

    from flask import Flask, session

    app = Flask(__name__)
    app.config["JWT_COOKIE_SECURE"] = False

Good::

    from flask import Flask, session

    app = Flask(__name__)
    app.config["JWT_COOKIE_SECURE"] = True

References:
    - CWE-614
    - ASVS 5.0 V3.3.1
    - https://flask-jwt-extended.readthedocs.io/en/stable/options.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import judged_setting
from stopper.source.project import Project


class JwtCookieSecure(Rule):
    """Compare JWT_COOKIE_SECURE, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.MEDIUM
    cwe = (614,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report a wrong value where it is written, and the absence of a right one at the app."""
        yield from judged_setting(
            self,
            project,
            "JWT_COOKIE_SECURE",
            wrong=lambda value: not value,
            wrong_message="JWT_COOKIE_SECURE is off: the token cookie is also sent over plain HTTP",
            unset_message="",
            remedy='app.config["JWT_COOKIE_SECURE"] = True',
        )
