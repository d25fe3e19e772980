"""Other sites must not be allowed to read answers made with the user's cookies.

An answer that repeats the asking site's origin, with credentials, lets every site that the user visits read the user's
data here. flask-cors repeats it for an origin of '*'.

Bad::

    from flask import Flask
    from flask_cors import CORS

    app = Flask(__name__)
    CORS(app, origins="*", supports_credentials=True)

Good::

    from flask import Flask
    from flask_cors import CORS

    app = Flask(__name__)
    CORS(app, origins=["https://app.example"], supports_credentials=True)

Good::

    from flask import Flask
    from flask_cors import cross_origin

    app = Flask(__name__)
    app.config["CORS_ORIGINS"] = ["https://app.example"]

    @app.route("/me")
    @cross_origin(supports_credentials=True)
    def me():
        return {"name": "Ann"}

Bad::

    > GET https://blog.example.org/
    > origin
    > Origin: https://foreign.example
    HTTP/1.1 200 OK
    Access-Control-Allow-Origin: https://foreign.example
    Access-Control-Allow-Credentials: true

Good::

    > GET https://blog.example.org/
    > origin
    > Origin: https://foreign.example
    HTTP/1.1 200 OK
    Access-Control-Allow-Origin: https://shop.example.org
    Access-Control-Allow-Credentials: true

References:
    - CWE-942
    - CWE-346
    - ASVS 5.0 V3.4.2
    - https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Confidence, Finding, Severity, Vantage
from stopper.rule import Rule
from stopper.rules._posture import constant, own_calls
from stopper.rules.headers._reflected import reflected
from stopper.source.code import Call, Expr
from stopper.source.files import Role
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.wire.site import Site


class CorsAnyOrigin(Rule):
    """Look at origins and supports_credentials of flask-cors."""

    area = Area.HEADERS
    severity = Severity.HIGH
    cwe = (942, 346)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each CORS set-up that allows any origin, credentials above all."""
        for call in own_calls(project, "flask_cors.CORS", "flask_cors.cross_origin"):
            told = [] if call.has_star else [origins for origins, sent in _set_ups(call) if sent]
            sure = [_from_setting(project) if one is None else _if_any(constant(one)) for one in told]
            confidence = next((one for one in sure if one is not None), None)
            if confidence is None:
                continue
            unsure = "" if confidence is Confidence.HIGH else ", unless CORS_ORIGINS names the sites that may"
            yield self.found(
                call.location,
                f"any site may read answers made with the user's cookies{unsure}",
                confidence=confidence,
                remedy='CORS(app, origins=["https://your.site"], supports_credentials=True)',
                context=call.function,
            )

        for place in reflected(project):
            yield self.found(
                place, "the origin that asks is sent back as one that may read answers made with the user's cookies",
                confidence=Confidence.MEDIUM, remedy="if origin in ALLOWED_ORIGINS: ...", context="reflected",
            )  # fmt: skip

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report the answers that give a foreign origin the user's cookies."""
        for answer in site.of("origin", "preflight"):
            asked = dict(answer.sent).get("Origin", "")
            if (
                answer.header("access-control-allow-origin") == asked
                and answer.header("access-control-allow-credentials") == "true"
            ):
                yield self.seen(
                    "header:Access-Control-Allow-Origin", f"{answer.method} {answer.url} lets {asked} read answers made with the user's cookies",
                    vantage=Vantage.WIRE, context="cors", remedy='CORS(app, origins=["https://your.site"], supports_credentials=True)',
                )  # fmt: skip
                return


def _set_ups(call: Call) -> Iterator[tuple[Expr | None, bool]]:
    """Yield the origins that a call allows, for all answers or for some resources, and whether these may be sent cookies."""
    origins, resources = call.argument(None, "origins"), call.argument(None, "resources")
    sent = constant(call.argument(None, "supports_credentials"))
    if resources is None:
        yield origins, sent is True
        return
    for pair in resources.items():
        own = {key.value.constant: value for key, value in pair[1].items() if key is not None}
        if "origins" in own:
            given = own.get("supports_credentials")
            yield own["origins"], (sent if given is None else constant(given)) is True


def _if_any(value: object) -> Confidence | None:
    """Return HIGH if ``value`` allows every origin."""
    listed = value if isinstance(value, list | tuple) else (value,)
    return Confidence.HIGH if "*" in listed or ".*" in listed else None


def _from_setting(project: Project) -> Confidence | None:
    """Return how sure it is that every origin is allowed where a call names none: CORS_ORIGINS decides then."""
    settings = project.settings.in_production("CORS_ORIGINS")
    if settings:
        return Confidence.HIGH if any(_if_any(one.value.constant) for one in settings) else None
    named = any(
        module.role is Role.APP and "CORS_ORIGINS" in module.text.content for module in project.modules
    )
    return Confidence.LOW if named else Confidence.HIGH
