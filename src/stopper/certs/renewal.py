"""Obtain and renew: when it is due, one replica at a time, with a hook afterwards."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from stopper.certs import challenge, lock
from stopper.certs.authority import Authority, new_key
from stopper.certs.store import Certificate, Store, checked_name, now
from stopper.errors import CertificateError

LIFE = 2 / 3
"""The part of a certificate's life after which it is renewed where the server suggests nothing (Let's Encrypt's advice)."""
HOOK_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one certificate."""

    certificate: Certificate
    renewed: bool
    due: datetime
    """When it is to be renewed next."""
    told: str = ""
    """What a failed hook said: the certificate is there all the same."""


def due(certificate: Certificate, suggested: datetime | None = None) -> datetime:
    """Return when a certificate is to be renewed: as the server suggests, else at two thirds of its life."""
    if suggested is not None:
        return suggested
    return certificate.not_before + (certificate.not_after - certificate.not_before) * LIFE


def jitter(limit: float, choose: Callable[[float, float], float] = random.uniform) -> timedelta:
    """Return a random time up to ``limit`` seconds, so that many machines do not ask at once."""
    return timedelta(seconds=choose(0, max(0.0, limit)))


@dataclass(frozen=True, slots=True)
class Way:
    """How a certificate is had."""

    place: challenge.Place
    """Where the answers of the challenges are shown."""
    key: str = "ec"
    """``ec`` or ``rsa``."""
    hook: str = ""
    """A command that is run after a new certificate is in use: to make servers read it."""
    guard: AbstractContextManager[None] | None = None
    """A lock that replicas on other machines share, beside that of the folder."""


def obtain(store: Store, authority: Authority, names: Sequence[str], way: Way) -> Outcome:
    """Obtain a certificate for some names, now.

    Raises:
        CertificateError: It cannot be had or kept; the version in use stays in use.
    """
    wanted = [checked_name(name) for name in dict.fromkeys(names)]
    with _alone(store, way), _listening(way.place):
        return _ordered(store, authority, wanted, way)


def renew(store: Store, authority: Authority, name: str, way: Way, *, force: bool = False) -> Outcome:
    """Renew a certificate where it is due; of several replicas that try at once, one makes an order.

    Raises:
        CertificateError: There is no such certificate, or it cannot be renewed; the version in use stays in use.
    """
    before = _kept(store, name)
    with _alone(store, way):
        certificate = _kept(store, name)
        if certificate.serial != before.serial:
            return Outcome(certificate, renewed=False, due=due(certificate))  # another replica was quicker
        when = due(certificate, authority.suggested(certificate.chain.read_bytes()))
        if not force and now() < when:
            return Outcome(certificate, renewed=False, due=when)
        with _listening(way.place):
            return _ordered(store, authority, list(certificate.names), way, certificate.name)


def _kept(store: Store, name: str) -> Certificate:
    certificate = store.load(name)
    if certificate is None:
        known = ", ".join(store.names()) or "none"
        raise CertificateError(
            f"there is no certificate {name!r} under {store.folder} (known: {known}); obtain it first: stopper cert obtain {name}"
        )
    return certificate


def _ordered(store: Store, authority: Authority, names: list[str], way: Way, name: str = "") -> Outcome:
    private = new_key(way.key)
    chain = authority.obtain(names, way.place, private)
    certificate = store.save(name or names[0], private, chain, authority.server)
    return Outcome(certificate, renewed=True, due=due(certificate), told=_told(way.hook, certificate))


def _told(hook: str, certificate: Certificate) -> str:
    """Run the hook that makes servers read the new certificate; return what it said where it failed."""
    if not hook:
        return ""
    words = {
        "STOPPER_CERT_NAME": certificate.name,
        "STOPPER_CERT_CHAIN": str(certificate.chain),
        "STOPPER_CERT_KEY": str(certificate.key),
    }
    try:
        run = subprocess.run(  # noqa: S602 - the user's own command line, as in any deploy hook
            hook,
            shell=True,
            env={**os.environ, **words},
            capture_output=True,
            text=True,
            timeout=HOOK_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the hook {hook!r} took longer than {HOOK_SECONDS} seconds; run it by hand"
    said = (run.stderr or run.stdout).strip()[-300:]
    return f"the hook {hook!r} ended with {run.returncode}: {said}; run it by hand" if run.returncode else ""


@contextlib.contextmanager
def _alone(store: Store, way: Way) -> Iterator[None]:
    with lock.in_folder(store.folder), way.guard or contextlib.nullcontext():
        yield


def _listening(place: challenge.Place) -> AbstractContextManager[None]:
    return place.listening() if isinstance(place, challenge.Standalone) else contextlib.nullcontext()


def default_folder() -> Path:
    """Return where certificates are kept unless another folder is named: /var/lib for root, the user's data folder for others."""
    if os.name == "posix" and os.geteuid() == 0:
        return Path("/var/lib/stopper")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "stopper" / "certs"
