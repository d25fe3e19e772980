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

from typing import Any

from stopper.finding import Area, Severity
from stopper.rules._setting import SettingRule


class LimiterDisabled(SettingRule):
    """Compare RATELIMIT_ENABLED, as it holds in production, with the policy."""

    area = Area.LIMITS
    severity = Severity.MEDIUM
    cwe = (799,)
    keys = ("RATELIMIT_ENABLED",)
    wrong_message = "{key} is False in production: no route is limited"
    remedy = "True"

    def wrong(self, value: Any) -> bool:
        """Tell whether it is switched off, not merely unset."""
        return value is False
