"""The session cookie must not travel with requests that other sites make.

Without SameSite it is left to each browser whether a form on another site is sent with the user's session.
Lax keeps links from outside working. Flask's default sets nothing.

Bad::

    from flask import Flask, session

    app = Flask(__name__)
    app.config["SESSION_COOKIE_SAMESITE"] = None

Bad::

    from flask import Flask, session

    app = Flask(__name__)

Good::

    from flask import Flask, session

    app = Flask(__name__)
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"

Good::

    from flask import Flask, session

    app = Flask(__name__)
    app.config.update(SESSION_COOKIE_SAMESITE="Lax")

References:
    - CWE-1275
    - CWE-352
    - ASVS 5.0 V3.3.2
    - https://flask.palletsprojects.com/en/stable/config/#SESSION_COOKIE_SAMESITE
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import TALISMAN, constant, judged_setting, own_calls, uses_sessions
from stopper.source.project import Project


class SessionCookieSamesite(Rule):
    """Compare SESSION_COOKIE_SAMESITE, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (1275, 352)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report a wrong value where it is written, and the absence of a right one at the app."""
        if not uses_sessions(project):
            return
        if any(
            constant(call.argument(None, "session_cookie_samesite")) is not None
            for call in own_calls(project, *TALISMAN)
        ):
            return
        yield from judged_setting(
            self,
            project,
            "SESSION_COOKIE_SAMESITE",
            wrong=lambda value: str(value).lower() not in ("lax", "strict"),
            wrong_message="SESSION_COOKIE_SAMESITE lets other sites send requests with the user's session",
            unset_message="SESSION_COOKIE_SAMESITE is set nowhere: whether other sites can send requests with the session is left to the browser",
            remedy='app.config["SESSION_COOKIE_SAMESITE"] = "Lax"',
        )
