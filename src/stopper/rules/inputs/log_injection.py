r"""An app must not write what a client sends into its log as it is.

A line break in a name starts a new line of the log, and the client writes it: a login that never was, or a thousand
lines that hide the one that matters.

Log with ``%r``, which shows a line break as ``\n``, or as JSON.

Bad::

    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/login")
    def login():
        app.logger.warning("failed login of " + request.form["name"])
        return "no", 401

Good::

    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/login")
    def login():
        app.logger.warning(f"failed login of {request.form['name']!r}")
        return "no", 401

References:
    - CWE-117
    - ASVS 5.0 V16.4.1
    - https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class LogInjection(Rule):
    """Every flow of a client's data into a log message; ``%r``, ``!r`` and removed line breaks are enough."""

    area = Area.INPUTS
    severity = Severity.LOW
    cwe = (117,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "log"):
            message = f"{flow.source} is written to the log by {flow.sink_name} with its line breaks."
            if "looked-up" in flow.marks:
                message += " Only what a row holds comes this far."
            elif "one-line" in flow.marks:
                message += " A server that keeps to HTTP lets none into a header; an old or lenient one does."
            yield self.found_flow(flow, message, remedy='app.logger.warning("failed login of %r", name)')
