"""An app must not build SQL out of what a client sends.

A database reads one text and cannot tell which part was the programmer's. A quote in a search field ends the string
and starts a command: the client reads every table, changes rows, or logs in as anyone.

Send the values beside the statement, as parameters. The names of columns and tables cannot be parameters: compare
them with a list of the ones that exist.

Bad::

    import sqlite3

    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/users")
    def users():
        connection = sqlite3.connect("app.db")
        name = request.args["name"]
        rows = connection.execute(f"SELECT id FROM users WHERE name = '{name}'").fetchall()
        return {"users": rows}

Good::

    import sqlite3

    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/users")
    def users():
        connection = sqlite3.connect("app.db")
        name = request.args["name"]
        rows = connection.execute("SELECT id FROM users WHERE name = ?", (name,)).fetchall()
        return {"users": rows}

References:
    - CWE-89
    - ASVS 5.0 V1.2.4
    - https://cheatsheetseries.owasp.org/cheatsheets/SQL_Injection_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._closed import held_by
from stopper.source import rewrite
from stopper.source.project import Project
from stopper.taint.flow import Flow
from stopper.taint.flows import flows_into


@held_by("sql")
class SqlInjection(Rule):
    """Every flow of a client's data into the text of a statement; parameters are free."""

    area = Area.SQL
    severity = Severity.CRITICAL
    cwe = (89,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "sql"):
            message = f"{flow.source} becomes part of the SQL that {flow.sink_name} runs."
            yield self.found_flow(
                flow,
                message,
                remedy=_bound(project, flow) or _remedy(flow.sink_name),
            )


def _bound(project: Project, flow: Flow) -> str:
    """Return the user's own statement with its values bound, or what cannot be: at the call in the view, else at the driver's."""
    places = dict.fromkeys((flow.place, flow.sink))
    ways = (rewrite.bound_statement, rewrite.without_parameter)
    return next(filter(None, (way(project.code, place) for way in ways for place in places)), "")


def _remedy(sink: str) -> str:
    """Return the call to write instead, in the manner of the sink."""
    if sink in ("text()", "literal_column()"):
        return 'db.session.execute(text("SELECT ... WHERE name = :name"), {"name": name})'
    if sink in ("order_by()", "group_by()"):
        return 'query.order_by({"name": User.name, "age": User.age}[key])'
    return 'cursor.execute("SELECT ... WHERE name = ?", (name,))'
