"""Limits must be on in production.

RATELIMIT_ENABLED = False takes every limit away without a word.

Bad::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, storage_uri="redis://localhost:6379", strategy="moving-window", in_memory_fallback_enabled=True)
    app.config["RATELIMIT_ENABLED"] = False

Good::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, storage_uri="redis://localhost:6379", strategy="moving-window", in_memory_fallback_enabled=True)
    app.config["RATELIMIT_ENABLED"] = True

References:
    - CWE-799
    - https://flask-limiter.readthedocs.io/en/stable/configuration.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import judged_setting
from stopper.source.project import Project


class LimiterDisabled(Rule):
    """Compare RATELIMIT_ENABLED, as it holds in production, with the policy."""

    area = Area.LIMITS
    severity = Severity.MEDIUM
    cwe = (799,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report the setting where it is off in production."""
        yield from judged_setting(
            self,
            project,
            "RATELIMIT_ENABLED",
            wrong=lambda value: value is False,
            wrong_message="RATELIMIT_ENABLED is False in production: no route is limited",
            remedy='app.config["RATELIMIT_ENABLED"] = True',
        )
