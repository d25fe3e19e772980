"""The session must not hold what its user may not read.

Flask signs the session cookie and does not encrypt it: whoever has the cookie reads what is in it, the user first.

Bad::

    from flask import Flask, request, session

    app = Flask(__name__)

    @app.post("/login")
    def login():
        session["password"] = request.form["password"]
        return "welcome"

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Set-Cookie: session=eyJhcGlfdG9rZW4iOiJ4In0.Zk1Y0w.abc; Path=/

Good::

    from flask import Flask, request, session

    app = Flask(__name__)

    @app.post("/login")
    def login():
        session["user_id"] = int(request.form["id"])
        return "welcome"

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Set-Cookie: session=eyJ1c2VyX2lkIjoxfQ.Zk1Y0w.abc; Path=/

References:
    - CWE-312
    - CWE-315
    - ASVS 5.0 V14.2.3
    - https://flask.palletsprojects.com/en/stable/quickstart/#sessions
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Confidence, Finding, Severity, Vantage
from stopper.regex import regex
from stopper.rule import Rule
from stopper.source.files import Role
from stopper.source.project import Project
from stopper.wire.session import payload

if TYPE_CHECKING:
    from stopper.wire.site import Site

_SECRET = regex(
    r"(?:^|_)(?:password|passwd|secret|api_?key|api_?token|access_?token|refresh_?token|private_?key|otp|pin|credit_?card)$",
    re.IGNORECASE,
)


class SessionHoldsSecret(Rule):
    """Look at what is stored in the session, and read the session cookies on the wire."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (312, 315)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each secret that is stored where sessions are cookies."""
        if project.code.uses("flask_session", "flask_kvsession"):
            return
        for store in project.code.stores("flask.session"):
            if _SECRET.search(store.target.identifier) and project.role(store.location.path) is Role.APP:
                yield self.found(
                    store.location, f"{store.target.identifier} is stored in the session, which its user can read", confidence=Confidence.MEDIUM,
                    remedy='session["user_id"] = user.id  # and the rest in the database', context=store.target.identifier,
                )  # fmt: skip

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report each secret that a session cookie shows."""
        for cookie in site.cookies():
            names = [name for name in payload(cookie.value) if _SECRET.search(name)]
            if names:
                yield self.seen(
                    f"cookie:{cookie.name}", f"anybody who has the cookie {cookie.name!r} can read {', '.join(names)} in it", vantage=Vantage.WIRE,
                    context=names[0], remedy='session["user_id"] = user.id  # and the rest in the database',
                )  # fmt: skip
