"""The session cookie must not travel with requests that other sites make.

Without SameSite it is left to each browser whether a form on another site is sent with the user's session.
Lax keeps links from outside working. Flask's default sets nothing.

Bad::

    from flask import Flask, session

    app = Flask(__name__)
    app.config["SESSION_COOKIE_SAMESITE"] = None

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
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"

    @app.get("/")
    def index():
        session["seen"] = True
        return "seen"

Good::

    from flask import Flask, session

    app = Flask(__name__)
    app.config.update(SESSION_COOKIE_SAMESITE="Lax")

    @app.get("/")
    def index():
        session["seen"] = True
        return "seen"

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Set-Cookie: session=e30.x.y; Secure; HttpOnly; Path=/

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Set-Cookie: session=e30.x.y; Secure; HttpOnly; SameSite=Lax; Path=/

References:
    - CWE-1275
    - CWE-352
    - ASVS 5.0 V3.3.2
    - https://flask.palletsprojects.com/en/stable/config/#SESSION_COOKIE_SAMESITE
"""

from __future__ import annotations

from typing import Any

from stopper.finding import Area, Severity
from stopper.rules._closed import closed_by
from stopper.rules._posture import TALISMAN, constant, own_calls, uses_sessions
from stopper.rules._setting import SessionCookieRule
from stopper.rules._when import says_no_same_site, sets_same_site
from stopper.source.project import Project


@closed_by("cookies", when=sets_same_site, in_app=says_no_same_site, whole=True)
class SessionCookieSamesite(SessionCookieRule):
    """Compare SESSION_COOKIE_SAMESITE, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (1275, 352)
    keys = ("SESSION_COOKIE_SAMESITE",)
    attribute = "samesite"
    wrong_message = "{key} lets other sites send requests with the user's session"
    unset_message = (
        "{key} is set nowhere: whether other sites can send requests with the session is left to the browser"
    )
    remedy = '"Lax"'

    def wrong(self, value: Any) -> bool:
        """Tell whether other sites' requests carry the cookie."""
        return str(value).lower() not in ("lax", "strict")

    def concerns(self, project: Project) -> bool:
        """Tell whether sessions are used and Talisman does not set the flag."""
        talisman = own_calls(project, *TALISMAN)
        return uses_sessions(project) and all(
            constant(call.argument(None, "session_cookie_samesite")) is None for call in talisman
        )
