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

from stopper.finding import Area, Severity
from stopper.rules._closed import closed_by
from stopper.rules._setting import SettingRule


@closed_by("cookies", whole=True)
class JwtCookieSecure(SettingRule):
    """Compare JWT_COOKIE_SECURE, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.MEDIUM
    cwe = (614,)
    keys = ("JWT_COOKIE_SECURE",)
    wrong_message = "{key} is off: the token cookie is also sent over plain HTTP"
    remedy = "True"
