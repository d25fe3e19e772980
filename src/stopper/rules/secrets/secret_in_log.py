"""An app must not write a password or a token to its log.

Logs are copied, kept for years and read by many. A password in one is a password that everybody who reads logs knows, and
people use it elsewhere as well.

Log that something happened, to whom and when; never what they typed.

Bad::

    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/register")
    def register():
        app.logger.info("registering with %r", request.form["password"])
        return "done"

Good::

    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/register")
    def register():
        app.logger.info("registering %r", request.form["name"])
        return "done"

References:
    - CWE-532
    - CWE-312
    - ASVS 5.0 V16.2.5
    - https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class SecretInLog(Rule):
    """Every flow of a field whose name says password, token or key into a log message."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (532, 312)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "secret-log"):
            message = f"{flow.source} is written to the log by {flow.sink_name}."
            yield self.found_flow(flow, message, remedy='app.logger.info("registering %r", name)')
