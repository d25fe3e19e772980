"""A session must end in reasonable time.

Flask's sessions live in a signed cookie that the server cannot take back: whoever copied one keeps it until
it expires. 31 days is the default; more is too long for an account.

Bad::

    from flask import Flask, session

    app = Flask(__name__)
    app.config["PERMANENT_SESSION_LIFETIME"] = 60 * 60 * 24 * 365

Good::

    from flask import Flask, session

    app = Flask(__name__)
    app.config["PERMANENT_SESSION_LIFETIME"] = 60 * 60 * 12

References:
    - CWE-613
    - ASVS 5.0 V7.3.2
    - https://flask.palletsprojects.com/en/stable/config/#PERMANENT_SESSION_LIFETIME
"""

from __future__ import annotations

from typing import Any

from stopper.finding import Area, Severity
from stopper.policy import SESSION_DAYS
from stopper.rules._setting import SettingRule


class SessionLifetime(SettingRule):
    """Compare PERMANENT_SESSION_LIFETIME, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (613,)
    keys = ("PERMANENT_SESSION_LIFETIME",)
    wrong_message = "{key} keeps a session valid for more than 31 days, also after logout"
    remedy = "timedelta(hours=12)"

    def wrong(self, value: Any) -> bool:
        """Tell whether the time, in seconds, is longer than Flask's own default."""
        return isinstance(value, int | float) and value > SESSION_DAYS * 86400
