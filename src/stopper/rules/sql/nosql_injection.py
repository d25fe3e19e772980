"""An app must not let a client send the operators of a database query.

A document database takes its conditions as dictionaries. Where JSON from the client is put into one, the client can
send ``{"$ne": null}`` in place of a password, or ``{"$where": "..."}`` with code in it.

Turn each value into the type it should have before it goes into the query.

Bad::

    from flask import Flask, request
    from flask_pymongo import PyMongo

    app = Flask(__name__)

    mongo = PyMongo(app)

    @app.post("/login")
    def login():
        user = mongo.db.users.find_one({"name": request.json["name"], "pin": request.json["pin"]})
        return {"known": user is not None}

Good::

    from flask import Flask, request
    from flask_pymongo import PyMongo

    app = Flask(__name__)

    mongo = PyMongo(app)

    @app.post("/login")
    def login():
        user = mongo.db.users.find_one({"name": str(request.json["name"]), "pin": str(request.json["pin"])})
        return {"known": user is not None}

References:
    - CWE-943
    - ASVS 5.0 V1.2.4
    - https://cheatsheetseries.owasp.org/cheatsheets/Injection_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class NosqlInjection(Rule):
    """Every flow of parsed JSON into a query; text and numbers cannot hold operators."""

    area = Area.SQL
    severity = Severity.HIGH
    cwe = (943,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "nosql"):
            message = f"{flow.source} can be a dictionary of operators in the query of {flow.sink_name}."
            yield self.found_flow(flow, message, remedy='collection.find_one({"name": str(name)})')
