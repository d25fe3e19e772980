"""Other sites must not be allowed to read answers made with the user's cookies.

flask-cors answers an origin of '*' together with credentials by repeating the asking site's origin: every
site that the user visits can then read the user's data here.

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

References:
    - CWE-942
    - CWE-346
    - ASVS 5.0 V3.4.2
    - https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import constant, own_calls
from stopper.source.project import Project


class CorsAnyOrigin(Rule):
    """Look at origins and supports_credentials of flask-cors."""

    area = Area.HEADERS
    severity = Severity.HIGH
    cwe = (942, 346)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each CORS set-up that allows any origin, credentials above all."""
        for call in own_calls(project, "flask_cors.CORS", "flask_cors.cross_origin"):
            origins = call.argument(None, "origins")
            value = constant(origins)
            anything = (
                origins is None
                or value == "*"
                or (isinstance(value, list | tuple) and ("*" in value or ".*" in value))
            )
            credentials = constant(call.argument(None, "supports_credentials")) is True
            if anything and credentials and not call.has_star and call.argument(None, "resources") is None:
                yield self.found(
                    call.location,
                    "any site may read answers made with the user's cookies",
                    remedy='CORS(app, origins=["https://your.site"], supports_credentials=True)',
                    context=call.function,
                )
