"""A redirect to HTTPS must not follow the Host that the client sent.

Talisman redirects to whatever Host was asked: ``Host: evil.example`` gives ``Location: https://evil.example/``, which a cache in
front may keep for everybody. It does so with 302, so that a POST arrives as a GET. Flask checks the Host only where
TRUSTED_HOSTS names the right ones.

Bad::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    Talisman(app)

Good::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    app.config["TRUSTED_HOSTS"] = ["blog.example.org"]
    Talisman(app)

References:
    - CWE-601
    - CWE-644
    - ASVS 5.0 V4.1.3
    - https://flask.palletsprojects.com/en/stable/config/#TRUSTED_HOSTS
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._posture import TALISMAN, constant, own_calls
from stopper.source.project import Project

_REDIRECT = re.compile(
    r"return\s+30[1278]\s+https://|redir\s+https://|RewriteRule[^\n]+https://|Redirect\s+permanent\s+/\s+https://"
)


@closed_by("hosts", whole=True)
class RedirectFollowsHost(Rule):
    """Look for a Talisman that redirects, in an app without TRUSTED_HOSTS whose proxy does not redirect by itself."""

    area = Area.TRANSPORT
    severity = Severity.MEDIUM
    cwe = (601, 644)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each Talisman that redirects to any Host."""
        if project.settings.is_set("TRUSTED_HOSTS") or _redirected_before(project):
            return
        for call in own_calls(project, *TALISMAN):
            if constant(call.argument(None, "force_https")) is not False and not call.has_star:
                yield self.found(
                    call.location, "Talisman redirects to the Host that the client sent, and TRUSTED_HOSTS names none; a proxy that "
                    "refuses foreign hosts would settle it",
                    confidence=Confidence.MEDIUM, remedy='app.config["TRUSTED_HOSTS"] = ["example.org"]', context=call.function,
                )  # fmt: skip


def _redirected_before(project: Project) -> bool:
    """Tell whether a proxy's configuration in the tree redirects to HTTPS before the app is asked."""
    return any(
        _REDIRECT.search(file.text.content) for file in project.tree.named("*.conf", "nginx*", "Caddyfile")
    )
