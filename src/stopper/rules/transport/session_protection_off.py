"""Flask-Login's session protection must not be switched off.

Session protection notices a session cookie that moves to another browser and asks for a new login. Without it
a copied cookie works everywhere.

Bad::

    from flask import Flask
    from flask_login import LoginManager

    app = Flask(__name__)
    login_manager = LoginManager(app)
    app.config["SESSION_PROTECTION"] = None

Good::

    from flask import Flask
    from flask_login import LoginManager

    app = Flask(__name__)
    login_manager = LoginManager(app)
    app.config["SESSION_PROTECTION"] = "strong"

References:
    - CWE-384
    - CWE-613
    - ASVS 5.0 V7.2.1
    - https://flask-login.readthedocs.io/en/latest/#session-protection
"""

from __future__ import annotations

from typing import Any

from stopper.finding import Area, Severity
from stopper.rules._setting import SettingRule


class SessionProtectionOff(SettingRule):
    """Compare SESSION_PROTECTION, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (384, 613)
    keys = ("SESSION_PROTECTION",)
    wrong_message = "{key} is off: a copied session cookie works in any browser"
    remedy = '"strong"'

    def wrong(self, value: Any) -> bool:
        """Tell whether the check is switched off."""
        return value is None or value == ""
