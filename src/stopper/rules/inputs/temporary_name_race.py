"""A temporary file must be made, not only named.

tempfile.mktemp gives a name that is free now. Until the app opens it, anybody on the machine can put a file
or a link there.

Bad::

    import tempfile
    from flask import Flask

    app = Flask(__name__)
    path = tempfile.mktemp()

Good::

    import tempfile
    from flask import Flask

    app = Flask(__name__)
    handle, path = tempfile.mkstemp()

References:
    - CWE-377
    - https://docs.python.org/3/library/tempfile.html#tempfile.mktemp
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import own_calls
from stopper.source.project import Project


class TemporaryNameRace(Rule):
    """Look for tempfile.mktemp."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (377,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call in application code."""
        for call in own_calls(project, "tempfile.mktemp", "os.tempnam", "os.tmpnam"):
            yield self.found(
                call.location,
                f"{call.name} names a file that somebody else can make first",
                confidence=Confidence.HIGH,
                remedy="handle, path = tempfile.mkstemp()",
                context=f"{call.function} {call.name}",
            )
