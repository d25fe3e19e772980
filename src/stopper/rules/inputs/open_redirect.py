r"""An app must not redirect to wherever a client says.

A link to your site that ends on another is what phishing needs: the address that people check is yours. After a login
the other site shows your login page once more and keeps the password.

Redirect to your own endpoints, or check that the target is a path: that it begins with one slash, and that neither a
slash nor what browsers take for one stands behind it. To ask ``urlsplit(target).netloc`` is not enough: it finds no host in
``///evil.example``, and browsers do.

Bad::

    from flask import Flask, redirect, request

    app = Flask(__name__)

    @app.get("/login")
    def login():
        return redirect(request.args.get("next", "/"))

Good::

    from flask import Flask, redirect, request

    app = Flask(__name__)

    @app.get("/login")
    def login():
        target = request.args.get("next", "/")
        if not target.startswith("/") or target.startswith(("//", "/\\", "/\t")):
            return redirect("/")
        return redirect(target)

References:
    - CWE-601
    - ASVS 5.0 V3.7.2
    - https://cheatsheetseries.owasp.org/cheatsheets/Unvalidated_Redirects_and_Forwards_Cheat_Sheet.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source import rewrite
from stopper.source.project import Project
from stopper.taint.flow import Flow
from stopper.taint.flows import flows_into

_WHOLE = re.compile(
    r"goes through (?:\.(?:replace|_replace|geturl)|str|url(?:un)?(?:parse|split))\(\)|assigned to .*"
)
"""What leaves an address whole, or takes it apart."""
_APART, _TOGETHER = re.compile(r"url(?:parse|split)\("), re.compile(r"urlun(?:parse|split)\(|geturl\(")
_OWN = (
    'return redirect(target if target.startswith("/") and not target.startswith(("//", "/\\\\", "/\\t")) '
    'else url_for("index"))'
)
"""What to write where the line itself cannot be told. Browsers take a backslash for a slash and leave out a tab."""


class OpenRedirect(Rule):
    """Every flow of a client's data into a redirect whose host it can choose."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (601,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield a finding for each flow."""
        for flow in flows_into(project, "redirect"):
            if _is_own_path(flow, project):
                continue
            message = f"{flow.source} decides where {flow.sink_name} sends the browser."
            confidence = (
                Confidence.LOW if "Referer" in flow.source or "referrer" in flow.source else flow.confidence
            )
            yield self.found_flow(
                flow,
                message,
                remedy=rewrite.local_target(project.code, flow.sink) or _OWN,
                confidence=confidence,
            )


def _is_own_path(flow: Flow, project: Project) -> bool:
    """Tell whether a view sends back to its own path: one that was routed begins with one slash, which a hook's may not.

    An own URL, as long as it is whole, names the host that the browser has asked: ``request.url.replace("http:", "https:")``.
    """
    if flow.source == "request.url":
        way = [step.note for step in flow.steps[1:-1]]
        apart = any(map(_APART.search, way)) and not any(map(_TOGETHER.search, way))
        return not apart and all(map(_WHOLE.fullmatch, way))
    read = flow.steps[0].location
    return (
        flow.source in ("request.path", "request.full_path")
        and project.routes.at(read.path, read.line) is not None
    )
