"""The static folder must hold only what everybody may read.

static_folder='.' serves the project itself: source code, .env and the database are a URL away.

Bad::

    from flask import Flask

    app = Flask(__name__, static_folder=".")

Good::

    from flask import Flask

    app = Flask(__name__, static_folder="static")

References:
    - CWE-552
    - CWE-538
    - ASVS 5.0 V13.4.7
    - https://flask.palletsprojects.com/en/stable/api/#flask.Flask
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import constant, own_calls
from stopper.source.project import Project


class StaticFolderIsProject(Rule):
    """Look at the static_folder given to Flask and Blueprint."""

    area = Area.INPUTS
    severity = Severity.HIGH
    cwe = (552, 538)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call in application code."""
        for call in own_calls(project, "flask.Flask", "flask.Blueprint"):
            if constant(call.argument(None, "static_folder")) not in (".", "./", "/", "..", "../"):
                continue
            yield self.found(
                call.location,
                "this serves the project's own files: source code, settings, database",
                confidence=Confidence.HIGH,
                remedy='Flask(__name__, static_folder="static")',
                context=f"{call.function} {call.name}",
            )
