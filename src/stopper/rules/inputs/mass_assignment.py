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

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.source.files import Role
from stopper.source.module import Kind
from stopper.source.project import Project
from stopper.taint.flows import flows_into

_PRIVILEGE = regex(
    r"(is_)?(admin(istrator)?|staff|superuser|moderator|verified|approved|confirmed)|roles?|permissions?|balance|credits?|owner_id|user_id"
)
_PRIVILEGED = re.compile(r"admin|role|permission|staff|super|scope", re.IGNORECASE)


class MassAssignment(Rule):
    """Every flow of a client's names and values into the fields of a model, and forms that copy a privilege into an object."""

    area = Area.INPUTS
    severity = Severity.HIGH
    cwe = (915,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "mass-assignment"):
            setter = "the model's constructor" if flow.sink_name == "__init__()" else flow.sink_name
            message = f"{flow.source} chooses which fields {setter} sets."
            yield self.found_flow(flow, message, remedy='User(name=data["name"], colour=data["colour"])')
        yield from self._forms(project)

    def _forms(self, project: Project) -> Iterator[Finding]:
        """Ask about each form that declares a privilege and copies its fields into an object."""
        classes = {
            scope.dotted: scope
            for module in project.modules
            for scope in module.scopes
            if scope.kind is Kind.CLASS
        }
        for call in project.code.every_call("populate_obj"):
            form = classes.get((call.receiver.name or "").removesuffix("()")) if call.receiver else None
            route = project.routes.at(call.location.path, call.location.line)
            if (
                form is None
                or call.module.role is not Role.APP
                or _PRIVILEGED.search(" ".join(route.guarded_by if route else ()))
            ):
                continue
            fields = [name for name in form.bindings if _PRIVILEGE.fullmatch(name)]
            if fields:
                yield self.found(
                    call.location,
                    f"{form.name} lets whoever sends it set {', '.join(fields)} of the object; who may send it settles this.",
                    confidence=Confidence.LOW,
                    remedy=f"del form.{fields[0]}  # before populate_obj, unless an administrator sends it",
                    context=form.name,
                )
