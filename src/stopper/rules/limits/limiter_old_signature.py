"""Limiter must be called as the installed release expects.

Since Flask-Limiter 3.0 the first argument of Limiter is key_func. Limiter(app, key_func=...) is the call of
older releases: it raises a TypeError at start-up, and is often 'mended' by taking the limiter out.

Bad::

    from flask import Flask, request
    from flask_limiter import Limiter

    app = Flask(__name__)
    limiter = Limiter(app, key_func=lambda: request.remote_addr)

Good::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app)

References:
    - CWE-799
    - https://flask-limiter.readthedocs.io/en/stable/changelog.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import LIMITER, own_calls
from stopper.source.project import Project


class LimiterOldSignature(Rule):
    """Look for a Limiter whose first argument is the Flask object."""

    area = Area.LIMITS
    severity = Severity.HIGH
    cwe = (799,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each Limiter that is given the app first, unless an older release is pinned."""
        if any(
            one.pinned and one.pinned.split(".")[0] in ("0", "1", "2")
            for one in project.manifests.named("flask-limiter")
        ):
            return
        for call in own_calls(project, *LIMITER):
            first = call.argument(0)
            if first is not None and first.name == "flask.Flask()":
                yield self.found(
                    call.location,
                    "Limiter(app, ...) is the signature of Flask-Limiter before 3.0; a current release raises a TypeError here",
                    remedy="Limiter(get_remote_address, app=app)",
                    context=call.function,
                )
