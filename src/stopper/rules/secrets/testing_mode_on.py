"""Testing mode must be off in production.

TESTING lets exceptions out of the app instead of answering 500, and extensions drop their checks under it: Flask-Login its
login_required, Flask-WTF the reCAPTCHA. PROPAGATE_EXCEPTIONS alone lets the exceptions out.

Bad::

    from flask import Flask

    app = Flask(__name__)
    app.config["TESTING"] = True

Good::

    from flask import Flask

    app = Flask(__name__)
    app.config["TESTING"] = False

References:
    - CWE-489
    - CWE-209
    - ASVS 5.0 V13.4.2
    - https://flask.palletsprojects.com/en/stable/config/#TESTING
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Cleared, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source.files import Role
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.app.booted import Booted


class TestingModeOn(Rule):
    """Ask what TESTING and PROPAGATE_EXCEPTIONS are in production."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (489, 209)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each that is on."""
        for key in ("TESTING", "PROPAGATE_EXCEPTIONS"):
            for setting in project.settings.in_production(key):
                if setting.value.in_production() is True and project.role(setting.location.path) is Role.APP:
                    yield self.found(
                        setting.location, f"{key} is on in production", confidence=Confidence.HIGH if setting.value.known else Confidence.MEDIUM,
                        remedy=f"{key} = False", context=key,
                    )  # fmt: skip

    def app(self, booted: Booted) -> Iterator[Finding | Cleared]:
        """Say what the booted app has."""
        for key in ("TESTING", "PROPAGATE_EXCEPTIONS"):
            if booted.config.get(key) is True:
                yield self.seen(f"setting:{key}", f"{key} is on in the booted app", remedy=f"{key} = False")
            else:
                yield self.cleared(f"{key} is off in the booted app", context=key)
