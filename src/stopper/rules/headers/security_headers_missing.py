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

from stopper.finding import Area, Cleared, Confidence, Finding, Location, Severity, Vantage
from stopper.policy import DEMANDED
from stopper.rule import Rule
from stopper.rules._headers import header_names
from stopper.rules._places import app_places
from stopper.rules._sent import hook_for, judged, left_out, sent
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
        if project.code.uses("flask_talisman", "secure", "secweb", "flask_secure_headers", "flask_csp"):
            return
        for place in app_places(project):
            yield from self._missing(project, place)
        for route, guard in left_out(project):
            told = f"{route.rule} is exempt from Stopper's {guard} guard, and gets none of its headers"
            remedy = "stopper.headers(...) or stopper.csp(...), for what differs here alone"
            yield self.found(
                route.location, told, route=route.ref, remedy=remedy, context=f"{route.endpoint} {guard}"
            )

    def _missing(self, project: Project, place: Location) -> Iterator[Finding]:
        """Report the headers that neither the project nor Stopper's guards set for an app."""
        present = header_names(project) | sent(project, place)
        missing = [name for name in DEMANDED if name.lower() not in present]
        if not {"x-frame-options", "content-security-policy"} & present:
            missing.append("X-Frame-Options")
        if missing:
            message = f"nothing in this project sets {', '.join(missing)}; a proxy outside it would settle it"
            found = self.found(
                place, message, confidence=Confidence.MEDIUM, remedy=hook_for(missing), context="headers"
            )
            yield judged(project, found)

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
            yield self.seen("app:headers", message, confidence=Confidence.MEDIUM, remedy=hook_for(missing))

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
                context="headers" if everywhere else f"headers {name}", remedy=hook_for([name]),
            )  # fmt: skip


def _framing(answer: Exchange) -> bool:
    """Tell whether an answer says who may frame it."""
    return (
        "frame-ancestors" in (answer.header("content-security-policy") or "")
        or answer.header("x-frame-options") is not None
    )
