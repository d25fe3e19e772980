"""An app must not run what a client sends as Python.

``eval`` and ``exec`` do what the text says, with all that the server may do. Forbidding words does not help: Python
reaches everything from any object.

Read data with ``json.loads`` or ``ast.literal_eval``, and choose what to do from a dictionary of functions.

Bad::

    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/sum")
    def total():
        return {"total": eval(request.args["terms"])}

Good::

    import json

    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/sum")
    def total():
        return {"total": sum(json.loads(request.args["terms"]))}

References:
    - CWE-94
    - CWE-95
    - CWE-134
    - ASVS 5.0 V1.3.2
    - https://docs.python.org/3/library/ast.html#ast.literal_eval
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class CodeExecution(Rule):
    """Every flow of a client's data into ``eval``, ``exec``, an import by name, or the format of a string."""

    area = Area.INPUTS
    severity = Severity.CRITICAL
    cwe = (
        94,
        95,
        134,
    )

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "code"):
            message = f"{flow.source} is run as code by {flow.sink_name}."
            yield self.found_flow(
                flow,
                message,
                remedy="value = ast.literal_eval(text)  # or ACTIONS[name]() from a constant dict",
            )
        for flow in flows_into(project, "reflection"):
            message = f"{flow.source} chooses which attribute {flow.sink_name} gives: any method of the object can be reached."
            yield self.found_flow(
                flow, message, remedy="value = ALLOWED[name]  # a constant dict", severity=Severity.MEDIUM
            )
        for flow in flows_into(project, "format-string"):
            message = f"{flow.source} is the format of a string: it can read attributes of what is formatted."
            yield self.found_flow(flow, message, remedy='"Hello {}".format(value)', severity=Severity.MEDIUM)
