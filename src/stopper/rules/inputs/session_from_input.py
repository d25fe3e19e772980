"""What an app keeps in the session must have been checked.

Everything behind the session trusts it: a role, an account or a tenant that a client put there is believed from then on.
Data of the request does not become more true by being stored.

Look up what is to be trusted, and store what you found; take the rest by fixed names.

Bad::

    from flask import Flask, request, session

    app = Flask(__name__)

    @app.post("/profile")
    def profile():
        session["role"] = request.form["role"]
        return "saved"

Bad::

    from flask import Flask, request, session

    app = Flask(__name__)

    @app.post("/preferences")
    def preferences():
        session.update(request.form)
        return "saved"

Good::

    from flask import Flask, abort, request, session

    app = Flask(__name__)
    LANGUAGES = {"en", "de"}

    @app.post("/preferences")
    def preferences():
        language = request.form["language"]
        if language not in LANGUAGES:
            abort(400)
        session["language"] = language
        return "saved"

References:
    - CWE-501
    - ASVS 5.0 V2.2.1
    - https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class SessionFromInput(Rule):
    """Every flow of a client's data into the session, surer where the key says what somebody may do."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (501,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "session"):
            message = f"{flow.source} is kept in {flow.sink_name} unchecked, and trusted from then on."
            if flow.sink_name == "__setitem__()":
                message = f"{flow.source} names the key of the session that is set, which may be one that the app trusts."
            yield self.found_flow(
                flow, message, remedy='session["role"] = user.role  # what the database says'
            )
