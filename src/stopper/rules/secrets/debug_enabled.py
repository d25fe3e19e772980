"""Debug mode must be off in production.

Werkzeug's debugger runs any Python that a visitor types, and its error pages show code and
variables.

Bad::

    from flask import Flask

    app = Flask(__name__)
    app.run(debug=True)

Bad::

    from flask import Flask

    app = Flask(__name__)
    app.config["DEBUG"] = True

Bad::

    from flask import Flask

    app = Flask(__name__)
    # file: Dockerfile
    FROM python:3.13
    ENV FLASK_DEBUG=1
    CMD ["flask", "run"]

Good::

    from flask import Flask

    app = Flask(__name__)
    app.run()

References:
    - CWE-489
    - CWE-215
    - ASVS 5.0 V13.4.2
    - https://flask.palletsprojects.com/en/stable/debugging/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Cleared, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import TALISMAN, decorated_with
from stopper.source.files import Role
from stopper.source.project import Project
from stopper.source.values import UNKNOWN

if TYPE_CHECKING:
    from stopper.app.booted import Booted


_OFF = ("", "0", "false", "no")


class DebugEnabled(Rule):
    """Ask app.run, the DEBUG setting, FLASK_DEBUG and the start commands."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (489, 215)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report debug mode wherever it is switched on for production."""
        for call in project.code.calls("flask.Flask().run"):
            expr = call.argument(2, "debug")
            value = expr.value if expr is not None else None
            if (
                value is None
                or call.module.role is not Role.APP
                or value.in_production() in (UNKNOWN, False, None, 0, "")
            ):
                continue
            guarded = call.conditions.main
            confidence = Confidence.MEDIUM if guarded else Confidence.HIGH
            severity = Severity.MEDIUM if guarded else Severity.HIGH
            where = "; it holds only when the file itself is started" if guarded else ""
            yield self.found(
                call.location, f"app.run starts the debugger{where}", confidence=confidence, severity=severity,
                remedy="app.run()", context=call.function,
            )  # fmt: skip
        yield from self._settings(project)

    def app(self, booted: Booted) -> Iterator[Finding | Cleared]:
        """Say whether the app boots in debug mode where nothing in the environment asks for it."""
        if booted.debug:
            yield self.seen(
                "setting:DEBUG",
                "the app boots in debug mode although FLASK_DEBUG is not set",
                remedy="DEBUG = False",
            )
        else:
            yield self.cleared("the app boots with debug mode off", context="DEBUG")

    def _settings(self, project: Project) -> Iterator[Finding]:
        reported: set[str] = set()
        for setting in project.settings.in_production("DEBUG"):
            if (
                setting.value.in_production() in (True, 1, "1", "true", "True")
                and project.role(setting.location.path) is Role.APP
            ):
                reported.add(setting.location.path)
                local = setting.location.path.endswith(".flaskenv")
                said = "; only the flask command reads this file" if local else ""
                yield self.found(
                    setting.location,
                    f"debug mode is on for production{said}{_also_off(project)}",
                    confidence=Confidence.LOW if local else Confidence.HIGH,
                    severity=Severity.MEDIUM if local else Severity.HIGH,
                    remedy="DEBUG = False",
                    context="DEBUG",
                )
        yield from self._started(project, reported)

    def _started(self, project: Project, reported: set[str]) -> Iterator[Finding]:
        for one in project.settings.variable("FLASK_DEBUG"):
            live = one.environment in ("any", "production") and one.value.lower() not in _OFF
            if live and one.location.path not in reported and project.role(one.location.path) is Role.APP:
                yield self.found(
                    one.location, f"{one.how} sets FLASK_DEBUG", remedy="FLASK_DEBUG=0", context="FLASK_DEBUG"
                )
        for command in project.settings.commands:
            if (
                command.program == "flask"
                and "--debug" in command.argv
                and command.environment in ("any", "production")
            ):
                yield self.found(
                    command.location,
                    f"{command.how} starts flask with --debug",
                    remedy="gunicorn wsgi:app",
                    context="--debug",
                )


def _also_off(project: Project) -> str:
    """Return what else debug mode switches off: Talisman neither redirects nor marks cookies Secure in it."""
    return (
        "; Talisman's redirect and Secure cookies are off with it"
        if decorated_with(project, *TALISMAN)
        else ""
    )
