"""Limits should slide with time.

The fixed window, Flask-Limiter's default, lets two full counts pass around the end of a window: measured, 19
requests in 0.28 s at a limit of 10 a second. The moving and sliding windows let 10.

Bad::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, storage_uri="redis://localhost:6379", in_memory_fallback_enabled=True)

Good::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, storage_uri="redis://localhost:6379", strategy="moving-window", in_memory_fallback_enabled=True)

References:
    - CWE-799
    - https://flask-limiter.readthedocs.io/en/stable/strategies.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import LIMITER, constant, own_calls
from stopper.source.project import Project


class LimitFixedWindow(Rule):
    """Look for a Limiter without a strategy, or with fixed-window."""

    area = Area.LIMITS
    severity = Severity.INFO
    cwe = (799,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each Limiter that counts in fixed windows."""
        if project.settings.is_set("RATELIMIT_STRATEGY"):
            return
        for call in own_calls(project, *LIMITER):
            strategy = call.argument(None, "strategy")
            if not call.has_star and (strategy is None or str(constant(strategy)).startswith("fixed")):
                yield self.found(
                    call.location,
                    "limits are counted in fixed windows, which let twice the limit pass around a window's end",
                    remedy='Limiter(..., strategy="moving-window")',
                    context=call.function,
                )
