"""Limits must hold when their storage is gone.

With swallow_errors a Redis that does not answer means no limits; without it, status 500 on every limited
route. in_memory_fallback_enabled keeps both the site and the limits up.

Bad::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, storage_uri="redis://localhost:6379", swallow_errors=True)

Good::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, storage_uri="redis://localhost:6379", strategy="moving-window", in_memory_fallback_enabled=True)

References:
    - CWE-636
    - https://flask-limiter.readthedocs.io/en/stable/configuration.html
    - ASVS 5.0 V16.5.3
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import LIMITER, constant, own_calls
from stopper.source.project import Project


class LimitStorageFailsOpen(Rule):
    """Look at swallow_errors, and at a remote storage without a fallback."""

    area = Area.LIMITS
    severity = Severity.MEDIUM
    cwe = (636,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each Limiter whose limits end, or whose routes fail, with the storage."""
        for call in own_calls(project, *LIMITER):
            fallback = call.argument(None, "in_memory_fallback_enabled") or call.argument(
                None, "in_memory_fallback"
            )
            if (
                fallback is not None
                or call.has_star
                or project.settings.is_set("RATELIMIT_IN_MEMORY_FALLBACK_ENABLED")
            ):
                continue
            uri = str(constant(call.argument(None, "storage_uri")))
            remote = uri.startswith(("redis", "memcached", "mongodb", "valkey"))
            swallowed = constant(call.argument(None, "swallow_errors")) is True
            if swallowed or remote:
                yield self.found(
                    call.location,
                    "when the storage is gone, "
                    + ("nothing is limited" if swallowed else "every limited route answers 500"),
                    confidence=Confidence.HIGH if swallowed else Confidence.MEDIUM,
                    severity=Severity.MEDIUM if swallowed else Severity.LOW,
                    remedy="Limiter(..., in_memory_fallback_enabled=True)",
                    context=call.function,
                )
