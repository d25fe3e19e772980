"""Werkzeug's debugger must not wrap the app.

The debugger runs any Python that a visitor types, whatever the app's own debug setting says.

Bad::

    from flask import Flask

    app = Flask(__name__)
    from werkzeug.debug import DebuggedApplication

    app.wsgi_app = DebuggedApplication(app.wsgi_app, evalex=True)

Bad::

    from flask import Flask

    app = Flask(__name__)
    from werkzeug.serving import run_simple

    run_simple("localhost", 5000, app, use_debugger=True)

Good::

    from flask import Flask

    app = Flask(__name__)
    from werkzeug.serving import run_simple

    run_simple("localhost", 5000, app)

References:
    - CWE-489
    - ASVS 5.0 V13.4.2
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source.files import Role
from stopper.source.project import Project


class DebuggerMiddleware(Rule):
    """Look for DebuggedApplication and for run_simple with use_debugger."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (489,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each debugger put around an app."""
        for call in project.code.calls(
            "werkzeug.debug.DebuggedApplication", "werkzeug.serving.run_simple", "werkzeug.run_simple"
        ):
            simple = call.name.endswith("run_simple")
            flag = call.argument(4, "use_debugger") if simple else None
            if call.module.role is not Role.APP or (
                simple and (flag is None or flag.value.in_production() is not True)
            ):
                continue
            yield self.found(
                call.location, f"{call.name.rpartition('.')[2]} puts the debugger around the app",
                confidence=Confidence.MEDIUM if "__main__" in call.module.text.content else Confidence.HIGH,
                remedy="remove the debugger; start the app with gunicorn wsgi:app", context=call.function,
            )  # fmt: skip
