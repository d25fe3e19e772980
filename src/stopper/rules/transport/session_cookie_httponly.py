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

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import judged_setting
from stopper.source.project import Project


class SessionCookieHttponly(Rule):
    """Compare SESSION_COOKIE_HTTPONLY, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.MEDIUM
    cwe = (1004,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report a wrong value where it is written, and the absence of a right one at the app."""
        yield from judged_setting(
            self,
            project,
            "SESSION_COOKIE_HTTPONLY",
            wrong=lambda value: not value,
            wrong_message="SESSION_COOKIE_HTTPONLY is off: any script in a page can read the session",
            unset_message="",
            remedy='app.config["SESSION_COOKIE_HTTPONLY"] = True',
        )
