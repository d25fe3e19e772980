"""HSTS must hold for half a year at least.

A browser that has forgotten the site asks over plain HTTP first, and whoever is on the way answers. Half a year is what
scanners and the preload list take as the least; a value that no browser can read is none.

Bad::

    from flask import Flask

    app = Flask(__name__)

    @app.after_request
    def secured(response):
        response.headers["Strict-Transport-Security"] = "max-age=3600"
        return response

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Strict-Transport-Security: max-age=300

Good::

    from flask import Flask

    app = Flask(__name__)

    @app.after_request
    def secured(response):
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        return response

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Strict-Transport-Security: max-age=31536000

References:
    - CWE-319
    - CWE-523
    - ASVS 5.0 V3.4.1
    - RFC 6797 section 6.1
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity, Vantage
from stopper.policy import HEADERS, HSTS_LEAST_SECONDS, HSTS_SECONDS
from stopper.rule import Rule
from stopper.rules._guarded import guarding
from stopper.rules._headers import header_values
from stopper.source.project import Project
from stopper.wire.hsts import max_age

if TYPE_CHECKING:
    from stopper.wire.site import Site


class HstsWeak(Rule):
    """Read max-age where the header is written and where it arrives."""

    area = Area.HEADERS
    severity = Severity.LOW
    cwe = (319, 523)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report values that are too short where they are written."""
        for value, place in header_values(project, "strict-transport-security"):
            told = _problem(value)
            if told:
                yield self.found(place, told, remedy=HEADERS["Strict-Transport-Security"], context="hsts")

        said = guarding(project).said("hsts_seconds")
        if (
            said is not None
            and said.place is not None
            and str(said.value).isdecimal()
            and int(said.value) < HSTS_LEAST_SECONDS
        ):
            told = f"{_problem(f'max-age={said.value}')}; it is meant for the beginning"
            yield self.found(
                said.place, told, remedy=f"STOPPER_HSTS_SECONDS = {HSTS_SECONDS}", context="hsts"
            )

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report the first page whose value is too short or cannot be read."""
        for page in site.pages:
            value = page.header("strict-transport-security")
            told = _problem(value) if value is not None and page.url.startswith("https:") else ""
            if told:
                yield self.seen(
                    "header:Strict-Transport-Security", f"{page.url}: {told}", vantage=Vantage.WIRE, context="hsts",
                    remedy=HEADERS["Strict-Transport-Security"],
                )  # fmt: skip
                return


def _problem(value: str) -> str:
    """Return what is wrong with a value, or "": too short, sent twice, or without max-age."""
    seconds = max_age(value)
    if seconds is None:
        return f"no browser can read the HSTS value {value!r}"
    if seconds < HSTS_LEAST_SECONDS:
        return f"HSTS holds for {seconds // 86_400} days only"
    return ""
