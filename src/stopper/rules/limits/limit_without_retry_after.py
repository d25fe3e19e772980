"""A refused client must be told when to come back.

Flask-Limiter sends neither Retry-After nor the RateLimit fields unless it is told to. Without them a well-behaved client has to
guess, and tries again at once.

Bad::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app)

Good::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, headers_enabled=True)

References:
    - CWE-799
    - RFC 6585 section 4
    - ASVS 5.0 V2.4.1
    - https://flask-limiter.readthedocs.io/en/stable/configuration.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import LIMITER, absence, own_calls
from stopper.source.headers import stored_headers
from stopper.source.project import Project


class LimitWithoutRetryAfter(Rule):
    """Look for headers_enabled and RATELIMIT_HEADERS_ENABLED, or a handler that sets the header."""

    area = Area.LIMITS
    severity = Severity.INFO
    cwe = (799,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each Limiter that keeps the time to itself."""
        limiters = list(own_calls(project, *LIMITER))
        if project.settings.is_set("RATELIMIT_HEADERS_ENABLED") or (
            limiters and next(stored_headers(project, "retry-after"), None)
        ):
            return
        for call in limiters:
            if call.argument(None, "headers_enabled") is None and not call.has_star:
                yield self.found(
                    call.location, "a refused client is not told when to come back", confidence=absence(project),
                    remedy="Limiter(..., headers_enabled=True)", context=call.function,
                )  # fmt: skip
