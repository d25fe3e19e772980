"""An app must not open files whose path a client chooses.

``../../etc/passwd`` is a file name too, and ``os.path.join`` drops everything before an absolute path. The client
reads the configuration with its secrets, or writes over the program.

Let Flask join and check the path: ``send_from_directory`` to answer with a file, ``safe_join`` for the rest,
``secure_filename`` for a name to store under.

Bad::

    import os

    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/files")
    def files():
        with open(os.path.join("uploads", request.args["name"])) as file:
            return {"text": file.read()}

Good::

    from flask import Flask, request, send_from_directory

    app = Flask(__name__)

    @app.get("/files")
    def files():
        return send_from_directory("uploads", request.args["name"])

References:
    - CWE-22
    - CWE-73
    - ASVS 5.0 V5.3.2
    - https://flask.palletsprojects.com/en/stable/api/#flask.send_from_directory
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._closed import held_by
from stopper.source import rewrite
from stopper.source.project import Project
from stopper.taint.flows import flows_into


@held_by("sentry")
class PathTraversal(Rule):
    """Every flow of a client's data into a path, unless the path is normalised and then compared with its folder."""

    area = Area.INPUTS
    severity = Severity.HIGH
    cwe = (
        22,
        73,
    )

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "path"):
            message = f"{flow.source} becomes part of the path that {flow.sink_name} uses."
            yield self.found_flow(
                flow,
                message,
                remedy=rewrite.joined_safely(project.code, flow.sink) or _remedy(flow.sink_name),
            )


def _remedy(sink: str) -> str:
    """Return the line to write instead, in the manner of the sink."""
    if sink == "send_file()":
        return "return send_from_directory(FOLDER, name)"
    if sink == "save()":
        return "upload.save(os.path.join(FOLDER, secure_filename(upload.filename)))"
    return "path = safe_join(FOLDER, name)  # from werkzeug.utils; None when it leads outside"
