"""An exemption must not reach a view of the same name.

Flask-WTF remembers an exempt view by its module and function name. Another view of that name in the module, such as a function made
inside a factory, is exempt with it.

Bad::

    from flask import Flask, request, session
    from flask_wtf import CSRFProtect

    app = Flask(__name__)
    csrf = CSRFProtect(app)

    def webhooks():
        @app.post("/hook")
        @csrf.exempt
        def save():
            return "stored"

    def settings():
        @app.post("/settings")
        def save():
            session["name"] = request.form["name"]
            return "saved"

    webhooks()
    settings()

Good::

    from flask import Flask, request, session
    from flask_wtf import CSRFProtect

    app = Flask(__name__)
    csrf = CSRFProtect(app)

    def webhooks():
        @app.post("/hook")
        @csrf.exempt
        def save_hook():
            return "stored"

    def settings():
        @app.post("/settings")
        def save_settings():
            session["name"] = request.form["name"]
            return "saved"

    webhooks()
    settings()

References:
    - CWE-352
    - ASVS 5.0 V3.5.1
    - https://flask-wtf.readthedocs.io/en/stable/csrf/#exclude-views-from-protection
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._posture import takes_post
from stopper.source.project import Project


@closed_by("csrf")
class CsrfExemptSharedName(Rule):
    """Compare the names of exempt views with those of the other views in their module."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (352,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each view that is exempt by its name alone."""
        exempt = {}
        for route in project.routes.routes:
            if route.view is not None and any(
                name.rpartition(".")[2] == "exempt" for name in route.decorators
            ):
                exempt[route.location.path, route.view.name] = route.location
        for route in project.routes.routes:
            if route.view is None or not takes_post(route.methods):
                continue
            twin = exempt.get((route.location.path, route.view.name))
            if twin is not None and twin != route.location:
                yield self.found(
                    route.location, f"a view called {route.view.name} is exempt in this module, and so is this one",
                    remedy=f"def {route.view.name}_...():  # a name of its own", route=route.ref, context=route.endpoint, related=(twin,),
                )  # fmt: skip
