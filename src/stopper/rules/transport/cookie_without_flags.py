"""A cookie must say who may see it.

A cookie set without Secure travels over plain HTTP, without HttpOnly any script reads it, without SameSite
other sites send it along. A cookie that names a session, a login or a token is worth most to a thief.

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

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import constant
from stopper.source.code import Call, Expr
from stopper.source.files import Role
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.app.booted import Booted

_FLAGS = ("secure", "httponly", "samesite")
_SETTING = re.compile(r"""config(?:\[|\.get\()["'](?P<key>[A-Z][A-Z0-9_]+)["'][\])]$""")
_SENSITIVE = re.compile(r"sess|token|auth|login|remember|user|jwt|sid|secret|csrf", re.IGNORECASE)


class CookieWithoutFlags(Rule):
    """Look at the arguments of every set_cookie call whose flags are all known."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (614, 1004, 1275)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call once, with the flags it lacks."""
        for call in project.code.every_call("set_cookie"):
            if call.module.role is not Role.APP or call.argument(0, "key") is None:
                continue
            missing = _missing(call, project)
            key = constant(call.argument(0, "key"))
            name = key if isinstance(key, str) else "..."
            if not missing or (missing == ["samesite"] and not _SENSITIVE.search(name)):
                continue
            sensitive = bool(_SENSITIVE.search(name))
            if not sensitive and missing == ["httponly"]:
                continue
            yield self.found(
                call.location,
                f"the cookie {name!r} is set without {', '.join(missing)}",
                severity=Severity.MEDIUM if sensitive else Severity.LOW,
                confidence=Confidence.HIGH if sensitive else Confidence.MEDIUM,
                remedy=f'response.set_cookie({name!r}, value, secure=True, httponly=True, samesite="Lax")',
                context=name,
            )

    def app(self, booted: Booted) -> Iterator[Finding]:
        """Report the cookies that the app's own answers set without the flags."""
        for answer in booted.answers:
            for cookie in answer.all("Set-Cookie"):
                name = cookie.partition("=")[0]
                lowered = cookie.lower()
                if "max-age=0" in lowered or "01 jan 1970" in lowered:
                    continue  # a cookie that is taken away
                missing = [flag for flag in _FLAGS if f"; {flag}" not in lowered]
                if missing and _SENSITIVE.search(name):
                    yield self.seen(
                        f"cookie:{name}", f"{answer.method} {answer.path} sets the cookie {name!r} without {', '.join(missing)}",
                        severity=Severity.MEDIUM, remedy=f'response.set_cookie({name!r}, value, secure=True, httponly=True, samesite="Lax")',
                    )  # fmt: skip


def _missing(call: Call, project: Project) -> list[str]:
    """Return the flags that a call leaves out or turns off; none when it cannot be known which it gives."""
    spread: dict[object, object] = {}
    for options in call.spread:
        if not isinstance(options.value.constant, dict):
            return []
        spread |= options.value.constant
    given = {flag: call.argument(None, flag) for flag in _FLAGS}
    return [
        flag
        for flag, expr in given.items()
        if (_is_false(spread.get(flag)) if expr is None else _off(expr, project))
    ]


def _off(flag: Expr, project: Project) -> bool:
    """Tell whether a flag is given as something false, at the call or in the setting that it is read from."""
    setting = _SETTING.search(flag.source)
    values = (
        [one.value for one in project.settings.in_production(setting["key"])] if setting else [flag.value]
    )
    return bool(values) and all(value.known and _is_false(value.constant) for value in values)


def _is_false(value: object) -> bool:
    return not value or str(value).lower() == "none"
