"""A client must not choose the name, domain or path of a cookie.

Whoever names a cookie can set the one that something else trusts, or widen it to every host of the domain.

Give cookies fixed names; their values may be anything.

Bad::

    from flask import Flask, make_response, request

    app = Flask(__name__)

    @app.post("/choice")
    def choice():
        response = make_response("saved")
        response.set_cookie(request.form["name"], "yes", secure=True, httponly=True, samesite="Lax")
        return response

Good::

    from flask import Flask, make_response, request

    app = Flask(__name__)

    @app.post("/choice")
    def choice():
        response = make_response("saved")
        response.set_cookie("choice", request.form["name"], secure=True, httponly=True, samesite="Lax")
        return response

References:
    - CWE-20
    - CWE-113
    - ASVS 5.0 V3.3.3
    - https://werkzeug.palletsprojects.com/en/stable/wrappers/#werkzeug.wrappers.Response.set_cookie
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class CookieInjection(Rule):
    """Every flow of a client's data into the name, the domain or the path of a cookie."""

    area = Area.INPUTS
    severity = Severity.LOW
    cwe = (20, 113)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "cookie"):
            message = f"{flow.source} chooses the cookie that {flow.sink_name} sets."
            yield self.found_flow(
                flow, message, remedy='response.set_cookie("choice", value, secure=True, httponly=True)'
            )
