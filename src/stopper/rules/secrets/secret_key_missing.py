"""A signing key must not be None in silence.

`os.environ.get` without a default gives None when the variable is missing. The app starts, and
fails at the first session or signs nothing.

Bad::

    import os

    from flask import Flask

    app = Flask(__name__)
    app.secret_key = os.environ.get('SECRET_KEY')

Good::

    import os

    from flask import Flask

    app = Flask(__name__)
    app.secret_key = os.environ['SECRET_KEY']

References:
    - CWE-665
    - ASVS 5.0 V13.3.1
    - https://flask.palletsprojects.com/en/stable/config/#SECRET_KEY
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules.secrets._text import at_key, key_settings
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.app.booted import Booted


@closed_by("secrets", whole=True)
class SecretKeyMissing(Rule):
    """Ask whether a missing variable leaves the key None."""

    area = Area.SECRETS
    severity = Severity.LOW
    cwe = (665,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each signing key that is None when its variable is not set."""
        for setting in key_settings(project):
            value = setting.value
            if setting.key == "SECRET_KEY" and not value.known and value.variable and value.default is None:
                message = f"SECRET_KEY is None, and nothing says so, when {value.variable} is not set"
                yield at_key(self, project, setting, message, Confidence.MEDIUM)

    def app(self, booted: Booted) -> Iterator[Finding]:
        """Report an app that boots without a key although it keeps sessions."""
        if booted.config.get("SECRET_KEY") in (None, "") and booted.has(
            "flask_login.login_manager.LoginManager", "flask_wtf.csrf.CSRFProtect"
        ):
            yield self.seen(
                "setting:SECRET_KEY",
                "the app boots without a SECRET_KEY: the first session fails",
                remedy='SECRET_KEY = os.environ["SECRET_KEY"]',
            )
