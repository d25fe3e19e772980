"""A view must not answer with the text of an exception.

What an exception says is written for you: paths, statements, names of hosts, at times a password in a URL. Shown to a
client it is a map of the inside.

Log the exception and answer with a sentence of your own.

Bad::

    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/run")
    def run():
        try:
            return {"answer": 1 / int(request.args["by"])}
        except Exception as error:
            return {"error": str(error)}, 500

Good::

    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/run")
    def run():
        try:
            return {"answer": 1 / int(request.args["by"])}
        except Exception:
            app.logger.exception("the division failed")
            return {"error": "this did not work"}, 500

Bad::

    > GET https://blog.example.org/x
    > missing
    HTTP/1.1 500 Internal Server Error
    Content-Type: text/plain

    Traceback (most recent call last):
      File "/srv/app.py", line 3

Good::

    > GET https://blog.example.org/x
    > missing
    HTTP/1.1 500 Internal Server Error
    Content-Type: text/plain

    This did not work.

References:
    - CWE-209
    - CWE-497
    - ASVS 5.0 V16.5.1
    - https://cheatsheetseries.owasp.org/cheatsheets/Error_Handling_Cheat_Sheet.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Confidence, Finding, Severity, Vantage
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules.secrets._worded import WORDED, only_worded
from stopper.source.module import Kind
from stopper.source.project import Project
from stopper.taint.flow import Flow
from stopper.taint.flows import flows_into

if TYPE_CHECKING:
    from stopper.app.booted import Booted
    from stopper.wire.site import Site

_CAUGHT = re.compile(r"except\s+\(?([\w.,\s]+?)\)?\s+as\b")
_FOR_USERS = regex(r"Validation|HTTP|BadRequest|Schema|Invalid|Abort|NotFound|Denied", re.IGNORECASE)
_INSIDE = (
    "OSError", "IOError", "EnvironmentError", "ConnectionError", "TimeoutError", "FileNotFoundError", "PermissionError",
)  # fmt: skip


class ErrorDetailsExposed(Rule):
    """Every flow of a caught exception or a traceback into an answer."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (209, 497)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        seen, told = set[tuple[str, int]](), set[tuple[str, int]]()
        own = {
            scope.name for module in project.modules for scope in module.scopes if scope.kind is Kind.CLASS
        }
        for flow in sorted(flows_into(project, "error-details"), key=lambda flow: len(flow.steps)):
            place = (flow.place.path, flow.place.line)
            way = {(step.location.path, step.location.line) for step in flow.steps[1:]}
            if (
                place in seen or way & told
            ):  # an answer is told where it is made, not once more where it is returned
                continue
            seen.add(place)
            confidence = _confidence(flow, own)
            if confidence is None:
                continue
            told.add(place)
            if "traceback" in flow.source:
                confidence = flow.confidence
            message = f"{flow.source} is shown to the client by {flow.sink_name}."
            remedy = 'app.logger.exception("the import failed"); return {"error": "this did not work"}, 500'
            if flow.source == "the configuration":
                remedy = 'return {"version": app.config["VERSION"]}  # what may be seen, by name'
            yield self.found_flow(flow, message, remedy=remedy, confidence=confidence)

    def app(self, booted: Booted) -> Iterator[Finding]:
        """Report the answers of the booted app that show a traceback."""
        for answer in booted.answers:
            if "Traceback (most recent call last)" in answer.body:
                yield self.seen(
                    f"endpoint:{answer.endpoint}", f"{answer.method} {answer.path} answers {answer.status} with a traceback", context=answer.path,
                    remedy='app.logger.exception("it failed"); return {"error": "this did not work"}, 500',
                )  # fmt: skip

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report the answers that show a traceback."""
        for answer in site.answers:
            if "Traceback (most recent call last)" in answer.body:
                yield self.seen(
                    f"path:{answer.path}", f"{answer.method} {answer.url} answers {answer.status} with a traceback", vantage=Vantage.WIRE,
                    context=answer.path, remedy='app.logger.exception("it failed"); return {"error": "this did not work"}, 500',
                )  # fmt: skip


def _confidence(flow: Flow, own: set[str]) -> Confidence | None:
    """Return how sure it is that the text tells of the inside; None for errors that the project itself words."""
    if only_worded(flow):
        return None
    if "specific" not in flow.marks:
        return Confidence.MEDIUM
    caught = next((found for step in flow.steps if (found := _CAUGHT.search(step.code))), None)
    names = [name.strip() for name in caught[1].split(",")] if caught else []
    if names and all(name.rpartition(".")[2] in own | WORDED for name in names):
        return None
    told = any(name in _INSIDE or ("." in name and not _FOR_USERS.search(name)) for name in names)
    return Confidence.MEDIUM if told else Confidence.LOW
