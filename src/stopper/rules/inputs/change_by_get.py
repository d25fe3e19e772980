"""GET must not change anything.

Links, prefetching and images make the browser send GET, with the user's cookies and without any token. A
route that deletes on GET is emptied by a picture on another site.

Bad::

    from flask import Flask, redirect

    app = Flask(__name__)

    @app.get("/post/<int:number>/delete")
    def delete(number):
        db.execute("DELETE FROM post WHERE id = ?", (number,))
        return redirect("/")

Good::

    from flask import Flask, redirect

    app = Flask(__name__)

    @app.post("/post/<int:number>/delete")
    def delete(number):
        db.execute("DELETE FROM post WHERE id = ?", (number,))
        return redirect("/")

References:
    - CWE-352
    - CWE-650
    - ASVS 5.0 V3.5.3
    - RFC 9110 section 9.2.1
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source.files import Role
from stopper.source.project import Project

_CHANGE = re.compile(
    r"(?:^|[/_-])(delete|remove|destroy|drop|promote|demote|revoke|disable|enable|ban|purge|reset)(?:$|[/_-])",
    re.IGNORECASE,
)
_WRITES = re.compile(
    r"\.delete\(|\.commit\(|DELETE FROM|UPDATE \w|INSERT INTO|\.remove\(|\.unlink\(|\.save\("
)
_ASKS = re.compile(r"request\.method|validate_on_submit|confirm_token|verify_.*token|loads\(")


class ChangeByGet(Rule):
    """Look for routes named after a change that take GET and write."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (352, 650)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each route that takes GET, is named after a change, and writes without asking for the method."""
        for route in project.routes.routes:
            if (
                route.view is None
                or "GET" not in route.methods
                or project.role(route.location.path) is not Role.APP
            ):
                continue
            text = route.view.module.source(route.view.node)
            named = _CHANGE.search(route.rule) or _CHANGE.search(route.view.name)
            if named and not route.handlers and _WRITES.search(text) and not _ASKS.search(text):
                yield self.found(
                    route.location,
                    f"{route.rule} changes data on GET: a link or a picture on another site can do it with the user's session",
                    confidence=Confidence.MEDIUM,
                    remedy='methods=["POST"]  # and a form with a token in place of the link',
                    route=route.ref,
                    context=route.endpoint,
                )
