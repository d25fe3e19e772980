"""A client must not choose the environment variables of a program.

Programs do what their environment says: ``LD_PRELOAD`` makes them load a library, ``PATH`` chooses which programs they
start, ``PYTHONSTARTUP`` what they run first. Whoever names a variable runs code.

Give fixed names; values that only a page shows may come from the client.

Bad::

    import os
    import subprocess

    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/render")
    def render():
        environment = {**os.environ, request.form["name"]: request.form["value"]}
        subprocess.run(["make", "report"], env=environment, check=True)
        return "done"

Good::

    import os
    import subprocess

    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/render")
    def render():
        environment = {**os.environ, "TITLE": request.form["value"]}
        subprocess.run(["make", "report"], env=environment, check=True)
        return "done"

References:
    - CWE-78
    - CWE-426
    - CWE-454
    - ASVS 5.0 V1.2.5
    - https://docs.python.org/3/library/subprocess.html#popen-constructor
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into


class EnvironmentInjection(Rule):
    """Every flow of a client's data into the name of an environment variable."""

    area = Area.INPUTS
    severity = Severity.HIGH
    cwe = (78, 426, 454)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "environment"):
            message = f"{flow.source} names an environment variable that {flow.sink_name} hands to a program."
            yield self.found_flow(flow, message, remedy='env={**os.environ, "TITLE": title}')
