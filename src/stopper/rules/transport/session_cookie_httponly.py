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

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Set-Cookie: session=e30.x.y; Secure; Path=/

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Set-Cookie: session=e30.x.y; Secure; HttpOnly; SameSite=Lax; Path=/

References:
    - CWE-1004
    - ASVS 5.0 V3.3.4
    - https://flask.palletsprojects.com/en/stable/config/#SESSION_COOKIE_HTTPONLY
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Cleared, Finding, Severity, Vantage
from stopper.rules._closed import closed_by
from stopper.rules._setting import SettingRule
from stopper.rules._when import keeps_session_from_scripts

if TYPE_CHECKING:
    from stopper.wire.site import Site


@closed_by("cookies", when=keeps_session_from_scripts, whole=True)
class SessionCookieHttponly(SettingRule):
    """Compare SESSION_COOKIE_HTTPONLY, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.MEDIUM
    cwe = (1004,)
    keys = ("SESSION_COOKIE_HTTPONLY",)
    wrong_message = "{key} is off: any script in a page can read the session"
    remedy = "True"

    def wire(self, site: Site) -> Iterator[Finding | Cleared]:
        """Say what the session cookie on the wire has."""
        sessions = [one for one in site.cookies() if one.is_session]
        wrong = [one for one in sessions if "httponly" not in one.attributes]
        if wrong:
            message = f"{wrong[0].exchange.url} sets the session cookie without httponly"
            yield self.seen(
                "setting:SESSION_COOKIE_HTTPONLY",
                message,
                vantage=Vantage.WIRE,
                remedy=self._line("SESSION_COOKIE_HTTPONLY"),
            )
        elif sessions:
            yield self.cleared(
                "the session cookie on the wire has it",
                context="SESSION_COOKIE_HTTPONLY",
                vantage=Vantage.WIRE,
            )
