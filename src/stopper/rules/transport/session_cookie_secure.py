"""The session cookie must be sent over HTTPS only.

Without the Secure flag the browser also sends the cookie over plain HTTP, where anybody on the way can read
it and take the session over. Flask's default is False.

Bad::

    from flask import Flask, session

    app = Flask(__name__)
    app.config["SESSION_COOKIE_SECURE"] = False

    @app.get("/")
    def index():
        session["seen"] = True
        return "seen"

Bad::

    from flask import Flask, session

    app = Flask(__name__)

    @app.get("/")
    def index():
        session["seen"] = True
        return "seen"

Good::

    from flask import Flask, session

    app = Flask(__name__)
    app.config["SESSION_COOKIE_SECURE"] = True

    @app.get("/")
    def index():
        session["seen"] = True
        return "seen"

Good::

    from flask import Flask, session

    app = Flask(__name__)
    app.config.update(SESSION_COOKIE_SECURE=True)

    @app.get("/")
    def index():
        session["seen"] = True
        return "seen"

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Set-Cookie: session=e30.x.y; HttpOnly; Path=/

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Set-Cookie: session=e30.x.y; Secure; HttpOnly; SameSite=Lax; Path=/

References:
    - CWE-614
    - ASVS 5.0 V3.3.1
    - https://flask.palletsprojects.com/en/stable/config/#SESSION_COOKIE_SECURE
"""

from __future__ import annotations

from stopper.finding import Area, Severity
from stopper.rules._closed import closed_by
from stopper.rules._posture import TALISMAN, constant, own_calls, uses_sessions
from stopper.rules._setting import SessionCookieRule
from stopper.source.project import Project


@closed_by("cookies", whole=True)
class SessionCookieSecure(SessionCookieRule):
    """Compare SESSION_COOKIE_SECURE, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.MEDIUM
    cwe = (614,)
    keys = ("SESSION_COOKIE_SECURE",)
    attribute = "secure"
    wrong_message = "{key} is off in production: the session cookie is also sent over plain HTTP"
    unset_message = (
        "{key} is set nowhere, and Flask's default is False: the session cookie is also sent over plain HTTP"
    )
    remedy = "True"

    def concerns(self, project: Project) -> bool:
        """Tell whether sessions are used and Talisman does not set the flag."""
        talisman = own_calls(project, *TALISMAN)
        return uses_sessions(project) and all(
            constant(call.argument(None, "session_cookie_secure")) is False for call in talisman
        )
