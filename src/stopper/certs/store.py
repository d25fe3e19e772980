"""Keep keys and certificates on disk: with the right modes, written whole or not at all, the old ones kept.

::

    FOLDER/                     0700
      accounts/<server>.json    0600  key and address of the ACME account
      certs/<name>/<number>/    0700  privkey.pem (0600), fullchain.pem, meta.json: one version, never changed
      live/<name>               a link to the version in use: what servers read

A new version is written beside the others and flushed to disk; then the link is replaced in one step (rename). Whatever happens before that, the old
certificate is still the one in use.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509

from stopper.errors import CertificateError
from stopper.policy import HOST_NAME

KEPT = 5
"""How many versions of a certificate are kept."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One version of a certificate, as it lies on disk."""

    name: str
    folder: Path
    """What servers are told: the link to the version in use, or that version where there are no links."""
    names: tuple[str, ...]
    """The names it is for, the first one first."""
    not_before: datetime
    not_after: datetime
    server: str
    """The directory URL that it came from."""
    serial: int

    @property
    def chain(self) -> Path:
        """Return the file of the certificate with its chain."""
        return self.folder / "fullchain.pem"

    @property
    def key(self) -> Path:
        """Return the file of the private key."""
        return self.folder / "privkey.pem"


class Store:
    """A folder of accounts and certificates."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made when something is written."""
        self.folder = folder

    def save(self, name: str, key: bytes, chain: bytes, server: str) -> Certificate:
        """Write a new version and make it the one in use.

        Raises:
            CertificateError: The disk does not take it; the version in use stays as it is.
        """
        checked_name(name)
        base = self.folder / "certs" / name
        version = base / f"{self._next(base):06d}"
        part = Path(f"{version}.part")
        try:
            _folder(self.folder / "live")
            _folder(base)
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(mode=0o700)
            write(part / "privkey.pem", key, 0o600)
            write(part / "fullchain.pem", chain, 0o644)
            write(part / "meta.json", json.dumps({"server": server}).encode(), 0o644)
            part.rename(version)
            _flush(base)
            self._point(name, version)
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            why = error.strerror or type(error).__name__
            raise CertificateError(
                f"{version}: the new certificate cannot be written ({why}); the old one stays in use: make room and renew again"
            ) from error
        self._prune(base, keep=version)
        found = self.load(name)
        assert found is not None
        return found

    def load(self, name: str) -> Certificate | None:
        """Return the version in use, or None where there is none that can be read."""
        folder = self._live(name)
        if folder is None:
            return None
        try:
            certificate = x509.load_pem_x509_certificate((folder / "fullchain.pem").read_bytes())
            meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        names = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value.get_values_for_type(x509.DNSName)
        return Certificate(
            name, folder, tuple(names), certificate.not_valid_before_utc, certificate.not_valid_after_utc, str(meta.get("server", "")),
            certificate.serial_number,
        )  # fmt: skip

    def names(self) -> list[str]:
        """Return the names of all certificates."""
        base = self.folder / "certs"
        return sorted(entry.name for entry in base.iterdir() if entry.is_dir()) if base.is_dir() else []

    def account(self, server: str) -> dict[str, Any] | None:
        """Return what is kept of the account at a server, or None."""
        try:
            said = json.loads(self._account(server).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return said if isinstance(said, dict) else None

    def save_account(self, server: str, account: dict[str, Any]) -> None:
        """Keep an account."""
        try:
            _folder(self.folder / "accounts")
            replace(self._account(server), json.dumps(account).encode(), 0o600)
        except OSError as error:
            raise CertificateError(
                f"{self.folder}: the account cannot be kept ({error.strerror}); name a folder that can be written: --folder"
            ) from error

    def _account(self, server: str) -> Path:
        parts = urlsplit(server)
        return (
            self.folder
            / "accounts"
            / (re.sub(r"[^A-Za-z0-9.-]+", "_", f"{parts.netloc}{parts.path}") + ".json")
        )

    def _live(self, name: str) -> Path | None:
        link = self.folder / "live" / name
        if link.is_dir():
            return link
        with contextlib.suppress(OSError):  # without links (Windows) a file names the version
            return (
                self.folder
                / "certs"
                / name
                / link.with_suffix(f"{link.suffix}.version").read_text(encoding="utf-8").strip()
            )
        return None

    def _point(self, name: str, version: Path) -> None:
        """Make a version the one in use, in one step."""
        link = self.folder / "live" / name
        fresh = Path(f"{link}.{os.getpid()}.new")
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
        try:
            fresh.symlink_to(os.path.relpath(version, link.parent), target_is_directory=True)
        except OSError:
            replace(Path(f"{link}.version"), version.name.encode(), 0o644)
            return
        fresh.replace(link)
        _flush(link.parent)

    def _next(self, base: Path) -> int:
        numbers = (
            [int(entry.name) for entry in base.iterdir() if entry.name.isdigit()] if base.is_dir() else []
        )
        return max(numbers, default=0) + 1

    def _prune(self, base: Path, keep: Path) -> None:
        versions = sorted(entry for entry in base.iterdir() if entry.name.isdigit() and entry != keep)
        for old in versions[: -(KEPT - 1)]:
            shutil.rmtree(old, ignore_errors=True)


def checked_name(name: str) -> str:
    """Return a host name in lower case.

    Raises:
        CertificateError: It is none.
    """
    lowered = name.lower().rstrip(".")
    if not HOST_NAME.fullmatch(lowered.removeprefix("*.")):
        raise CertificateError(
            f"{name!r} is no host name; write it as in blog.example.org (a name with other letters in its xn-- form)"
        )
    return lowered


def write(file: Path, content: bytes, mode: int) -> None:
    """Write a new file with a mode from its first byte on, and flush it to disk."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def replace(file: Path, content: bytes, mode: int) -> None:
    """Write a file whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    _flush(file.parent)


def _folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _flush(folder: Path) -> None:
    """Flush a folder's entries to disk, where the system can."""
    with contextlib.suppress(OSError, AttributeError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)
