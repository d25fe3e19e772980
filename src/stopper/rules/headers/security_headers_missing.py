"""Every answer must carry the security headers.

Browsers hold back scripts, frames, sniffing and plain HTTP only when the answer tells them to. Flask sends
none of these headers by itself.

Bad::

    from flask import Flask

    app = Flask(__name__)

Good::

    from flask import Flask

    app = Flask(__name__)

    @app.after_request
    def headers(response):
        response.headers["Content-Security-Policy"] = "default-src 'self'; frame-ancestors 'none'"
        response.headers["Strict-Transport-Security"] = "max-age=63072000"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Referrer-Policy"] = "same-origin"
        return response

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK

    <h1>Blog</h1>

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Security-Policy: default-src 'self'; frame-ancestors 'none'
    Strict-Transport-Security: max-age=63072000; includeSubDomains
    X-Content-Type-Options: nosniff
    Referrer-Policy: same-origin

    <h1>Blog</h1>

References:
    - CWE-693
    - CWE-1021
    - ASVS 5.0 V3.4.3
    - ASVS 5.0 V3.4.4
    - https://flask.palletsprojects.com/en/stable/web-security/#security-headers
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Cleared, Confidence, Finding, Severity, Vantage
from stopper.policy import DEMANDED, HEADERS
from stopper.rule import Rule
from stopper.rules._headers import header_names
from stopper.rules._posture import app_places
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.app.booted import Booted
    from stopper.wire.exchange import Exchange
    from stopper.wire.site import Site


class SecurityHeadersMissing(Rule):
    """Look for the headers in application code, in an extension that sets them, and in a proxy's configuration in the tree."""

    area = Area.HEADERS
    severity = Severity.MEDIUM
    cwe = (693, 1021)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report the headers that nothing sets, once for each app."""
        if project.code.uses(
            "flask_talisman", "secure", "secweb", "flask_secure_headers", "flask_csp", "stopper"
        ):
            return
        present = header_names(project)
        missing = [name for name in DEMANDED if name.lower() not in present]
        if not {"x-frame-options", "content-security-policy"} & present:
            missing.append("X-Frame-Options")
        if not missing:
            return
        for place in app_places(project):
            yield self.found(
                place,
                f"nothing in this project sets {', '.join(missing)}; a proxy outside it would settle it",
                confidence=Confidence.MEDIUM,
                remedy=_hook_for(missing),
                context="headers",
            )

    def app(self, booted: Booted) -> Iterator[Finding | Cleared]:
        """Say which headers are on none of the app's own answers."""
        if not booted.answers:
            return
        sent = {name.lower() for answer in booted.answers for name, _ in answer.headers}
        missing = [name for name in DEMANDED if name.lower() not in sent]
        if not missing:
            yield self.cleared("the answers of the booted app carry them", context="headers")
        else:
            message = f"none of {len(booted.answers)} answers of the booted app has {', '.join(missing)}; a proxy before it would settle it"
            yield self.seen("app:headers", message, confidence=Confidence.MEDIUM, remedy=_hook_for(missing))

    def wire(self, site: Site) -> Iterator[Finding | Cleared]:
        """Report each header that is missing from an answer, errors and pages alike; HSTS counts over https alone."""
        answers = [
            one for one in site.of("page", "missing", "method") if one.status < 500 or one.purpose != "page"
        ]
        wanted = [
            name for name in DEMANDED if site.origin.scheme == "https" or name != "Strict-Transport-Security"
        ]
        missing = {name: [one for one in answers if one.header(name) is None] for name in wanted}
        missing["X-Frame-Options"] = [one for one in answers if not _framing(one)]
        lost = {name: where for name, where in missing.items() if where}
        if not lost and answers:
            yield self.cleared(
                "every answer of the site carries them", context="headers", vantage=Vantage.WIRE
            )
        for name, where in lost.items():
            everywhere = len(where) == len(answers)
            said = (
                "no answer"
                if everywhere
                else f"{len(where)} of {len(answers)} answers, {where[0].method} {where[0].url} first,"
            )
            yield self.seen(
                f"header:{name}", f"{said} {'has' if everywhere else 'lack'} {name}", vantage=Vantage.WIRE,
                context="headers" if everywhere else f"headers {name}", remedy=_hook_for([name]),
            )  # fmt: skip


def _hook_for(missing: list[str]) -> str:
    """Return the hook that sets the headers which are missing."""
    lines = "\n".join(f'    response.headers.setdefault("{name}", "{HEADERS[name]}")' for name in missing)
    return f"@app.after_request\ndef security_headers(response):\n{lines}\n    return response"


def _framing(answer: Exchange) -> bool:
    """Tell whether an answer says who may frame it."""
    return (
        "frame-ancestors" in (answer.header("content-security-policy") or "")
        or answer.header("x-frame-options") is not None
    )
