r"""An app must not redirect to wherever a client says.

A link to your site that ends on another is what phishing needs: the address that people check is yours. After a login
the other site shows your login page once more and keeps the password.

Redirect to your own endpoints, or check that the target has neither scheme nor host, with backslashes read as the
slashes that browsers take them for.

Bad::

    from flask import Flask, redirect, request

    app = Flask(__name__)

    @app.get("/login")
    def login():
        return redirect(request.args.get("next", "/"))

Good::

    from urllib.parse import urlsplit

    from flask import Flask, redirect, request

    app = Flask(__name__)

    @app.get("/login")
    def login():
        target = request.args.get("next", "/").replace("\\", "/")
        if urlsplit(target).netloc or urlsplit(target).scheme:
            return redirect("/")
        return redirect(target)

References:
    - CWE-601
    - ASVS 5.0 V3.7.2
    - https://cheatsheetseries.owasp.org/cheatsheets/Unvalidated_Redirects_and_Forwards_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source import rewrite
from stopper.source.project import Project
from stopper.taint.flow import Flow
from stopper.taint.flows import flows_into


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
                remedy=rewrite.local_target(project.code, flow.sink)
                or 'return redirect(target if not urlsplit(target.replace("\\\\", "/")).netloc else url_for("index"))',
                confidence=confidence,
            )


def _is_own_path(flow: Flow, project: Project) -> bool:
    """Tell whether a view sends back to its own path: one that was routed begins with one slash, which a hook's may not."""
    read = flow.steps[0].location
    return (
        flow.source in ("request.path", "request.full_path")
        and project.routes.at(read.path, read.line) is not None
    )
