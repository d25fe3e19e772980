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

    from flask import Flask
    from OpenSSL import SSL

    app = Flask(__name__)
    context = SSL.Context(SSL.TLSv1_METHOD)

Good::

    from flask import Flask
    from OpenSSL import SSL

    app = Flask(__name__)
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)

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

from stopper.finding import Area, Confidence, Finding, Location, Severity, Vantage
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._posture import function_text
from stopper.source.code import Call, Expr
from stopper.source.files import Role
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.wire.site import Site


_OLD = regex(r"PROTOCOL_(?:SSLv[23]|TLSv1(?:_1)?)|(?:SSLv[23]|TLSv1(?:_1)?)_METHOD")
_WORDS = ("PROTOCOL_SSLv", "PROTOCOL_TLSv1", "SSLv2_METHOD", "SSLv3_METHOD", "TLSv1_METHOD", "TLSv1_1_METHOD")
_BY_PLACE = frozenset(("SSLContext", "Context", "wrap_socket"))
_BY_KEYWORD = frozenset(("ssl_version", "protocol", "method", "version", "tls_version"))
_LEAST = frozenset(("SSLv3", "TLSv1", "TLSv1_1"))


class OldTlsVersion(Rule):
    """Look for contexts and sockets made with an old protocol, and for what asks for one by name."""

    area = Area.TRANSPORT
    severity = Severity.HIGH
    cwe = (327, 757)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call that asks for an old protocol, and each parameter and least version that is one."""
        for call in project.code.calls_holding(*_WORDS):
            asked = next((one for one in _asked(call) if _OLD.fullmatch(one.identifier)), None)
            if asked is not None and call.module.role is Role.APP and not _only_checks(call):
                yield self._told(call.location, asked.name or asked.source, _sureness(call))
        for name, default in project.code.defaults_holding(*_WORDS):
            if name in _BY_KEYWORD and _OLD.fullmatch(default.identifier) and default.module.role is Role.APP:
                yield self._told(default.location, default.name or default.source, Confidence.MEDIUM)
        for store in project.code.stores(
            "ssl.SSLContext()", "ssl.create_default_context()", key="minimum_version"
        ):
            if store.value.identifier in _LEAST and store.target.module.role is Role.APP:
                yield self._told(store.location, store.value.name or store.value.source, Confidence.HIGH)

    def _told(self, place: Location, name: str, confidence: Confidence) -> Finding:
        return self.found(
            place,
            f"{name} asks for a protocol with known breaks",
            confidence=confidence,
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


def _asked(call: Call) -> list[Expr]:
    """Return what a call gives where a protocol is asked for."""
    by_place = call.arguments if call.target.identifier in _BY_PLACE else []
    return [*by_place, *(value for word, value in call.keywords.items() if word in _BY_KEYWORD)]


def _sureness(call: Call) -> Confidence:
    """Return how sure it is that something speaks by what a call makes: a context of pyOpenSSL does so by a connection."""
    if call.name in ("ssl.SSLContext", "ssl.wrap_socket"):
        return Confidence.HIGH
    made = call.target.identifier != "Context" or "Connection(" in call.module.text.content
    return Confidence.MEDIUM if made else Confidence.LOW


def _only_checks(call: Call) -> bool:
    """Tell whether a context is made to see whether a key fits a certificate, and speaks to nobody."""
    return "check_privatekey" in function_text(call) and "Connection(" not in function_text(call)
