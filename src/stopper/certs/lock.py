"""One at a time: of many replicas that want to renew, one does and the others find it done."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stopper.errors import CertificateError

SECONDS = 300
"""How long a lock in Redis is held at most: longer than an order takes."""
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


@contextlib.contextmanager
def in_folder(folder: Path, wait: float = SECONDS) -> Iterator[None]:
    """Hold the lock of a folder; the system frees it when the process ends, however it ends.

    Raises:
        CertificateError: Another process held it all the time, or the folder cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CertificateError(
            f"{folder} cannot be written ({error.strerror}); name another folder: --folder"
        ) from error
    try:
        _until(
            lambda: _taken(descriptor),
            wait,
            f"another process has worked in {folder} for {wait:.0f} seconds; try again when it is done",
        )
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def in_redis(client: Any, name: str, wait: float = SECONDS) -> Iterator[None]:
    """Hold a lock in Redis; it ends by itself when its holder is gone."""
    key, owner = f"stopper:cert-lock:{name}", secrets.token_hex(8)
    _until(
        lambda: bool(client.set(key, owner, nx=True, ex=SECONDS)),
        wait,
        f"another replica has renewed {name} for {wait:.0f} seconds",
    )
    try:
        yield
    finally:
        client.eval(_RELEASE, 1, key, owner)


def _until(tried: Any, wait: float, why: str) -> None:
    deadline = time.monotonic() + wait
    while not tried():
        if time.monotonic() >= deadline:
            raise CertificateError(why)
        time.sleep(0.2)
