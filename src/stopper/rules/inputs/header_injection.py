"""An app must not let a client name the headers of its answers.

Werkzeug refuses line breaks in a header's value. The name is not looked at so closely, and a client who chooses it
can switch off your policies, set a cookie for somebody else or make a cache keep the wrong page.

Write the names of headers as constants.

Bad::

    from flask import Flask, make_response, request

    app = Flask(__name__)

    @app.get("/mark")
    def mark():
        response = make_response("done")
        response.headers[request.args["name"]] = "1"
        return response

Good::

    from flask import Flask, make_response, request

    app = Flask(__name__)

    @app.get("/mark")
    def mark():
        response = make_response("done")
        response.headers["X-Mark"] = request.args["name"]
        return response

References:
    - CWE-113
    - ASVS 5.0 V1.3.11
    - https://werkzeug.palletsprojects.com/en/stable/datastructures/#werkzeug.datastructures.Headers
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class HeaderInjection(Rule):
    """Every flow of a client's data into the name of a header."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (113,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "header"):
            message = f"{flow.source} names a header of the answer."
            yield self.found_flow(flow, message, remedy='response.headers["X-Mark"] = value')
