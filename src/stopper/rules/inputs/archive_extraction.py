"""An app must not unpack an archive that a client sends without a filter.

The names in a tar archive may lead out of the folder, and its links may point anywhere: unpacking it writes over the
program. Python refuses such members by itself only since 3.14.

Give ``filter="data"``, which refuses them in every Python that is still supported.

Bad::

    import tarfile

    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/themes")
    def themes():
        archive = tarfile.open(fileobj=request.files["theme"].stream)
        archive.extractall("themes")
        return "done"

Good::

    import tarfile

    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/themes")
    def themes():
        archive = tarfile.open(fileobj=request.files["theme"].stream)
        archive.extractall("themes", filter="data")
        return "done"

References:
    - CWE-22
    - ASVS 5.0 V5.3.3
    - https://docs.python.org/3/library/tarfile.html#extraction-filters
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class ArchiveExtraction(Rule):
    """Every flow of a client's file into ``extractall`` without a filter."""

    area = Area.INPUTS
    severity = Severity.HIGH
    cwe = (22,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "archive"):
            message = f"{flow.source} is unpacked by {flow.sink_name}, wherever its names lead."
            yield self.found_flow(flow, message, remedy='archive.extractall(folder, filter="data")')
