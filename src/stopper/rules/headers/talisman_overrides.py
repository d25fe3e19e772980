"""A view's own header must not be lost to Talisman.

Talisman writes Content-Security-Policy, X-Frame-Options and Referrer-Policy over what a view has set, and turns
SESSION_COOKIE_SAMESITE = "Strict" into "Lax". What the view asked for is in the code and not on the wire.

Bad::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    Talisman(app)

    @app.get("/map")
    def map_page():
        return "<h1>Map</h1>", {"Content-Security-Policy": "default-src 'none'"}

Bad::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    app.config["SESSION_COOKIE_SAMESITE"] = "Strict"
    Talisman(app)

Good::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    talisman = Talisman(app)

    @app.get("/map")
    @talisman(content_security_policy={"default-src": "'none'"})
    def map_page():
        return "<h1>Map</h1>"

Good::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    app.config["SESSION_COOKIE_SAMESITE"] = "Strict"
    Talisman(app, session_cookie_samesite="Strict")

References:
    - CWE-693
    - ASVS 5.0 V3.4.3
    - ASVS 5.0 V3.3.2
    - https://github.com/wntrblm/flask-talisman#per-view-options
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import TALISMAN, constant, own_calls
from stopper.source.headers import stored_headers
from stopper.source.project import Project

_WRITTEN = {
    "content-security-policy": "content_security_policy",
    "x-frame-options": "frame_options",
    "referrer-policy": "referrer_policy",
}
"""The headers that Talisman sets on every answer, and the argument that leaves each out."""


class TalismanOverrides(Rule):
    """Look for headers set by hand, and for a stricter SameSite, in an app where Talisman writes them too."""

    area = Area.HEADERS
    severity = Severity.LOW
    cwe = (693,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report what Talisman writes over."""
        call = next(own_calls(project, *TALISMAN), None)
        if call is None:
            return
        for name, place in stored_headers(project, *_WRITTEN):
            if constant(call.argument(None, _WRITTEN[name])) not in (None, False, ""):
                yield self.found(
                    place, f"Talisman writes its own {name} over this one", confidence=Confidence.MEDIUM,
                    remedy=f"@talisman({_WRITTEN[name]}=...)  # below the route decorator", context=name, related=(call.location,),
                )  # fmt: skip
        for setting in project.settings.in_production("SESSION_COOKIE_SAMESITE"):
            if (
                setting.value.in_production() == "Strict"
                and constant(call.argument(None, "session_cookie_samesite")) != "Strict"
            ):
                yield self.found(
                    setting.location, "Talisman turns this into Lax", remedy='Talisman(app, session_cookie_samesite="Strict")',
                    context="SESSION_COOKIE_SAMESITE", related=(call.location,),
                )  # fmt: skip
