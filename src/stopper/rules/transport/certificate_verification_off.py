"""TLS certificates must be verified.

With verification off, anybody between this server and the other one can answer in its name, read what is sent
and change what comes back.

Bad::

    import requests
    from flask import Flask

    app = Flask(__name__)

    @app.get("/rates")
    def rates():
        return requests.get("https://rates.example/today", verify=False, timeout=5).json()

Good::

    import requests
    from flask import Flask

    app = Flask(__name__)

    @app.get("/rates")
    def rates():
        return requests.get("https://rates.example/today", timeout=5).json()

References:
    - CWE-295
    - ASVS 5.0 V12.3.2
    - https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Location, Severity
from stopper.rule import Rule
from stopper.rules._posture import constant, own_calls
from stopper.source.code import Call, Store
from stopper.source.files import Role
from stopper.source.project import Project

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "request")
_CLIENTS = (
    "requests",
    "requests.Session()",
    "requests.session()",
    "httpx",
    "httpx.Client()",
    "httpx.AsyncClient()",
)
_CALLS = (
    *(f"{client}.{verb}" for client in _CLIENTS for verb in _VERBS),
    "httpx.Client",
    "httpx.AsyncClient",
    "httpx.stream",
)
_NONE = ("CERT_NONE", "NONE", "none")
_CONTEXTS = ("ssl.create_default_context()", "ssl.SSLContext()")


class CertificateVerificationOff(Rule):
    """Look for verify=False, unverified contexts and CERT_NONE in application code."""

    area = Area.TRANSPORT
    severity = Severity.HIGH
    cwe = (295,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call and assignment that turns verification off."""
        for call in own_calls(project, *_CALLS):
            given = call.argument(None, "verify") or call.argument(None, "verify_ssl")
            spread = [one.value.constant for one in call.spread] if given is None else []
            shared = any(isinstance(one, dict) and one.get("verify") is False for one in spread)
            if constant(given) is False or shared:
                yield from self._told(call, f"{call.name} is called with verification off")
        for call in project.code.calls_holding("cert_reqs"):
            if call.module.role is Role.APP and _takes_any(call):
                yield from self._told(call, f"{call.name or call.target.source} accepts any certificate")
        for call in own_calls(project, "aiohttp.TCPConnector"):
            given = call.argument(None, "ssl") or call.argument(None, "verify_ssl")
            if constant(given) is False:
                yield from self._told(call, f"{call.name} accepts any certificate")
        for call in own_calls(project, "ssl._create_unverified_context"):
            yield from self._told(call, "the TLS context accepts any certificate")
        for call in own_calls(project, "ssl.wrap_socket"):
            if not {"cert_reqs", "server_side"} & set(call.keywords) and not call.spread:
                message = "ssl.wrap_socket accepts any certificate unless it is told otherwise; it matters where this side is the client"
                yield self._off(call.location, message, Confidence.LOW)
        for store in project.code.stores("ssl", key="_create_default_https_context"):
            if store.value.name == "ssl._create_unverified_context":
                yield from self._told(store, "every HTTPS request of the process accepts any certificate")
        for store in project.code.stores(*_CONTEXTS, key="verify_mode"):
            if store.value.identifier == "CERT_NONE":
                yield from self._told(store, "the TLS context accepts any certificate")
        for store in project.code.stores("requests.Session()", "requests.session()", key="verify"):
            if constant(store.value) is False:
                yield from self._told(store, "the session accepts any certificate")

    def _told(self, one: Call | Store, message: str) -> Iterator[Finding]:
        """Report a call or an assignment unless it runs for development only; where a test decides, it is for the reader to see when."""
        when = one.conditions
        if when.environment in ("development", "testing"):
            return
        if when.undecided:
            yield self._off(
                one.location,
                f"{message} under a condition; see that production never meets it",
                Confidence.MEDIUM,
            )
        else:
            yield self._off(one.location, message)

    def _off(self, place: Location, message: str, confidence: Confidence = Confidence.HIGH) -> Finding:
        return self.found(
            place, message, remedy='verify="/path/to/the/own/ca.pem"  # or leave verify out', context=message, confidence=confidence,
        )  # fmt: skip


def _takes_any(call: Call) -> bool:
    """Tell whether a call asks for no certificate, by the constant or by its name; redis does so by None."""
    given = call.argument(None, "cert_reqs") or call.argument(None, "ssl_cert_reqs")
    if given is None:
        return False
    if "ssl_cert_reqs" in call.keywords and given.value.known and given.value.constant is None:
        return True
    return given.identifier == "CERT_NONE" or constant(given) in _NONE
