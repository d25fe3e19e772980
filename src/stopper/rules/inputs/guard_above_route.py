"""A check of who is asking must stand below the route decorator.

Decorators apply from the bottom up, and app.route registers the function that stands below it. A
login_required above it wraps a function that Flask never calls: the page is open to everyone.

Bad::

    from flask import Flask
    from flask_login import LoginManager, login_required

    app = Flask(__name__)
    LoginManager(app)

    @login_required
    @app.get("/admin")
    def admin():
        return "secrets"

Good::

    from flask import Flask
    from flask_login import LoginManager, login_required

    app = Flask(__name__)
    LoginManager(app)

    @app.get("/admin")
    @login_required
    def admin():
        return "secrets"

References:
    - CWE-863
    - CWE-306
    - ASVS 5.0 V8.2.2
    - https://flask.palletsprojects.com/en/stable/patterns/viewdecorators/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import decorators_above_route
from stopper.source.project import Project

_GUARD = re.compile(
    r"(login|auth|admin|role|permission|jwt|token|user|fresh|scope)s?_?.*(required|accepted|only|needed)|^requires?_|^protected$",
    re.IGNORECASE,
)


class GuardAboveRoute(Rule):
    """Look at the order of the decorators of each view."""

    area = Area.INPUTS
    severity = Severity.HIGH
    cwe = (863, 306)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each check that stands above the decorator which registers the view."""
        for scope, above in decorators_above_route(project):
            for one in above:
                called = one.call
                name = (called.target if called else one).source
                if _GUARD.search(name.rpartition(".")[2]):
                    yield self.found(
                        one.location,
                        f"@{name} stands above the route decorator, so {scope.name} is open to everyone",
                        remedy=f"move @{name} below the route decorator",
                        context=scope.qualname,
                    )
