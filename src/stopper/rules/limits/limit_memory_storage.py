"""Limits must be counted in one place.

Flask-Limiter counts in the memory of each process unless told otherwise. With four workers nearly four times
as many requests pass (measured: 19 at a limit of 5 a minute), and a restart forgets them all.

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
    limiter = Limiter(get_remote_address, app=app, storage_uri="redis://localhost:6379", strategy="moving-window", in_memory_fallback_enabled=True)

References:
    - CWE-799
    - CWE-770
    - https://flask-limiter.readthedocs.io/en/stable/configuration.html
    - ASVS 5.0 V6.3.1
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import LIMITER, absence, constant, own_calls
from stopper.source.project import Project


class LimitMemoryStorage(Rule):
    """Look for a Limiter without a storage_uri, or with memory://."""

    area = Area.LIMITS
    severity = Severity.MEDIUM
    cwe = (799, 770)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each Limiter that counts in memory; the more workers are seen, the surer."""
        settings = project.settings.in_production("RATELIMIT_STORAGE_URI") or project.settings.in_production(
            "RATELIMIT_STORAGE_URL"
        )
        if settings and not str(settings[-1].value.in_production()).startswith("memory"):
            return
        for call in own_calls(project, *LIMITER):
            given = call.argument(None, "storage_uri") or call.argument(None, "storage_url")
            if call.has_star or (given is not None and not str(constant(given)).startswith("memory")):
                continue
            yield self.found(
                call.location,
                "limits are counted in the memory of each process: with several workers each has its own count",
                confidence=Confidence.HIGH if settings or given else absence(project),
                remedy='Limiter(get_remote_address, app=app, storage_uri="redis://localhost:6379")',
                context=call.function,
            )
