"""A spreadsheet must not get cells that a client wrote as formulas.

A cell that begins with ``=``, ``+``, ``-`` or ``@`` is a formula to the program that opens the file. It can send the other
cells away, or ask the reader to start a program.

Write an apostrophe in front of such cells.

Bad::

    import csv
    import io

    from flask import Flask, Response, request

    app = Flask(__name__)

    @app.get("/export")
    def export():
        out = io.StringIO()
        csv.writer(out).writerow(["name", request.args["name"]])
        return Response(out.getvalue(), mimetype="text/csv")

Good::

    import csv
    import io

    from flask import Flask, Response, request

    app = Flask(__name__)

    @app.get("/export")
    def export():
        out = io.StringIO()
        csv.writer(out).writerow(["name", "'" + request.args["name"]])
        return Response(out.getvalue(), mimetype="text/csv")

References:
    - CWE-1236
    - ASVS 5.0 V1.2.10
    - https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class CsvInjection(Rule):
    """Every flow of a client's data into a row of a CSV file."""

    area = Area.INPUTS
    severity = Severity.LOW
    cwe = (1236,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "csv"):
            message = f"{flow.source} becomes a cell of {flow.sink_name}: a spreadsheet takes =, +, - or @ at its front for a formula."
            yield self.found_flow(flow, message, remedy='writer.writerow(["\'" + name])')
