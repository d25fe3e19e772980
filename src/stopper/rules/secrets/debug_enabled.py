"""Debug mode must be off in production.

Werkzeug's debugger runs any Python that a visitor types, and its error pages show code and variables.

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

Bad::

    > GET https://blog.example.org/?__debugger__=yes&cmd=resource&f=debugger.js
    > debugger
    HTTP/1.1 200 OK
    Content-Type: text/javascript

Good::

    > GET https://blog.example.org/?__debugger__=yes&cmd=resource&f=debugger.js
    > debugger
    HTTP/1.1 404 Not Found

References:
    - CWE-489
    - CWE-215
    - ASVS 5.0 V13.4.2
    - https://flask.palletsprojects.com/en/stable/debugging/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Cleared, Confidence, Finding, Severity, Vantage
from stopper.rule import Rule
from stopper.rules._posture import TALISMAN, decorated_with
from stopper.rules.secrets._started import started_in_debug
from stopper.source.files import Role
from stopper.source.project import Project
from stopper.source.values import UNKNOWN

if TYPE_CHECKING:
    from stopper.app.booted import Booted
    from stopper.wire.site import Site


_OFF = (UNKNOWN, False, None, 0, "")


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
            if value is None or call.module.role is not Role.APP or value.in_production() in _OFF:
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

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report a site that serves the debugger's own files or its error page."""
        for answer in site.answers:
            served = (
                answer.purpose == "debugger"
                and answer.status == 200
                and "javascript" in (answer.header("content-type") or "")
            )
            if served or "EVALEX = true" in answer.body:
                yield self.seen(
                    "setting:DEBUG", f"{answer.url} answers with Werkzeug's debugger", vantage=Vantage.WIRE, severity=Severity.CRITICAL,
                    remedy="gunicorn wsgi:app  # never flask run --debug",
                )  # fmt: skip
                return

    def _settings(self, project: Project) -> Iterator[Finding]:
        reported: set[str] = set()
        for setting in project.settings.in_production("DEBUG"):
            on = setting.value.in_production() in (True, 1, "1", "true", "True")
            if not on or project.role(setting.location.path) is not Role.APP:
                continue
            reported.add(setting.location.path)
            local = setting.location.path.endswith(".flaskenv")
            said = "; only the flask command reads this file" if local else ""
            yield self.found(
                setting.location, f"debug mode is on for production{said}{_also_off(project)}",
                confidence=Confidence.LOW if local else Confidence.HIGH, severity=Severity.MEDIUM if local else Severity.HIGH,
                remedy="DEBUG = False", context="DEBUG",
            )  # fmt: skip
        for place, message, remedy, context in started_in_debug(project):
            if place.path not in reported:
                yield self.found(place, message, remedy=remedy, context=context)


def _also_off(project: Project) -> str:
    """Return what else debug mode switches off: Talisman neither redirects nor marks cookies Secure in it."""
    talisman = decorated_with(project, *TALISMAN)
    return "; Talisman's redirect and Secure cookies are off with it" if talisman else ""
