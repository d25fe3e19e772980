"""A limit must stand below the route decorator.

Decorators apply from the bottom up: app.route registers the function that stands below it. A limit above it
wraps a function that Flask never calls, so there is no limit at all, and Flask-Limiter's defaults no longer
apply either.

Bad::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, storage_uri="redis://localhost:6379", strategy="moving-window", in_memory_fallback_enabled=True)

    @limiter.limit("5 per minute")
    @app.post("/login")
    def login():
        return "hello"

Good::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, storage_uri="redis://localhost:6379", strategy="moving-window", in_memory_fallback_enabled=True)

    @app.post("/login")
    @limiter.limit("5 per minute")
    def login():
        return "hello"

References:
    - CWE-799
    - CWE-307
    - https://flask-limiter.readthedocs.io/en/stable/
    - https://flask.palletsprojects.com/en/stable/patterns/viewdecorators/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import decorators_above_route, own_calls
from stopper.source.code import Call
from stopper.source.project import Project

_LIMITS = (
    "flask_limiter.Limiter().limit",
    "flask_limiter.Limiter().shared_limit",
    "flask_limiter.Limiter().shared_limit()",
)


class LimitAboveRoute(Rule):
    """Look at the order of the decorators of each view."""

    area = Area.LIMITS
    severity = Severity.HIGH
    cwe = (799, 307)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each limit that stands above the decorator which registers the view."""
        limits: dict[int, list[Call]] = {}
        for call in own_calls(project, *_LIMITS):
            limits.setdefault(id(call.decorates), []).append(call)
        for scope, above in decorators_above_route(project):
            for call in limits.get(id(scope), ()):
                if call.location in {one.location for one in above}:
                    yield self.found(
                        call.location,
                        f"this limit stands above the route decorator, so {scope.name} is not limited at all",
                        remedy="move the limit below the route decorator",
                        context=scope.qualname,
                    )
