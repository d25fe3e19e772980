"""An app must not unpickle what a client sends.

Pickle does not hold data, it holds instructions for building objects, and a few bytes of it run any command.
``yaml.load`` with a full loader is the same.

Send JSON. Load YAML with ``safe_load``.

Bad::

    import pickle

    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/restore")
    def restore():
        return {"items": len(pickle.loads(request.data))}

Good::

    import json

    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/restore")
    def restore():
        return {"items": len(json.loads(request.data))}

References:
    - CWE-502
    - ASVS 5.0 V1.5.2
    - https://docs.python.org/3/library/pickle.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source import rewrite
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class UnsafeDeserialization(Rule):
    """Every flow of a client's data into a loader that can build any object."""

    area = Area.INPUTS
    severity = Severity.CRITICAL
    cwe = (502,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "deserialization"):
            message = f"{flow.source} is rebuilt into objects by {flow.sink_name}, which can run any code."
            yield self.found_flow(
                flow,
                message,
                remedy=rewrite.data_only(project.code, flow.sink)
                or "json.loads(request.data)  # yaml.safe_load(text) for YAML",
            )
