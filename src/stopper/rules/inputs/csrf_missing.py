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

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Cleared, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._posture import app_places, decorated_with, takes_post, uses_sessions
from stopper.source.files import Role
from stopper.source.project import Project
from stopper.source.routes import Route

if TYPE_CHECKING:
    from stopper.app.booted import Booted

_CSRF = re.compile(r"csrf|xsrf|sec-fetch-site|samesite_check", re.IGNORECASE)
_TOKEN = re.compile(r"jwt|token|api_?key|basic_?auth|hmac|signature|oauth", re.IGNORECASE)


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
            if one.view is not None and takes_post(one.methods) and _own(project, one)
        ]
        open_ones = [one for one in routes if not _checked(one)]
        if not open_ones or _own_check(project):
            return
        listed = ", ".join(sorted({one.rule for one in open_ones})[:3])
        more = f" and {len(open_ones) - 3} more" if len(open_ones) > 3 else ""
        first = min(open_ones, key=lambda one: one.location)
        for place in app_places(project) or [first.location]:
            yield self.found(
                place,
                f"no request to {listed}{more} is checked for coming from the app's own pages",
                confidence=Confidence.LOW if _speaks_tokens(project) else Confidence.MEDIUM,
                remedy="from flask_wtf import CSRFProtect\nCSRFProtect(app)",
                context="csrf",
                route=first.ref,
            )

    def app(self, booted: Booted) -> Iterator[Cleared]:
        """Say whether an extension of the booted app checks every request."""
        if "csrf" in booted.extensions or booted.has("flask_seasurf.SeaSurf"):
            yield self.cleared("an extension of the booted app checks requests", context="csrf")


def _own(project: Project, route: Route) -> bool:
    return project.role(route.location.path) is Role.APP


def _checked(route: Route) -> bool:
    """Tell whether the view's own text or decorators check a form token or an API token."""
    assert route.view is not None
    text = route.view.module.source(route.view.node)
    named = " ".join((*route.decorators, *route.guarded_by))
    return (
        bool(_CSRF.search(f"{text} {named}") or _TOKEN.search(named))
        or "validate_on_submit" in text
        or ".validate()" in text
    )


def _own_check(project: Project) -> bool:
    """Tell whether a hook that runs before each request speaks of CSRF."""
    hooks = [hook for hook in project.routes.hooks if hook.kind == "before_request"]
    return any(_CSRF.search(hook.view.module.source(hook.view.node)) for hook in hooks)


def _speaks_tokens(project: Project) -> bool:
    """Tell whether the app knows its users by a token in a header, which other sites cannot send."""
    return project.code.uses(
        "flask_jwt_extended", "flask_httpauth", "flask_jwt", "authlib.integrations.flask_oauth2", "jwt"
    )
