"""A request to another server must end.

requests waits for ever by default. A server that does not answer then holds a worker each time, and a few
such requests stop the site.

Bad::

    import requests
    from flask import Flask

    app = Flask(__name__)

    @app.get("/rates")
    def rates():
        return requests.get("https://rates.example/today").json()

Good::

    import requests
    from flask import Flask

    app = Flask(__name__)

    @app.get("/rates")
    def rates():
        return requests.get("https://rates.example/today", timeout=5).json()

References:
    - CWE-400
    - https://requests.readthedocs.io/en/latest/user/quickstart/#timeouts
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import own_calls
from stopper.source.module import Module
from stopper.source.project import Project


class RequestWithoutTimeout(Rule):
    """Look for calls of requests without a timeout."""

    area = Area.INPUTS
    severity = Severity.LOW
    cwe = (400,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call in application code."""
        for call in own_calls(
            project,
            *(f"requests.{verb}" for verb in ("get", "post", "put", "patch", "delete", "head", "request")),
        ):
            if call.argument(None, "timeout") is not None or call.has_star:
                continue
            yield self.found(
                call.location,
                "this request waits for ever when the other server does not answer",
                # at module level, or in a script, it holds no worker
                confidence=Confidence.MEDIUM
                if call.function and not _is_script(project, call.module)
                else Confidence.LOW,
                remedy="requests.get(url, timeout=5)",
                context=f"{call.function} {call.name}",
            )


def _is_script(project: Project, module: Module) -> bool:
    """Tell whether a file is there to be started by hand: it says so, nothing imports it and no view is in it."""
    if "__main__" not in module.text.content or project.code.imports(module.name):
        return False
    return all(route.view is None or route.view.module is not module for route in project.routes.routes)
