"""A session must be renewed when its user changes.

What stood in the session before the login, the secret of the form tokens among it, is still there afterwards: whoever planted a session
cookie in the browser knows it. Flask-Login and Flask-WTF leave it as it is.

Bad::

    from flask import Flask, redirect, request, session

    app = Flask(__name__)

    @app.post("/login")
    def login():
        session["user_id"] = check(request.form["name"], request.form["password"])
        return redirect("/")

    def check(name, password):
        return 1

Good::

    from flask import Flask, redirect, request, session

    app = Flask(__name__)

    @app.post("/login")
    def login():
        user = check(request.form["name"], request.form["password"])
        session.clear()
        session["user_id"] = user
        return redirect("/")

    def check(name, password):
        return 1

References:
    - CWE-384
    - ASVS 5.0 V7.2.4
    - https://flask.palletsprojects.com/en/stable/tutorial/views/#login
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._posture import own_calls, own_modules
from stopper.rules._when import renews_session
from stopper.source.files import Role
from stopper.source.module import Kind
from stopper.source.project import Project

_USER = (
    "user_id",
    "user",
    "uid",
    "username",
    "userid",
    "account",
    "account_id",
    "logged_in",
    "admin",
    "is_admin",
)
"""The names under which apps remember in the session who is logged in."""

_RENEWED = re.compile(
    r"session\.(?:clear|regenerate)\(|session_interface|regenerate_session|current_user\.is_authenticated\s*=|pop\(['\"]csrf_token"
)

_VERBS = frozenset("get post put patch delete".split())
"""Methods of views: a ``request.form.get(`` calls none of them."""
_CALLED = re.compile(r"(\w+)\(")


def _renewing(project: Project) -> frozenset[str]:
    """Return the names of the project's functions that renew the session: a login that calls one keeps nothing."""
    return frozenset(
        scope.name
        for module in own_modules(project)
        if _RENEWED.search(module.text.content)
        for scope in module.scopes
        if scope.kind is Kind.FUNCTION
        and scope.name not in _VERBS
        and _RENEWED.search(module.source(scope.node))
    )


@closed_by("sessions", when=renews_session, whole=True)
class SessionSurvivesLogin(Rule):
    """Look for views that log a user in, by hand or with Flask-Login, and do not clear the session."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (384,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each login that keeps the old session."""
        places = [
            (store.location, store.value.scope)
            for key in _USER
            for store in project.code.stores("flask.session", key=key)
        ]
        places += [
            (call.location, call.scope)
            for call in own_calls(project, "flask_login.login_user", "flask_login.utils.login_user")
        ]
        renewing = _renewing(project) if places else frozenset()
        for place, scope in sorted(places, key=lambda one: one[0]):
            text = (
                scope.module.source(scope.node)
                if scope.module.role is Role.APP and scope.function is not None
                else "session.clear()"
            )
            if not _RENEWED.search(text) and renewing.isdisjoint(_CALLED.findall(text)):
                yield self.found(
                    place, "the session is kept when the user changes", confidence=Confidence.MEDIUM,
                    remedy="session.clear()  # before the user is stored", context=scope.qualname,
                )  # fmt: skip
