"""What a server's TLS is: versions, suites, chain, names and days left."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

VERSIONS = (
    ("TLS 1.0", ssl.TLSVersion.TLSv1), ("TLS 1.1", ssl.TLSVersion.TLSv1_1), ("TLS 1.2", ssl.TLSVersion.TLSv1_2),
    ("TLS 1.3", ssl.TLSVersion.TLSv1_3),
)  # fmt: skip
SECONDS = 3.0
"""For each handshake."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What handshakes with a server showed."""

    versions: tuple[str, ...]
    """Those that it accepts, the oldest first."""
    suite: str
    """What it picks with a current client."""
    trusted: bool
    problem: str
    """Why the certificate is not trusted, or why no handshake succeeded; "" where all is well."""
    names: tuple[str, ...]
    """The names in the certificate; empty where it is not trusted."""
    not_after: datetime | None

    @property
    def days_left(self) -> float | None:
        """Return the days until the certificate ends."""
        return (self.not_after - datetime.now(UTC)).total_seconds() / 86_400 if self.not_after else None


def look(host: str, port: int, ca: Path | None = None) -> Tls:
    """Return what the server's TLS is; a server that does not answer gives an empty result with the problem."""
    versions = tuple(name for name, version in VERSIONS if _accepts(host, port, version))
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    if ca:
        context.load_default_certs()
    try:
        with (
            socket.create_connection((host, port), SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            certificate = secure.getpeercert() or {}
            cipher = secure.cipher()
    except (OSError, ValueError) as error:
        return Tls(versions, "", trusted=False, problem=str(error), names=(), not_after=None)
    names = tuple(str(pair[1]) for pair in certificate.get("subjectAltName", ()))
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    return Tls(versions, cipher[0] if cipher else "", trusted=True, problem="", names=names, not_after=ends)


def _accepts(host: str, port: int, version: ssl.TLSVersion) -> bool:
    """Tell whether a handshake with one version alone succeeds."""
    import warnings

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the old versions are asked for on purpose
        context.minimum_version = context.maximum_version = version
    if version < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        with (
            socket.create_connection((host, port), SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except (OSError, ValueError):
        return False
