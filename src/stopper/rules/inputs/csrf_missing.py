"""Requests that change something must be shown to come from the app's own pages.

A form on any other site can post here, and the browser sends the user's cookies along. Flask has no
protection of its own; a token, or a check of Sec-Fetch-Site and Origin, tells the two apart.

Bad::

    from flask import Flask, redirect, request, session

    app = Flask(__name__)

    @app.post("/comment")
    def comment():
        session["last"] = request.form["text"][:80]
        return redirect("/")

Good::

    from flask import Flask, redirect, request, session
    from flask_wtf import CSRFProtect

    app = Flask(__name__)
    CSRFProtect(app)

    @app.post("/comment")
    def comment():
        session["last"] = request.form["text"][:80]
        return redirect("/")

References:
    - CWE-352
    - ASVS 5.0 V3.5.1
    - https://flask.palletsprojects.com/en/stable/web-security/#cross-site-request-forgery-csrf
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Cleared, Confidence, Finding, Severity, few
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._places import app_places
from stopper.rules._posture import decorated_with, uses_sessions
from stopper.rules.inputs._forged import checked_by_hook, is_checked
from stopper.source.files import Role
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.app.booted import Booted


@closed_by("csrf", whole=True)
class CsrfMissing(Rule):
    """Look for CSRFProtect, SeaSurf, FlaskForm or a check of one's own where sessions and unsafe methods meet."""

    area = Area.INPUTS
    severity = Severity.HIGH
    cwe = (352,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report once for each app: sessions are used, unsafe methods are taken, and nothing checks where a request comes from."""
        if not uses_sessions(project) or project.code.uses("flask_seasurf"):
            return
        if decorated_with(
            project, "flask_wtf.CSRFProtect", "flask_wtf.csrf.CSRFProtect", "flask_wtf.csrf.CsrfProtect"
        ):
            return
        routes = [
            one
            for one in project.routes.routes
            if one.view is not None and "POST" in one.methods and project.role(one.location.path) is Role.APP
        ]
        open_ones = [one for one in routes if not is_checked(project, one)]
        if not open_ones or checked_by_hook(project):
            return
        listed = few(sorted({one.rule for one in open_ones}), 3)
        first = min(open_ones, key=lambda one: one.location)
        for place in app_places(project) or [first.location]:
            yield self.found(
                place,
                f"no request to {listed} is checked for coming from the app's own pages",
                confidence=Confidence.LOW if _speaks_tokens(project) else Confidence.MEDIUM,
                remedy="from flask_wtf import CSRFProtect\nCSRFProtect(app)",
                context="csrf",
                route=first.ref,
            )

    def app(self, booted: Booted) -> Iterator[Cleared]:
        """Say whether an extension of the booted app checks every request."""
        if "csrf" in booted.extensions or booted.has("flask_seasurf.SeaSurf"):
            yield self.cleared("an extension of the booted app checks requests", context="csrf")


def _speaks_tokens(project: Project) -> bool:
    """Tell whether the app knows its users by a token in a header, which other sites cannot send."""
    return project.code.uses(
        "flask_jwt_extended", "flask_httpauth", "flask_jwt", "authlib.integrations.flask_oauth2", "jwt"
    )
