"""A view must not answer with a page that holds what the client sent, unescaped.

Text that a view returns is HTML to the browser. A link with a script in its query then runs that script on your site,
with the session of whoever follows it.

Render a template, which escapes, or escape the value.

Bad::

    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/hello")
    def hello():
        return "<p>Hello " + request.args.get("name", "") + "</p>"

Good::

    from flask import Flask, request
    from markupsafe import escape

    app = Flask(__name__)

    @app.get("/hello")
    def hello():
        return f"<p>Hello {escape(request.args.get('name', ''))}</p>"

References:
    - CWE-79
    - ASVS 5.0 V1.2.1
    - https://flask.palletsprojects.com/en/stable/quickstart/#html-escaping
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source import rewrite
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class ReflectedXss(Rule):
    """Every flow of a client's data into an answer whose content type is HTML."""

    area = Area.XSS
    severity = Severity.HIGH
    cwe = (79,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "html"):
            message = f"{flow.source} is sent back as HTML by {flow.sink_name}, unescaped."
            yield self.found_flow(
                flow,
                message,
                remedy=rewrite.escaped_page(project.code, flow.sink)
                or 'return f"<p>{escape(value)}</p>"  # from markupsafe import escape',
            )
