"""An app must not run commands that hold what a client sends.

A shell reads ``;``, ``|`` and ``$( )`` as its own. A file name of ``x; rm -rf /`` is then two commands, run with the
rights of the server.

Start the program without a shell, with a list of arguments, and put ``--`` before those that the client chooses.

Bad::

    import os

    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/ping")
    def ping():
        os.system("ping -c 1 " + request.args["host"])
        return "done"

Good::

    import subprocess

    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/ping")
    def ping():
        subprocess.run(["ping", "-c", "1", "--", request.args["host"]], check=True)
        return "done"

References:
    - CWE-78
    - CWE-88
    - ASVS 5.0 V1.2.5
    - https://cheatsheetseries.owasp.org/cheatsheets/OS_Command_Injection_Defense_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._closed import held_by
from stopper.source import rewrite
from stopper.source.project import Project
from stopper.taint.flows import flows_into


@held_by("sentry")
class CommandInjection(Rule):
    """Every flow of a client's data into a command line, or into the arguments of a program."""

    area = Area.INPUTS
    severity = Severity.CRITICAL
    cwe = (
        78,
        88,
    )

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "command"):
            message = f"{flow.source} becomes part of the command that {flow.sink_name} runs."
            yield self.found_flow(
                flow,
                message,
                remedy=rewrite.argument_list(project.code, flow.sink)
                or 'subprocess.run(["ping", "-c", "1", "--", host], check=True)',
            )
        for flow in flows_into(project, "argument"):
            message = f"{flow.source} is an argument of the program that {flow.sink_name} starts; it may begin with a dash and be an option."
            yield self.found_flow(flow, message, remedy='[..., "--", value]', severity=Severity.MEDIUM)
