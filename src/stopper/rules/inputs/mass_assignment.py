"""An app must not let a client choose which fields of a record it sets.

``User(**request.json)`` sets whatever the client names. The form asks for a name and a colour; the client adds
``"is_admin": true``.

Name the fields that may be set.

Bad::

    from flask import Flask, request
    from flask_sqlalchemy import SQLAlchemy

    app = Flask(__name__)

    db = SQLAlchemy(app)

    class User(db.Model):
        id = db.Column(db.Integer, primary_key=True)
        name = db.Column(db.String(80))
        is_admin = db.Column(db.Boolean, default=False)

    @app.post("/users")
    def register():
        db.session.add(User(**request.get_json()))
        db.session.commit()
        return {"done": True}

Good::

    from flask import Flask, request
    from flask_sqlalchemy import SQLAlchemy

    app = Flask(__name__)

    db = SQLAlchemy(app)

    class User(db.Model):
        id = db.Column(db.Integer, primary_key=True)
        name = db.Column(db.String(80))
        is_admin = db.Column(db.Boolean, default=False)

    @app.post("/users")
    def register():
        db.session.add(User(name=request.get_json()["name"]))
        db.session.commit()
        return {"done": True}

References:
    - CWE-915
    - ASVS 5.0 V15.3.3
    - https://cheatsheetseries.owasp.org/cheatsheets/Mass_Assignment_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class MassAssignment(Rule):
    """Every flow of a client's names and values into the fields of a model, or into the name that ``setattr`` sets."""

    area = Area.INPUTS
    severity = Severity.HIGH
    cwe = (915,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "mass-assignment"):
            message = f"{flow.source} chooses which fields {flow.sink_name} sets."
            yield self.found_flow(flow, message, remedy='User(name=data["name"], colour=data["colour"])')
