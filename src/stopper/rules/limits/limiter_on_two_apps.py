"""One Limiter must not serve two apps.

Flask-Limiter keeps its strategy, limits and headers on the object. Where the same object is given to a second app, what the
second configures overwrites what the first did.

Bad::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    limiter = Limiter(get_remote_address)
    site, admin = Flask("site"), Flask("admin")
    limiter.init_app(site)
    limiter.init_app(admin)

Good::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    site, admin = Flask("site"), Flask("admin")
    Limiter(get_remote_address, app=site)
    Limiter(get_remote_address, app=admin)

References:
    - CWE-799
    - ASVS 5.0 V2.4.1
    - https://flask-limiter.readthedocs.io/en/stable/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Location, Severity
from stopper.rule import Rule
from stopper.rules._posture import LIMITER, own_calls
from stopper.source.project import Project


class LimiterOnTwoApps(Rule):
    """Look for a second init_app of one Limiter in the same function."""

    area = Area.LIMITS
    severity = Severity.MEDIUM
    cwe = (799,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report the second app of each Limiter."""
        seen: dict[tuple[str, str, str], Location] = {}
        for call in own_calls(project, *(f"{name}().init_app" for name in LIMITER)):
            key = (call.module.path, call.function, call.receiver.source if call.receiver else "")
            if key in seen:
                yield self.found(
                    call.location, "this limiter already serves an app, whose limits and strategy are overwritten",
                    confidence=Confidence.MEDIUM, remedy="Limiter(get_remote_address, app=app)  # one for each app",
                    context=call.source, related=(seen[key],),
                )  # fmt: skip
            seen.setdefault(key, call.location)
