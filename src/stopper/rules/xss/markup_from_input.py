"""An app must not mark what a client sent as safe HTML.

``Markup`` says: a person has made sure that this is HTML which may be shown. Jinja then leaves it as it is, in every
template. Where it holds what a client sent, the client's script runs for everyone who sees the page.

Give ``Markup`` a constant and let its ``format`` escape the values, or clean real HTML with a sanitiser first.

Bad::

    from flask import Flask, render_template, request
    from markupsafe import Markup

    app = Flask(__name__)

    @app.get("/search")
    def search():
        title = Markup("Results for <b>" + request.args.get("q", "") + "</b>")
        return render_template("search.html", title=title)

Good::

    from flask import Flask, render_template, request
    from markupsafe import Markup

    app = Flask(__name__)

    @app.get("/search")
    def search():
        title = Markup("Results for <b>{}</b>").format(request.args.get("q", ""))
        return render_template("search.html", title=title)

References:
    - CWE-79
    - ASVS 5.0 V1.2.1
    - https://markupsafe.palletsprojects.com/en/stable/formatting/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class MarkupFromInput(Rule):
    """Every flow of a client's data into ``Markup()`` or another maker of trusted HTML."""

    area = Area.XSS
    severity = Severity.HIGH
    cwe = (79,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "markup"):
            message = f"{flow.source} is marked as safe HTML by {flow.sink_name}."
            yield self.found_flow(flow, message, remedy='Markup("<b>{}</b>").format(value)')
