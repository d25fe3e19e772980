"""An app must not run on a Python that is no longer mended.

A Python release gets security fixes for five years. After that, holes in ssl, http, tarfile or the parser
stay open, and the libraries above stop testing with it.

Bad::

    from flask import Flask

    app = Flask(__name__)

    # file: Dockerfile
    FROM python:3.8-slim
    COPY . /app

Good::

    from flask import Flask

    app = Flask(__name__)

    # file: Dockerfile
    FROM python:3.13-slim
    COPY . /app

References:
    - CWE-1104
    - ASVS 5.0 V15.2.1
    - https://devguide.python.org/versions/
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source.lifecycles import PYTHON, branch_of
from stopper.source.project import Project


class EndOfLifePython(Rule):
    """Compare the Python that files name, or hold the app below, with the end of its branch."""

    area = Area.DEPENDENCIES
    severity = Severity.MEDIUM
    cwe = (1104,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each ended branch of Python that the project names."""
        today = dt.datetime.now(dt.UTC).date()
        seen: set[str] = set()
        for python in project.manifests.python_versions:
            branch = branch_of(python.version, PYTHON)
            if python.development or branch is None or branch.end > today or branch.cycle in seen:
                continue
            seen.add(branch.cycle)
            bound = python.where in {"requires-python", "python_requires", "python"}
            says = f"{python.where} allows nothing newer than" if bound else f"{python.where} asks for"
            message = f"{says} Python {branch.cycle}, which has had no security fixes since {branch.ended}."
            newest = max(
                (one for one in PYTHON if one.end > today), key=lambda one: one.end, default=PYTHON[-1]
            )
            remedy = project.line(python.location).strip().replace(python.version, newest.cycle)
            yield self.found(
                python.location,
                message,
                confidence=Confidence.MEDIUM if bound else Confidence.HIGH,
                remedy=remedy if newest.cycle in remedy else f"Python {newest.cycle}",
                context=branch.cycle,
            )
