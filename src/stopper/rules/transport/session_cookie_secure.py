"""The session cookie must be sent over HTTPS only.

Without the Secure flag the browser also sends the cookie over plain HTTP, where anybody on the way can read
it and take the session over. Flask's default is False.

Bad::

    from flask import Flask, session

    app = Flask(__name__)
    app.config["SESSION_COOKIE_SECURE"] = False

Bad::

    from flask import Flask, session

    app = Flask(__name__)

Good::

    from flask import Flask, session

    app = Flask(__name__)
    app.config["SESSION_COOKIE_SECURE"] = True

Good::

    from flask import Flask, session

    app = Flask(__name__)
    app.config.update(SESSION_COOKIE_SECURE=True)

References:
    - CWE-614
    - ASVS 5.0 V3.3.1
    - https://flask.palletsprojects.com/en/stable/config/#SESSION_COOKIE_SECURE
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import TALISMAN, constant, judged_setting, own_calls, uses_sessions
from stopper.source.project import Project


class SessionCookieSecure(Rule):
    """Compare SESSION_COOKIE_SECURE, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.MEDIUM
    cwe = (614,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report a wrong value where it is written, and the absence of a right one at the app."""
        if not uses_sessions(project):
            return
        if any(
            constant(call.argument(None, "session_cookie_secure")) is not False
            for call in own_calls(project, *TALISMAN)
        ):
            return
        yield from judged_setting(
            self,
            project,
            "SESSION_COOKIE_SECURE",
            wrong=lambda value: not value,
            wrong_message="SESSION_COOKIE_SECURE is off in production: the session cookie is also sent over plain HTTP",
            unset_message="SESSION_COOKIE_SECURE is set nowhere, and Flask's default is False: the session cookie is also sent over plain HTTP",
            remedy='app.config["SESSION_COOKIE_SECURE"] = True',
        )
