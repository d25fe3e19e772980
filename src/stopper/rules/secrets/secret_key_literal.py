"""A signing key must not stand in the code.

Whoever reads the code, or any copy of it, can sign a session cookie or a token as any user.

Bad::

    from flask import Flask

    app = Flask(__name__)
    app.config["SECRET_KEY"] = "k7-winter-night-8812-lamp-post"

Good::

    import os

    from flask import Flask

    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]

References:
    - CWE-798
    - CWE-321
    - ASVS 5.0 V13.3.1
    - https://flask.palletsprojects.com/en/stable/config/#SECRET_KEY
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules.secrets._text import at_key, key_settings, key_text
from stopper.source.project import Project


class SecretKeyLiteral(Rule):
    """Ask the settings that sign for a constant that holds in production."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (798, 321)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each signing key whose value is a literal."""
        for setting in key_settings(project):
            text = key_text(setting.value.constant) if setting.value.known else None
            if text:
                yield at_key(
                    self, project, setting, f"{setting.key} stands in {setting.location.path} as a literal"
                )
