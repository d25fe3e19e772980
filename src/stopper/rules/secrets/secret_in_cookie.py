"""An app must not keep a password in a cookie.

A cookie is stored in the browser as it is, sent with each request, and copied with every backup of the profile. Whoever
reads it once has the password for good.

Keep a session, or a random token that only the server can look up.

Bad::

    from flask import Flask, make_response, request

    app = Flask(__name__)

    @app.post("/login")
    def login():
        response = make_response("welcome")
        response.set_cookie("password", request.form["password"], secure=True, httponly=True, samesite="Lax")
        return response

Good::

    from flask import Flask, make_response, session

    app = Flask(__name__)

    @app.post("/login")
    def login():
        session["user"] = 7
        return make_response("welcome")

References:
    - CWE-312
    - CWE-315
    - CWE-522
    - ASVS 5.0 V14.3.3
    - https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class SecretInCookie(Rule):
    """Every flow of a field whose name says password into the value of a cookie."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (312, 315, 522)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "secret-cookie"):
            message = f"{flow.source} is kept in the browser by {flow.sink_name}."
            yield self.found_flow(flow, message, remedy='session["user"] = user.id')
