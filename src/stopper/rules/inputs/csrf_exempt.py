"""A view must not be exempt from the check of form tokens without a reason.

An exempt view accepts the forms of any site. That is right for a webhook which checks a signature, and for an
API that knows its callers by a header; it is wrong for anything a browser's cookie opens.

Bad::

    from flask import Flask, redirect, request, session
    from flask_wtf import CSRFProtect

    app = Flask(__name__)
    csrf = CSRFProtect(app)

    @app.post("/comment")
    @csrf.exempt
    def comment():
        session["last"] = request.form["text"][:80]
        return redirect("/")

Good::

    from flask import Flask, redirect, request, session
    from flask_wtf import CSRFProtect

    app = Flask(__name__)
    csrf = CSRFProtect(app)

    @app.post("/comment")
    def comment():
        session["last"] = request.form["text"][:80]
        return redirect("/")

References:
    - CWE-352
    - ASVS 5.0 V3.5.1
    - https://flask-wtf.readthedocs.io/en/stable/csrf/#exclude-views-from-protection
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._exempt import exemptions
from stopper.rules._guarded import Stand, guarding
from stopper.rules._posture import takes_post
from stopper.rules._standing import stand_at
from stopper.rules.inputs._forged import is_same_as_get
from stopper.source.files import Role
from stopper.source.project import Project
from stopper.source.routes import Route

_OWN = regex(r"hmac|signature|authorization|token|api_?key|jwt|webhook|compare_digest|basic", re.IGNORECASE)

_PROVIDER = regex(r"saml|\bacs\b|oauth|callback", re.IGNORECASE)
"""Where an identity provider has the browser post its signed answer."""


class CsrfExempt(Rule):
    """Look at each route that is exempt, takes unsafe methods and checks no token or signature of its own."""

    area = Area.INPUTS
    severity = Severity.LOW
    cwe = (352,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each exempt view that a cookie alone may open."""
        for route in project.routes.routes:
            if (
                route.view is None
                or project.role(route.location.path) is not Role.APP
                or not takes_post(route.methods)
                or _PROVIDER.search(route.rule)
                or is_same_as_get(route)
            ):
                continue
            exempt = list(_exempting(project, route))
            text = route.view.module.source(route.view.node)
            if exempt and not _OWN.search(f"{text} {' '.join(route.decorators)}"):
                yield self.found(
                    route.location,
                    f"{route.rule} accepts the forms of any site; a signature or a token in a header would settle it",
                    confidence=Confidence.LOW if None in exempt else Confidence.MEDIUM,
                    remedy=f"take {exempt[0] or 'the exemption'} out",
                    route=route.ref,
                    context=route.endpoint,
                )


def _exempting(project: Project, route: Route) -> Iterator[str | None]:
    """Yield what leaves a route out: decorators of a library, and what the guard is told; None where that cannot be read."""
    guards = [] if route.view is None else list(exemptions(project, route.view))
    ours = {call.target.source for call in guards}
    for name in route.decorators:
        if name not in ours and name.rpartition(".")[2] in ("exempt", "csrf_exempt"):
            yield f"@{name}"
    stand = stand_at(project, "csrf", route, guarding(project).stand("csrf", route.application))
    if stand is Stand.EXEMPT:
        yield "the exemption from Stopper's csrf guard"
    elif stand is Stand.UNKNOWN and guards:
        yield None
