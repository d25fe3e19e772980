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

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Cleared, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.source.code import Call
from stopper.source.files import Role
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.app.booted import Booted


_CHANGES = regex("update|override|load|configure|apply|merge", re.IGNORECASE)
"""What a function is called that writes to the settings it is given."""


class TestingModeOn(Rule):
    """Ask what TESTING and PROPAGATE_EXCEPTIONS are in production."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (489, 209)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each that is on; less surely where the app hands its settings to something that may still change them."""
        for key in ("TESTING", "PROPAGATE_EXCEPTIONS"):
            for setting in project.settings.in_production(key):
                if setting.value.in_production() is True and project.role(setting.location.path) is Role.APP:
                    changers = project.cached(_changers, lambda: _changers(project))
                    sure = setting.value.known and not changers
                    doubt = f", unless {changers[0].target.identifier}() changes it" if changers else ""
                    yield self.found(
                        setting.location, f"{key} is on in production{doubt}", confidence=Confidence.HIGH if sure else Confidence.MEDIUM,
                        remedy=f"{key} = False", context=key,
                    )  # fmt: skip

    def app(self, booted: Booted) -> Iterator[Finding | Cleared]:
        """Say what the booted app has."""
        for key in ("TESTING", "PROPAGATE_EXCEPTIONS"):
            if booted.config.get(key) is True:
                yield self.seen(f"setting:{key}", f"{key} is on in the booted app", remedy=f"{key} = False")
            else:
                yield self.cleared(f"{key} is off in the booted app", context=key)


def _changers(project: Project) -> list[Call]:
    """Return the calls that are handed the configuration and may change it."""
    given = project.code.given("flask.Flask().config")
    return [call for call in given if _CHANGES.search(call.target.identifier)]
