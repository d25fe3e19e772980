"""Requests that find nothing must be counted, too.

Flask-Limiter counts requests by endpoint. An answer 404 or 405 has none, and static files are exempt: whoever guesses file names,
old addresses or identifiers in the URL is never slowed down.

Bad::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, default_limits=["200 per hour"])

Good::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, default_limits=["200 per hour"])
    # file: nginx.conf
    limit_req_zone $binary_remote_addr zone=all:10m rate=10r/s;
    server { location / { limit_req zone=all burst=40; proxy_pass http://app; } }

References:
    - CWE-799
    - CWE-770
    - ASVS 5.0 V2.4.1
    - https://flask-limiter.readthedocs.io/en/stable/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._posture import LIMITER, own_calls
from stopper.source.project import Project

_ZONE = re.compile(r"limit_req|rate_limit")


@closed_by("limits", whole=True)
class LimitMissesErrors(Rule):
    """Look for a Limiter without a limit at a proxy, and without a hook that counts what has no endpoint."""

    area = Area.LIMITS
    severity = Severity.INFO
    cwe = (799, 770)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each Limiter that counts alone."""
        proxied = any(
            _ZONE.search(file.text.content) for file in project.tree.named("*.conf", "nginx*", "Caddyfile")
        )
        if proxied:
            return
        for call in own_calls(project, *LIMITER):
            yield self.found(
                call.location, "answers 404 and 405 and static files are never counted; a limit at a proxy would settle it",
                confidence=Confidence.MEDIUM, remedy="limit_req_zone $binary_remote_addr zone=all:10m rate=10r/s;  # at the proxy",
                context=call.function,
            )  # fmt: skip
