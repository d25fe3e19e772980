"""An app must not compile a template out of what a client sends.

A template is a program. ``{{ config }}`` in a name prints the secret key; a few attributes more, and the client runs
commands on the server.

Write the template once, as a constant or a file, and pass the values to it.

Bad::

    from flask import Flask, render_template_string, request

    app = Flask(__name__)

    @app.get("/hello")
    def hello():
        return render_template_string("<p>Hello " + request.args.get("name", "") + "</p>")

Good::

    from flask import Flask, render_template_string, request

    app = Flask(__name__)

    @app.get("/hello")
    def hello():
        return render_template_string("<p>Hello {{ name }}</p>", name=request.args.get("name", ""))

References:
    - CWE-1336
    - ASVS 5.0 V1.3.7
    - https://flask.palletsprojects.com/en/stable/api/#flask.render_template_string
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source import rewrite
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class TemplateInjection(Rule):
    """Every flow of a client's data into the text of a template; what is passed to the template is free."""

    area = Area.XSS
    severity = Severity.CRITICAL
    cwe = (1336,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "template"):
            message = f"{flow.source} becomes part of the template that {flow.sink_name} runs."
            yield self.found_flow(
                flow,
                message,
                remedy=rewrite.template_values(project.code, flow.sink)
                or 'render_template_string("<p>Hello {{ name }}</p>", name=name)',
            )
        for flow in flows_into(project, "template-name"):
            message = f"{flow.source} chooses the template that {flow.sink_name} shows."
            remedy = 'render_template({"help": "help.html", "about": "about.html"}[page])'
            yield self.found_flow(flow, message, remedy=remedy, severity=Severity.MEDIUM)
