"""The debug toolbar must not reach production.

Flask-DebugToolbar shows the configuration, the SQL and the templates of each page, and can run SQL again. It switches itself on with the debug
mode, or with DEBUG_TB_ENABLED alone.

Bad::

    from flask import Flask
    from flask_debugtoolbar import DebugToolbarExtension

    app = Flask(__name__)
    app.config["DEBUG_TB_ENABLED"] = True
    DebugToolbarExtension(app)

Good::

    from flask import Flask
    from flask_debugtoolbar import DebugToolbarExtension

    app = Flask(__name__)
    app.config["DEBUG_TB_ENABLED"] = False
    DebugToolbarExtension(app)

References:
    - CWE-489
    - CWE-215
    - ASVS 5.0 V13.4.2
    - https://flask-debugtoolbar.readthedocs.io/en/latest/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project


class DebugToolbar(Rule):
    """Ask what DEBUG_TB_ENABLED is in production where the extension is used."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (489, 215)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report the setting that switches it on."""
        if not project.code.uses("flask_debugtoolbar"):
            return
        for setting in project.settings.in_production("DEBUG_TB_ENABLED"):
            if setting.value.in_production() is True:
                yield self.found(
                    setting.location,
                    "the debug toolbar is on in production",
                    remedy='app.config["DEBUG_TB_ENABLED"] = False',
                    context="DEBUG_TB_ENABLED",
                )
