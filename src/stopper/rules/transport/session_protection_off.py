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

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import judged_setting
from stopper.source.project import Project


class SessionProtectionOff(Rule):
    """Compare SESSION_PROTECTION, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (384, 613)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report a wrong value where it is written, and the absence of a right one at the app."""
        yield from judged_setting(
            self,
            project,
            "SESSION_PROTECTION",
            wrong=lambda value: value is None or value == "",
            wrong_message="SESSION_PROTECTION is off: a copied session cookie works in any browser",
            unset_message="",
            remedy='app.config["SESSION_PROTECTION"] = "strong"',
        )
