"""A cookie must say who may see it.

Without Secure it travels over plain HTTP, without HttpOnly any script reads it, without SameSite other sites send it along.

Bad::

    from flask import Flask, make_response

    app = Flask(__name__)

    @app.get("/")
    def index():
        response = make_response("hello")
        response.set_cookie("remember_token", "abc")
        return response

Good::

    from flask import Flask, make_response

    app = Flask(__name__)

    @app.get("/")
    def index():
        response = make_response("hello")
        response.set_cookie("remember_token", "abc", secure=True, httponly=True, samesite="Lax")
        return response

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Set-Cookie: remember_me=a8; Path=/

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Set-Cookie: remember_me=a8; Path=/; Secure; HttpOnly; SameSite=Lax

References:
    - CWE-614
    - CWE-1004
    - CWE-1275
    - ASVS 5.0 V3.3.1
    - https://flask.palletsprojects.com/en/stable/web-security/#set-cookie-options
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Confidence, Finding, Severity, Vantage
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._posture import constant
from stopper.rules._when import completes_cookie
from stopper.rules.transport._cookies import (
    FLAGS,
    is_response,
    missing_flags,
    read_by_scripts,
    takes_away,
    written_by_hand,
)
from stopper.source.files import Role
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.app.booted import Booted
    from stopper.wire.site import Site

_SENSITIVE = regex(r"sess|token|auth|login|remember|user|jwt|sid|secret|csrf", re.IGNORECASE)


@closed_by("cookies", when=completes_cookie)
class CookieWithoutFlags(Rule):
    """Look at the arguments of every set_cookie call whose flags are all known."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (614, 1004, 1275)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call once, with the flags it lacks."""
        for call in project.code.every_call("set_cookie"):
            if call.module.role is not Role.APP or not is_response(call) or takes_away(call):
                continue
            missing, name = missing_flags(call, project), constant(call.argument(0, "key"))
            if read_by_scripts(call):
                missing = [flag for flag in missing if flag != "httponly"]
            name = name if isinstance(name, str) else "..."
            sensitive = _SENSITIVE.search(name)
            if not missing or (not sensitive and missing == ["httponly"]):
                continue
            sure = (
                Confidence.HIGH
                if sensitive
                else Confidence.LOW
                if missing == ["samesite"]
                else Confidence.MEDIUM
            )
            yield self.found(
                call.location, f"the cookie {name!r} is set without {', '.join(missing)}", context=name,
                severity=Severity.MEDIUM if sensitive else Severity.LOW, confidence=sure,
                remedy=f'response.set_cookie({name!r}, value, secure=True, httponly=True, samesite="Lax")',
            )  # fmt: skip

        for place, cookie in written_by_hand(project):
            name, lowered = cookie.partition("=")[0], cookie.lower()
            missing = [flag for flag in FLAGS if flag not in lowered]
            if missing and _SENSITIVE.search(name):
                yield self.found(
                    place, f"the cookie {name!r} is written without {', '.join(missing)}", context=name,
                    severity=Severity.MEDIUM, confidence=Confidence.MEDIUM,
                    remedy=f'response.set_cookie({name!r}, value, secure=True, httponly=True, samesite="Lax")',
                )  # fmt: skip

    def app(self, booted: Booted) -> Iterator[Finding]:
        """Report the cookies that the app's own answers set without the flags."""
        for answer in booted.answers:
            for cookie in answer.all("Set-Cookie"):
                name, lowered = cookie.partition("=")[0], cookie.lower()
                missing = [flag for flag in FLAGS if f"; {flag}" not in lowered]
                taken = "max-age=0" in lowered or "01 jan 1970" in lowered
                if missing and not taken and _SENSITIVE.search(name):
                    yield self.seen(
                        f"cookie:{name}", f"{answer.method} {answer.path} sets the cookie {name!r} without {', '.join(missing)}",
                        severity=Severity.MEDIUM, remedy=f'response.set_cookie({name!r}, value, secure=True, httponly=True, samesite="Lax")',
                    )  # fmt: skip

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report each cookie that an answer sets without the flags; the session cookie has rules of its own."""
        seen: set[str] = set()
        for cookie in site.cookies():
            missing = [flag for flag in FLAGS if flag not in cookie.attributes]
            enough = not missing or (missing == ["httponly"] and not _SENSITIVE.search(cookie.name))
            if enough or cookie.expires or cookie.name in seen or cookie.is_session:
                continue
            seen.add(cookie.name)
            yield self.seen(
                f"cookie:{cookie.name}", f"{cookie.exchange.url} sets the cookie {cookie.name!r} without {', '.join(missing)}",
                vantage=Vantage.WIRE, severity=Severity.MEDIUM if _SENSITIVE.search(cookie.name) else Severity.LOW,
                remedy=f'response.set_cookie({cookie.name!r}, value, secure=True, httponly=True, samesite="Lax")',
            )  # fmt: skip
