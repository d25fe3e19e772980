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

from stopper.finding import Area, Severity
from stopper.rules._closed import closed_by
from stopper.rules._setting import SessionCookieRule
from stopper.rules._when import keeps_session_from_scripts


@closed_by("cookies", when=keeps_session_from_scripts, whole=True)
class SessionCookieHttponly(SessionCookieRule):
    """Compare SESSION_COOKIE_HTTPONLY, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.MEDIUM
    cwe = (1004,)
    keys = ("SESSION_COOKIE_HTTPONLY",)
    attribute = "httponly"
    wrong_message = "{key} is off: any script in a page can read the session"
    remedy = "True"
