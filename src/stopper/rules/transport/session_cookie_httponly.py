"""The session cookie must be out of reach of scripts.

One hole for a script in a page is enough to read a cookie without HttpOnly and to take the session elsewhere.
Flask's default is right; only switching it off is wrong.

Bad::

    from flask import Flask, session

    app = Flask(__name__)
    app.config["SESSION_COOKIE_HTTPONLY"] = False

Good::

    from flask import Flask, session

    app = Flask(__name__)
    app.config["SESSION_COOKIE_HTTPONLY"] = True

References:
    - CWE-1004
    - ASVS 5.0 V3.3.4
    - https://flask.palletsprojects.com/en/stable/config/#SESSION_COOKIE_HTTPONLY
"""

from __future__ import annotations

from stopper.finding import Area, Severity
from stopper.rules._setting import SettingRule


class SessionCookieHttponly(SettingRule):
    """Compare SESSION_COOKIE_HTTPONLY, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.MEDIUM
    cwe = (1004,)
    keys = ("SESSION_COOKIE_HTTPONLY",)
    wrong_message = "{key} is off: any script in a page can read the session"
    remedy = "True"
