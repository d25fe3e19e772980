"""The remember-me cookie must be sent over HTTPS only.

Flask-Login's remember cookie logs its bearer in for a year. Its Secure flag is off by default, and securing
the session cookie does not secure this one.

Bad::

    from flask import Flask
    from flask_login import LoginManager

    app = Flask(__name__)
    login_manager = LoginManager(app)
    app.config["REMEMBER_COOKIE_SECURE"] = False

Bad::

    from flask import Flask
    from flask_login import LoginManager

    app = Flask(__name__)
    login_manager = LoginManager(app)

Good::

    from flask import Flask
    from flask_login import LoginManager

    app = Flask(__name__)
    login_manager = LoginManager(app)
    app.config["REMEMBER_COOKIE_SECURE"] = True

Good::

    from flask import Flask
    from flask_login import LoginManager

    app = Flask(__name__)
    login_manager = LoginManager(app)
    app.config.update(REMEMBER_COOKIE_SECURE=True)

References:
    - CWE-614
    - CWE-1004
    - ASVS 5.0 V3.3.1
    - https://flask-login.readthedocs.io/en/latest/#cookie-settings
"""

from __future__ import annotations

from stopper.finding import Area, Severity
from stopper.rules._closed import closed_by
from stopper.rules._setting import SettingRule
from stopper.source.project import Project


@closed_by("cookies", whole=True)
class RememberCookieSecure(SettingRule):
    """Compare REMEMBER_COOKIE_SECURE, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.MEDIUM
    cwe = (614, 1004)
    keys = ("REMEMBER_COOKIE_SECURE",)
    wrong_message = "{key} is off: the cookie that logs the user in is also sent over plain HTTP"
    unset_message = "{key} is set nowhere, and Flask-Login's default is False: the remember cookie is also sent over plain HTTP"
    remedy = "True"

    def concerns(self, project: Project) -> bool:
        """Tell whether Flask-Login is used."""
        return project.code.uses("flask_login")
