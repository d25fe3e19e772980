"""ProxyFix must trust as many proxies as there are.

Each hop too many takes one more value of X-Forwarded-For, Host or Proto from the client itself: whoever asks
then chooses the address that limits and logs see, and the host that links are made of.

Bad::

    from flask import Flask
    from werkzeug.middleware.proxy_fix import ProxyFix

    app = Flask(__name__)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=3, x_proto=1)

Good::

    from flask import Flask
    from werkzeug.middleware.proxy_fix import ProxyFix

    app = Flask(__name__)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)

References:
    - CWE-348
    - CWE-290
    - ASVS 5.0 V4.1.3
    - https://flask.palletsprojects.com/en/stable/deploying/proxy_fix/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.policy import PROXY_HOPS
from stopper.rule import Rule
from stopper.rules._posture import constant, own_calls
from stopper.source.project import Project

_HOPS = ("x_for", "x_proto", "x_host", "x_port", "x_prefix")


class ProxyHops(Rule):
    """Read the hop counts of ProxyFix; more than one needs a second proxy that nobody can see from here."""

    area = Area.TRANSPORT
    severity = Severity.MEDIUM
    cwe = (348, 290)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report hop counts above one."""
        for call in own_calls(project, "werkzeug.middleware.proxy_fix.ProxyFix"):
            counts = {
                name: constant(call.argument(position, name)) for position, name in enumerate(_HOPS, start=1)
            }
            many = [
                f"{name}={count}"
                for name, count in counts.items()
                if isinstance(count, int) and count > PROXY_HOPS
            ]
            if many:
                yield self.found(
                    call.location,
                    f"ProxyFix trusts {', '.join(many)}: right only when that many proxies stand before the app, else the client forges them",
                    confidence=Confidence.MEDIUM,
                    remedy="app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)",
                    context=call.function,
                )
