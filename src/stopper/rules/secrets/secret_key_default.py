"""A signing key must not fall back to a value in the code.

When the variable is missing in production the app starts all the same, with a key that everybody
can read.

Bad::

    import os

    from flask import Flask

    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY", "k7-winter-night-8812-lamp-post")

Good::

    import os

    from flask import Flask

    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]

References:
    - CWE-1392
    - CWE-798
    - ASVS 5.0 V13.2.3
    - https://flask.palletsprojects.com/en/stable/config/#SECRET_KEY
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules.secrets._text import at_key, key_settings, key_text
from stopper.source.project import Project


class SecretKeyDefault(Rule):
    """Ask whether reading a key from the environment names a default."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (1392, 798)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each signing key that has a default text."""
        for setting in key_settings(project):
            value = setting.value
            if not value.known and value.variable and key_text(value.default):
                message = f"{setting.key} falls back to a value in the code when {value.variable} is not set"
                yield at_key(self, project, setting, message, Confidence.HIGH)
