"""What a server's TLS is: versions, suites, chain, names and days left."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from stopper.policy import TLS_SUITES, TLS_SUITES_WITH_DH
from stopper.records import dataclass
from stopper.wire.hello import curves

VERSIONS = (
    ("TLS 1.0", ssl.TLSVersion.TLSv1), ("TLS 1.1", ssl.TLSVersion.TLSv1_1), ("TLS 1.2", ssl.TLSVersion.TLSv1_2),
    ("TLS 1.3", ssl.TLSVersion.TLSv1_3),
)  # fmt: skip
SECONDS = 3.0
"""For each handshake."""
MAX_WEAK = 40
"""How many other suites are looked for at most."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What handshakes with a server showed."""

    versions: tuple[str, ...]
    """Those that it accepts, the oldest first."""
    suite: str = ""
    """What it picks with a current client."""
    trusted: bool = False
    problem: str = ""
    """Why the certificate is not trusted, or why no handshake succeeded; "" where all is well."""
    names: tuple[str, ...] = ()
    """The names in the certificate; empty where it is not trusted."""
    not_after: datetime | None = None
    weak: tuple[str, ...] = ()
    """Suites of TLS 1.2 that it accepts although Mozilla's intermediate profile leaves them out."""
    curves: tuple[str, ...] = ()
    """The curves that it takes, asked by the newest version it speaks."""
    key: str = ""
    """The kind and size of the certificate's key: ``RSA 2048``, ``EC 256``; "" where it was not seen."""

    @property
    def days_left(self) -> float | None:
        """Return the days until the certificate ends."""
        return (self.not_after - datetime.now(UTC)).total_seconds() / 86_400 if self.not_after else None


def look(host: str, port: int, ca: Path | None = None) -> Tls:
    """Return what the server's TLS is; a server that does not answer gives an empty result with the problem."""
    versions = tuple(name for name, version in VERSIONS if _accepts(host, port, version))
    seen = Tls(
        versions,
        weak=tuple(_weak(host, port)) if "TLS 1.2" in versions else (),
        curves=tuple(curves(host, port, newest="TLS 1.3" in versions, seconds=SECONDS)) if versions else (),
        key=_key(host, port) if versions else "",
    )
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    if ca:
        context.load_default_certs()
    try:
        with _handshake(host, port, context) as secure:
            certificate = secure.getpeercert() or {}
            cipher = secure.cipher()
    except (OSError, ValueError) as error:
        return replace(seen, problem=str(error))
    return replace(
        seen,
        suite=cipher[0] if cipher else "",
        trusted=True,
        names=tuple(str(pair[1]) for pair in certificate.get("subjectAltName", ())),
        not_after=datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC),
    )


def _weak(host: str, port: int) -> Iterator[str]:
    """Yield the suites outside the profile that the server picks when it is offered nothing else, one after the other."""
    every = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    every.set_ciphers("ALL:COMPLEMENTOFALL:!aNULL:@SECLEVEL=0")
    good = {*TLS_SUITES, *TLS_SUITES_WITH_DH}
    left = [
        str(one["name"])
        for one in every.get_ciphers()
        if one["name"] not in good and one["protocol"] != "TLSv1.3"
    ]
    for _ in range(MAX_WEAK):
        if not left:
            return
        context = _blind(ssl.TLSVersion.TLSv1_2)
        context.set_ciphers(":".join(left) + ":@SECLEVEL=0")
        try:
            with _handshake(host, port, context) as secure:
                picked = secure.cipher()
        except (OSError, ValueError):
            return
        if picked is None or picked[0] not in left:
            return
        yield picked[0]
        left.remove(picked[0])


def _key(host: str, port: int) -> str:
    """Return the kind and size of the key in the server's certificate, where the cryptography package is there to read it."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec, rsa
    except ImportError:
        return ""
    try:
        with _handshake(host, port, _blind()) as secure:
            shown = secure.getpeercert(binary_form=True)
        key = x509.load_der_x509_certificate(shown or b"").public_key()
    except (OSError, ValueError):
        return ""
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return f"EC {key.key_size}" if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__


def _accepts(host: str, port: int, version: ssl.TLSVersion) -> bool:
    """Tell whether a handshake with one version alone succeeds."""
    context = _blind(version)
    if version < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        with _handshake(host, port, context):
            return True
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def _handshake(host: str, port: int, context: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
    """Keep a connection open whose handshake succeeded."""
    with (
        socket.create_connection((host, port), SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        yield secure


def _blind(version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """Return a context that trusts anybody and speaks one version, or any: it asks what a server does, and sends nothing."""
    import warnings

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the old versions are asked for on purpose
        if version is not None:
            context.minimum_version = context.maximum_version = version
    return context
