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

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stopper.finding import Area, Cleared, Finding, Severity, Vantage
from stopper.rules._closed import closed_by
from stopper.rules._posture import TALISMAN, constant, own_calls, uses_sessions
from stopper.rules._setting import SettingRule
from stopper.rules._when import says_no_same_site, sets_same_site
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.wire.site import Site


@closed_by("cookies", when=sets_same_site, in_app=says_no_same_site, whole=True)
class SessionCookieSamesite(SettingRule):
    """Compare SESSION_COOKIE_SAMESITE, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (1275, 352)
    keys = ("SESSION_COOKIE_SAMESITE",)
    wrong_message = "{key} lets other sites send requests with the user's session"
    unset_message = (
        "{key} is set nowhere: whether other sites can send requests with the session is left to the browser"
    )
    remedy = '"Lax"'

    def wire(self, site: Site) -> Iterator[Finding | Cleared]:
        """Say what the session cookie on the wire has."""
        sessions = [one for one in site.cookies() if one.is_session]
        wrong = [one for one in sessions if "samesite" not in one.attributes]
        if wrong:
            message = f"{wrong[0].exchange.url} sets the session cookie without samesite"
            yield self.seen(
                "setting:SESSION_COOKIE_SAMESITE",
                message,
                vantage=Vantage.WIRE,
                remedy=self._line("SESSION_COOKIE_SAMESITE"),
            )
        elif sessions:
            yield self.cleared(
                "the session cookie on the wire has it",
                context="SESSION_COOKIE_SAMESITE",
                vantage=Vantage.WIRE,
            )

    def wrong(self, value: Any) -> bool:
        """Tell whether other sites' requests carry the cookie."""
        return str(value).lower() not in ("lax", "strict")

    def concerns(self, project: Project) -> bool:
        """Tell whether sessions are used and Talisman does not set the flag."""
        talisman = own_calls(project, *TALISMAN)
        return uses_sessions(project) and all(
            constant(call.argument(None, "session_cookie_samesite")) is None for call in talisman
        )
