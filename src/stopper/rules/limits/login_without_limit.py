"""A login must not be open to unlimited guesses.

Lists of leaked passwords are tried at thousands a minute. A limit on each address and each account on the
routes that check a password, a code or a reset token makes that useless.

Bad::

    from flask import Flask

    app = Flask(__name__)

    @app.post("/login")
    def login():
        return "hello"

Good::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, storage_uri="redis://localhost:6379", strategy="moving-window", in_memory_fallback_enabled=True)

    @app.post("/login")
    @limiter.limit("5 per minute")
    def login():
        return "hello"

Bad::

    > POST https://blog.example.org/login
    > login
    HTTP/1.1 401 Unauthorized

    > POST https://blog.example.org/login
    > login
    HTTP/1.1 401 Unauthorized

    > POST https://blog.example.org/login
    > login
    HTTP/1.1 401 Unauthorized

Good::

    > POST https://blog.example.org/login
    > login
    HTTP/1.1 401 Unauthorized

    > POST https://blog.example.org/login
    > login
    HTTP/1.1 429 Too Many Requests

References:
    - CWE-307
    - CWE-799
    - ASVS 5.0 V6.3.1
    - https://flask-limiter.readthedocs.io/en/stable/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Cleared, Confidence, Finding, Severity, Skipped, Vantage
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._posture import takes_post
from stopper.rules._when import limits_logins
from stopper.rules.limits._guesses import asks_basic, danger, guesses
from stopper.rules.limits._limited import limited, limited_everywhere
from stopper.rules.limits._locked import locks
from stopper.source.files import Role
from stopper.source.project import Project
from stopper.source.routes import Route

if TYPE_CHECKING:
    from stopper.wire.site import Site

_LOGIN = re.compile(
    r"\b(log_?in|sign_?in|authenticate|forgot|reset_?(password|request)?)\b|password_?reset|forgot_?password"
    r"|(?<![a-z])(otp|totp|2fa|mfa|two_?factor)",
    re.IGNORECASE,
)
_UNTRIED = frozenset((400, 403, 422))
"""Answers to the very first login that say the form lacks something, such as its token; no limit is that strict."""


@closed_by("limits", when=limits_logins)
class LoginWithoutLimit(Rule):
    """Look for routes whose URL or view speaks of a login, a code or a reset, that take POST and that nothing limits."""

    area = Area.LIMITS
    severity = Severity.MEDIUM
    cwe = (307, 799)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each login-like route that neither a limit on it, on its blueprint or app, nor a lock covers."""
        if limited_everywhere(project):
            return
        own = [one for one in project.routes.routes if project.role(one.location.path) is Role.APP]
        free = [one for one in own if one.view is not None and not limited(one.decorators)]
        for route in free:
            named = route.view is not None and _LOGIN.search(f"{route.rule} {route.view.name}")
            if named and takes_post(route.methods) and guesses(project, route) and not locks(project, route):
                yield self._open(route, f"{route.rule} {danger(route)}", route.endpoint)
        asking = [route for route in free if asks_basic(project, route)]
        if asking and not locks(project, asking[0]):
            more = f" and {len(asking) - 1} more" if asking[1:] else ""
            what = "basic authentication takes passwords, and nothing limits how many are tried"
            yield self._open(asking[0], f"{asking[0].rule}{more}: {what}", "basic")

    def _open(self, route: Route, what: str, context: str) -> Finding:
        return self.found(
            route.location, f"{what}; a limit at a proxy would settle it", confidence=Confidence.MEDIUM,
            remedy='@limiter.limit("5 per minute")  # below the route decorator', route=route.ref, context=context,
        )  # fmt: skip

    def wire(self, site: Site) -> Iterator[Finding | Cleared | Skipped]:
        """Say after how many wrong logins the site refused, where an active look sent some."""
        first = next(iter(site.of("login")), None)
        if first is not None and first.status in _UNTRIED:
            reason = f"the first wrong login was answered {first.status}, perhaps for want of the form's token: try by hand"
            yield Skipped(f"how often one may guess at {first.url}", reason, (self.area,))
            return
        for purpose, how in (("login", ""), ("login-rotated", ", each from another X-Forwarded-For")):
            tries = site.of(purpose)
            if not tries:
                continue
            if tries[-1].status in (403, 423, 429):
                yield self.cleared(f"wrong login number {len(tries)} was refused{how}", vantage=Vantage.WIRE)
            else:
                yield self.seen(
                    f"path:{tries[0].path}", f"{len(tries)} wrong logins at {tries[0].url} were all answered{how}", vantage=Vantage.WIRE,
                    context=purpose, remedy='@limiter.limit("5 per minute")  # below the route decorator',
                )  # fmt: skip
                return
