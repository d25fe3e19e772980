"""Links to the app itself must not be made of the client's Host header.

url_for(_external=True) and request.host follow the Host header that the client sends unless TRUSTED_HOSTS
lists the app's own names. A reset mail with such a link sends its token to whoever asked for it.

Bad::

    from flask import Flask, url_for

    app = Flask(__name__)

    @app.post("/forgot")
    def forgot():
        return url_for("reset", _external=True)

    @app.get("/reset")
    def reset():
        return "reset"

Good::

    from flask import Flask, url_for

    app = Flask(__name__)
    app.config["TRUSTED_HOSTS"] = ["blog.example"]

    @app.post("/forgot")
    def forgot():
        return url_for("reset", _external=True)

    @app.get("/reset")
    def reset():
        return "reset"

Bad::

    > GET https://blog.example.org/
    > host
    > Host: foreign.example
    HTTP/1.1 302 Found
    Location: https://foreign.example/login

Good::

    > GET https://blog.example.org/
    > host
    > Host: foreign.example
    HTTP/1.1 400 Bad Request
    Content-Type: text/html

References:
    - CWE-644
    - CWE-20
    - ASVS 5.0 V4.1.3
    - https://flask.palletsprojects.com/en/stable/config/#TRUSTED_HOSTS
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Cleared, Finding, Severity, Vantage
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._posture import absence, constant, own_calls
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.app.booted import Booted
    from stopper.wire.site import Site


@closed_by("hosts", whole=True)
class TrustedHostsMissing(Rule):
    """Look for external links and request.host where neither TRUSTED_HOSTS nor SERVER_NAME is set."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (644, 20)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report the first external link of each module."""
        if any(project.settings.is_set(key) for key in ("TRUSTED_HOSTS", "SERVER_NAME")):
            return
        seen: set[str] = set()
        for call in own_calls(project, "flask.url_for"):
            if constant(call.argument(None, "_external")) is not True or call.module.path in seen:
                continue
            seen.add(call.module.path)
            yield self.found(
                call.location,
                "this link is made of the client's Host header; a proxy that rewrites Host, or TRUSTED_HOSTS, would settle it",
                confidence=absence(project),
                remedy='app.config["TRUSTED_HOSTS"] = ["your.domain"]',
                context=call.function,
            )

    def app(self, booted: Booted) -> Iterator[Cleared]:
        """Say whether the booted app knows its hosts."""
        hosts = booted.config.get("TRUSTED_HOSTS") or booted.config.get("SERVER_NAME")
        if hosts:
            yield self.cleared(f"the booted app answers for {hosts!r}")

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report the answers that repeat a host which the client made up."""
        for answer in site.of("host", "forwarded"):
            foreign = dict(answer.sent).get("Host") or dict(answer.sent).get("X-Forwarded-Host", "")
            where = (
                "Location"
                if foreign in (answer.header("location") or "")
                else "the page"
                if foreign in answer.body
                else ""
            )
            if foreign and where and answer.status < 400:
                name = "Host" if answer.purpose == "host" else "X-Forwarded-Host"
                yield self.seen(
                    "setting:TRUSTED_HOSTS", f"{answer.url} puts the {name} that the client sent into {where}", vantage=Vantage.WIRE,
                    severity=Severity.MEDIUM, remedy=f'app.config["TRUSTED_HOSTS"] = ["{site.origin.host}"]',
                )  # fmt: skip
