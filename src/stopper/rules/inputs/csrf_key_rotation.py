"""A rotation of the key must not break every form.

SECRET_KEY_FALLBACKS keeps sessions alive when the key changes. Flask-WTF and Flask-Login sign with SECRET_KEY alone: after
the rotation every open form gets status 400, and remembered users are logged out.

Bad::

    from flask import Flask
    from flask_wtf import CSRFProtect

    app = Flask(__name__)
    app.config["SECRET_KEY_FALLBACKS"] = [open("old.key").read()]
    CSRFProtect(app)

Good::

    from flask import Flask
    from flask_wtf import CSRFProtect

    app = Flask(__name__)
    app.config["SECRET_KEY_FALLBACKS"] = [open("old.key").read()]
    app.config["WTF_CSRF_SECRET_KEY"] = open("csrf.key").read()
    CSRFProtect(app)

References:
    - CWE-324
    - CWE-352
    - ASVS 5.0 V11.1.1
    - https://flask-wtf.readthedocs.io/en/stable/config/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import absence, decorated_with
from stopper.source.project import Project


class CsrfKeyRotation(Rule):
    """Look for fallback keys beside Flask-WTF without a key of its own."""

    area = Area.INPUTS
    severity = Severity.LOW
    cwe = (324, 352)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report fallbacks that form tokens do not know."""
        if project.settings.is_set("WTF_CSRF_SECRET_KEY") or not decorated_with(
            project, "flask_wtf.CSRFProtect", "flask_wtf.csrf.CSRFProtect"
        ):
            return
        for setting in project.settings.in_production("SECRET_KEY_FALLBACKS"):
            yield self.found(
                setting.location, "form tokens are signed with SECRET_KEY alone: after a rotation every open form gets status 400",
                confidence=absence(project), remedy='app.config["WTF_CSRF_SECRET_KEY"] = os.environ["WTF_CSRF_SECRET_KEY"]', context="fallbacks",
            )  # fmt: skip
