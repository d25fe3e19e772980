"""What belongs to somebody must be looked up together with its owner.

A number in a URL can be counted up. A view that looks an invoice up by its number alone shows everybody's invoices to
everybody who is logged in.

Ask for the owner in the query, or compare the owner. Whether a row belongs to somebody is not in the code: this is a question.

Bad::

    from flask import Flask
    from flask_login import login_required
    from flask_sqlalchemy import SQLAlchemy

    app = Flask(__name__)
    db = SQLAlchemy(app)

    class Invoice(db.Model):
        id = db.Column(db.Integer, primary_key=True)
        user_id = db.Column(db.Integer)
        total = db.Column(db.Integer)

    @app.get("/invoices/<int:number>")
    @login_required
    def invoice(number):
        return {"total": db.get_or_404(Invoice, number).total}

Good::

    from flask import Flask
    from flask_login import current_user, login_required
    from flask_sqlalchemy import SQLAlchemy

    app = Flask(__name__)
    db = SQLAlchemy(app)

    class Invoice(db.Model):
        id = db.Column(db.Integer, primary_key=True)
        user_id = db.Column(db.Integer)
        total = db.Column(db.Integer)

    @app.get("/invoices/<int:number>")
    @login_required
    def invoice(number):
        query = db.select(Invoice).filter_by(id=number, user_id=current_user.id)
        return {"total": db.first_or_404(query).total}

References:
    - CWE-639
    - CWE-862
    - ASVS 5.0 V8.2.2
    - https://cheatsheetseries.owasp.org/cheatsheets/Insecure_Direct_Object_Reference_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules.inputs._lookups import Lookup, lookups
from stopper.source.project import Project
from stopper.source.routes import Route

_OWNED = re.compile(
    r"^\s*((?:user|owner|author|account|customer|member|recipient|receiver|sender|creator|buyer|seller|holder|student|patient|employee|created_by|tenant|organi[sz]ation)(?:_?id)?)\s*[:=]",
    re.MULTILINE,
)
_ASKED = re.compile(
    r"current_user|g\.\w*user|(?<![\w.])session(?:\[|\.get)|get_jwt|owner|abort\(40[13]\)|permission|can_\w+\(|authori[sz]e|is_admin|role|has_access"
)
_LOGIN = re.compile(r"login|auth|jwt|token|user", re.IGNORECASE)
_PRIVILEGED = re.compile(r"admin|role|permission|staff|super|scope|owner", re.IGNORECASE)


class ObjectOfAnotherUser(Rule):
    """Look for views behind a login that fetch a row with an owner's column by an id of the request, and never speak of the owner."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (639, 862)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each such lookup, as a question."""
        views = {
            id(view): route
            for route in project.routes.routes
            for view in (route.view, *route.handlers.values())
            if view
        }
        for lookup in lookups(project):
            route = views.get(id(lookup.call.scope))
            if route is None or not _is_open(route, lookup):
                continue
            call, model = lookup.call, lookup.model
            yield self.found(
                call.location,
                f"{model.name} has an owner, but whoever is logged in gets any of them by its id; who may see it settles this.",
                confidence=Confidence.LOW,
                remedy=f"db.select({model.name}).filter_by(id=number, user_id=current_user.id)",
                route=route.ref,
                context=f"{call.function} {model.name}",
            )


def _is_open(route: Route, lookup: Lookup) -> bool:
    """Tell whether a login is asked for, the client chooses the id, and nothing in the view speaks of the owner."""
    call, model = lookup.call, lookup.model
    marks = [call.module.source(mark).partition("(")[0].rpartition(".")[2] for mark in call.scope.decorators]
    guards = " ".join((*route.guarded_by, *marks))
    owners = _OWNED.findall(model.module.source(model.node))
    if not owners or not _LOGIN.search(guards) or _PRIVILEGED.search(guards):
        return False
    body = "\n".join(call.module.source(statement) for statement in call.scope.body)
    held = rf"\b(?:{'|'.join(owners)})\s*(?:[!=]?=|\bin\b)"
    return not _ASKED.search(body) and not re.search(held, body) and _chosen(lookup.wanted, route, body)


def _chosen(name: str, route: Route, body: str) -> bool:
    """Tell whether an id is a part of the URL, or read from the request."""
    return (
        name in route.parameters
        or "request." in name
        or re.search(rf"\b{re.escape(name)}\s*=\s*request\.", body) is not None
    )
