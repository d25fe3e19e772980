"""The check of form tokens must be on in production.

WTF_CSRF_ENABLED = False belongs to tests. In production it takes the token out of every form and the check
out of every request.

Bad::

    from flask import Flask, redirect, request, session
    from flask_wtf import CSRFProtect

    app = Flask(__name__)
    csrf = CSRFProtect(app)
    app.config["WTF_CSRF_ENABLED"] = False

Good::

    from flask import Flask, redirect, request, session
    from flask_wtf import CSRFProtect

    app = Flask(__name__)
    csrf = CSRFProtect(app)


    class TestingConfig:
        WTF_CSRF_ENABLED = False

References:
    - CWE-352
    - ASVS 5.0 V3.5.1
    - https://flask-wtf.readthedocs.io/en/stable/config/
"""

from __future__ import annotations

from stopper.finding import Area, Severity
from stopper.rules._closed import closed_by
from stopper.rules._setting import SettingRule


@closed_by("csrf", whole=True)
class CsrfDisabled(SettingRule):
    """Compare the WTF_CSRF settings, as they hold in production, with the policy."""

    area = Area.INPUTS
    severity = Severity.HIGH
    cwe = (352,)
    keys = ("WTF_CSRF_ENABLED", "WTF_CSRF_CHECK_DEFAULT")
    wrong_message = "{key} is off in production: forms of other sites are accepted"
    remedy = "True"
