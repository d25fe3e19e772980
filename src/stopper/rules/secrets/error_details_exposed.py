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

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Confidence, Finding, Severity, Vantage
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.taint.flows import flows_into

if TYPE_CHECKING:
    from stopper.app.booted import Booted
    from stopper.wire.site import Site


class ErrorDetailsExposed(Rule):
    """Every flow of a caught exception or a traceback into an answer."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (209, 497)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        seen: set[tuple[str, int]] = set()
        for flow in flows_into(project, "error-details"):
            place = (flow.place.path, flow.place.line)
            if place in seen:
                continue
            seen.add(place)
            confidence = Confidence.LOW if "specific" in flow.marks else Confidence.MEDIUM
            if "traceback" in flow.source:
                confidence = flow.confidence
            message = f"{flow.source} is shown to the client by {flow.sink_name}."
            remedy = 'app.logger.exception("the import failed"); return {"error": "this did not work"}, 500'
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
