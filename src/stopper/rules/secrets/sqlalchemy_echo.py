"""SQLAlchemy must not echo statements in production.

Every statement goes to the log with its values: password hashes, tokens, mail addresses.

Bad::

    from flask import Flask

    app = Flask(__name__)
    app.config["SQLALCHEMY_ECHO"] = True

Good::

    from flask import Flask

    app = Flask(__name__)
    app.config["SQLALCHEMY_ECHO"] = False

References:
    - CWE-532
    - ASVS 5.0 V16.2.5
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.files import Role
from stopper.source.project import Project


class SqlalchemyEcho(Rule):
    """Ask what SQLALCHEMY_ECHO holds in production."""

    area = Area.SECRETS
    severity = Severity.LOW
    cwe = (532,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report the setting where it is switched on."""
        for setting in project.settings.in_production("SQLALCHEMY_ECHO"):
            if (
                setting.value.in_production() in (True, "debug")
                and project.role(setting.location.path) is Role.APP
            ):
                yield self.found(
                    setting.location, "SQLALCHEMY_ECHO writes every statement and its values to the log",
                    remedy="SQLALCHEMY_ECHO = False", context="SQLALCHEMY_ECHO",
                )  # fmt: skip
