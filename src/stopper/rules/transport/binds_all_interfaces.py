"""Flask's development server must not be reachable from outside.

app.run is for development. Bound to 0.0.0.0 it answers the whole network, without TLS and without the bounds
that a real server sets.

Bad::

    from flask import Flask

    app = Flask(__name__)

    if __name__ == "__main__":
        app.run(host="0.0.0.0")

Good::

    from flask import Flask

    app = Flask(__name__)

    if __name__ == "__main__":
        app.run(host="127.0.0.1")

References:
    - CWE-668
    - ASVS 5.0 V13.4.2
    - https://flask.palletsprojects.com/en/stable/deploying/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import constant, own_calls
from stopper.source.project import Project


class BindsAllInterfaces(Rule):
    """Look at the host given to app.run."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (668,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call of app.run bound to every interface."""
        for call in own_calls(project, "flask.Flask().run"):
            if constant(call.argument(0, "host")) in ("0.0.0.0", "::"):  # noqa: S104
                yield self.found(
                    call.location,
                    "the development server listens on every interface",
                    confidence=Confidence.MEDIUM,
                    remedy='app.run(host="127.0.0.1")  # and gunicorn or waitress in production',
                    context=call.function,
                )
