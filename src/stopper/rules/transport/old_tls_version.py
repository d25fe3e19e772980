"""Only TLS 1.2 and 1.3 may be spoken.

SSL 2 and 3, TLS 1.0 and 1.1 have known breaks and are refused by browsers. Code that asks for one of them by
name gets no better.

Bad::

    import ssl
    from flask import Flask

    app = Flask(__name__)
    context = ssl.SSLContext(ssl.PROTOCOL_TLSv1)

Good::

    import ssl
    from flask import Flask

    app = Flask(__name__)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)

Bad::

    > GET https://blog.example.org/
    > tls: TLS 1.0, TLS 1.2
    HTTP/1.1 200 OK

Good::

    > GET https://blog.example.org/
    > tls: TLS 1.2, TLS 1.3
    HTTP/1.1 200 OK

References:
    - CWE-327
    - CWE-757
    - ASVS 5.0 V12.1.1
    - https://docs.python.org/3/library/ssl.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity, Vantage
from stopper.rule import Rule
from stopper.rules._posture import own_calls
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.wire.site import Site


class OldTlsVersion(Rule):
    """Look for contexts and sockets made with an old protocol."""

    area = Area.TRANSPORT
    severity = Severity.HIGH
    cwe = (327, 757)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call that asks for an old protocol."""
        for call in own_calls(project, "ssl.SSLContext", "ssl.wrap_socket"):
            given = (
                call.argument(0, "protocol")
                if call.name == "ssl.SSLContext"
                else call.argument(None, "ssl_version")
            )
            name = (given.name or "") if given else ""
            if name.removeprefix("ssl.PROTOCOL_") in ("SSLv2", "SSLv3", "TLSv1", "TLSv1_1"):
                yield self.found(
                    call.location,
                    f"{name} asks for a protocol with known breaks",
                    remedy="ssl.create_default_context()",
                    context=name,
                )

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report each version below 1.2 with which a handshake succeeded."""
        old = [name for name in (site.tls.versions if site.tls else ()) if name in ("TLS 1.0", "TLS 1.1")]
        if old:
            yield self.seen(
                "proxy:tls", f"{site.origin.host}:{site.origin.port} still speaks {' and '.join(old)}", vantage=Vantage.WIRE,
                severity=Severity.MEDIUM, remedy="ssl_protocols TLSv1.2 TLSv1.3;",
            )  # fmt: skip
