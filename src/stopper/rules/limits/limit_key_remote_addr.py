"""Behind a proxy a limit must count by the client's address.

Behind a proxy remote_addr is the proxy: all users share one count, and the first who reaches it locks
everyone out. ProxyFix with the right number of hops gives the client's address.

Bad::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, storage_uri="redis://localhost:6379", strategy="moving-window", in_memory_fallback_enabled=True)

    # file: nginx.conf
    server {
        listen 443 ssl;
        location / {
            proxy_pass http://127.0.0.1:8000;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
    }

Good::

    from flask import Flask
    from flask_limiter import Limiter
    from werkzeug.middleware.proxy_fix import ProxyFix
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1)
    limiter = Limiter(get_remote_address, app=app, storage_uri="redis://localhost:6379", strategy="moving-window", in_memory_fallback_enabled=True)

    # file: nginx.conf
    server {
        listen 443 ssl;
        location / {
            proxy_pass http://127.0.0.1:8000;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
    }

References:
    - CWE-348
    - CWE-290
    - ASVS 5.0 V15.3.4
    - https://flask.palletsprojects.com/en/stable/deploying/proxy_fix/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import LIMITER, own_calls
from stopper.source.files import SourceFile
from stopper.source.project import Project


class LimitKeyRemoteAddr(Rule):
    """Look for a Limiter keyed on the remote address where no ProxyFix is applied."""

    area = Area.LIMITS
    severity = Severity.MEDIUM
    cwe = (348, 290)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report a Limiter keyed on the peer's address; sure when a proxy's configuration is in the tree."""
        if next(own_calls(project, "werkzeug.middleware.proxy_fix.ProxyFix"), None) is not None:
            return
        proxied = any(
            "proxy_pass" in file.text.content or "reverse_proxy" in file.text.content
            for file in _proxies(project)
        )
        for call in own_calls(project, *LIMITER):
            key = call.argument(None, "key_func") or call.argument(0)
            if key is None or not ("remote_addr" in key.source or "remote_address" in key.source):
                continue
            where = "the proxy configured in this project" if proxied else "any proxy"
            yield self.found(
                call.location,
                f"behind {where} remote_addr is the proxy's address: all users share one count",
                confidence=Confidence.HIGH if proxied else Confidence.LOW,
                remedy="app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)",
                context=call.function,
            )


def _proxies(project: Project) -> Iterator[SourceFile]:
    """Yield the files that may configure a proxy."""
    return project.tree.named("*.conf", "nginx*", "Caddyfile", "haproxy.cfg", "traefik*")
