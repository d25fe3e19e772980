"""An app must not compile a regular expression that a client sends.

A pattern such as ``(a+)+$`` needs longer than the age of the world for thirty letters. One request then holds a
worker for good.

Escape the client's text with ``re.escape``, or search without a pattern.

Bad::

    import re

    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/find")
    def find():
        return {"found": bool(re.search(request.args["q"], "the text"))}

Good::

    import re

    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/find")
    def find():
        return {"found": bool(re.search(re.escape(request.args["q"]), "the text"))}

References:
    - CWE-1333
    - CWE-730
    - ASVS 5.0 V1.3.12
    - https://docs.python.org/3/library/re.html#re.escape
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class RegexInjection(Rule):
    """Every flow of a client's data into the pattern of a regular expression."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (
        1333,
        730,
    )

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "regex"):
            message = f"{flow.source} becomes part of the pattern of {flow.sink_name}."
            yield self.found_flow(flow, message, remedy="re.search(re.escape(text), subject)")
