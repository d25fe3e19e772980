"""The size of a request must have a bound.

Without MAX_CONTENT_LENGTH one request can fill the memory or the disk: uploads are spooled before any view or
validator sees them.

Bad::

    from flask import Flask, request

    app = Flask(__name__)

    @app.post("/upload")
    def upload():
        return str(len(request.files["file"].read()))

Good::

    from flask import Flask, request

    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 16 * 1024 * 1024

    @app.post("/upload")
    def upload():
        return str(len(request.files["file"].read()))

Bad::

    > POST https://blog.example.org/
    > large
    HTTP/1.1 200 OK

Good::

    > POST https://blog.example.org/
    > large
    HTTP/1.1 413 Content Too Large

References:
    - CWE-770
    - CWE-400
    - ASVS 5.0 V5.2.1
    - https://flask.palletsprojects.com/en/stable/web-security/#resource-use
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Cleared, Confidence, Finding, Severity, Vantage
from stopper.policy import UPLOAD_BYTES
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._places import app_places
from stopper.rules._posture import absence
from stopper.rules._when import bounds_body
from stopper.source.files import Role
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.app.booted import Booted
    from stopper.wire.site import Site

_PROXY = re.compile(r"client_max_body_size\s+[1-9]|max_size\s+\d|LimitRequestBody\s+[1-9]")


@closed_by("body", when=bounds_body, whole=True)
class RequestSizeUnlimited(Rule):
    """Look for MAX_CONTENT_LENGTH, or a proxy's bound, where the app reads bodies."""

    area = Area.INPUTS
    severity = Severity.LOW
    cwe = (770, 400)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each app that reads uploads or bodies without a bound."""
        if project.settings.is_set("MAX_CONTENT_LENGTH"):
            return
        if any(
            _PROXY.search(file.text.content) for file in project.tree.named("*.conf", "nginx*", "Caddyfile")
        ):
            return
        own = [one.text.content for one in project.modules if one.role is Role.APP]
        uploads = any("request.files" in text or "FileField" in text for text in own)
        for place in app_places(project):
            yield self.found(
                place,
                "MAX_CONTENT_LENGTH is set nowhere: one request may be as large as it likes",
                severity=Severity.MEDIUM if uploads else Severity.LOW,
                confidence=absence(project) if uploads else Confidence.LOW,
                remedy=f'app.config["MAX_CONTENT_LENGTH"] = {UPLOAD_BYTES}',
                context="MAX_CONTENT_LENGTH",
            )

    def app(self, booted: Booted) -> Iterator[Finding | Cleared]:
        """Say whether the booted app has a bound; where it has none, a proxy may still have one."""
        bound = booted.config.get("MAX_CONTENT_LENGTH")
        if bound:
            yield self.cleared(
                f"MAX_CONTENT_LENGTH is {bound} in the booted app", context="MAX_CONTENT_LENGTH"
            )

    def wire(self, site: Site) -> Iterator[Finding | Cleared]:
        """Say whether an active look's large body was refused."""
        for answer in site.of("large"):
            if answer.status == 413:
                yield self.cleared(
                    "a body of 32 MiB was refused", context="MAX_CONTENT_LENGTH", vantage=Vantage.WIRE
                )
            elif answer.status < 400:
                yield self.seen(
                    "setting:MAX_CONTENT_LENGTH", f"a body of 32 MiB sent to {answer.url} was accepted with {answer.status}", vantage=Vantage.WIRE,
                    severity=Severity.MEDIUM, remedy=f'app.config["MAX_CONTENT_LENGTH"] = {UPLOAD_BYTES}',
                )  # fmt: skip
