"""A server's TLS is what handshakes show: versions, suites and curves, without agreeing to anything."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.loopback import certificate, free_port, listening, wait_for

from stopper.wire.tls import Tls, look


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., Tls]]:
    """Return what starts OpenSSL's own test server with some options, looks at it and tells what was seen."""
    certificate(tmp_path)
    processes: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> Tls:
        port = free_port()
        command = [
            "openssl",
            "s_server",
            "-accept",
            str(port),
            "-cert",
            "srv.pem",
            "-key",
            "srv.key",
            "-www",
            "-quiet",
            *options,
        ]
        processes.append(
            subprocess.Popen(
                command,
                cwd=tmp_path,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL,
            )
        )
        assert wait_for(lambda: listening(port))
        return look("localhost", port, tmp_path / "ca.pem")

    yield start
    for process in processes:
        process.kill()
        process.wait(10)


def test_a_strict_server_shows_nothing_that_the_profile_leaves_out(served: Callable[..., Tls]) -> None:
    tls = served(
        "-no_tls1", "-no_tls1_1", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256", "-groups", "X25519:P-256"
    )

    assert tls.versions == ("TLS 1.2", "TLS 1.3")
    assert tls.weak == ()
    assert set(tls.curves) == {"X25519", "prime256v1"}
    assert tls.trusted
    assert tls.key == "EC 256"
    assert tls.days_left is not None
    assert 1 < tls.days_left < 3


def test_a_lax_server_shows_its_old_versions_suites_and_curves(served: Callable[..., Tls]) -> None:
    tls = served("-cipher", "ALL:@SECLEVEL=0", "-groups", "P-521:P-256:X448")

    assert {"TLS 1.0", "TLS 1.1"} <= set(tls.versions)
    assert "ECDHE-ECDSA-AES128-SHA" in tls.weak
    assert set(tls.curves) == {"secp521r1", "prime256v1", "X448"}


def test_a_certificate_of_nobody_is_told(served: Callable[..., Tls], tmp_path: Path) -> None:
    served()
    (tmp_path / "other").mkdir()
    certificate(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "ca.pem", tmp_path / "ca.pem")
    tls = served()

    assert not tls.trusted
    assert "certificate" in tls.problem.lower()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"\x16\x03\x03\x00",
        b"HTTP/1.1 400 Bad\r\n\r\n",
        b"\x16" * 70_000,
    ],
)
def test_a_server_that_speaks_something_else_breaks_nothing(said: bytes) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        listening.settimeout(0.5)

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.recv(4096)
                        connection.sendall(said)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        tls = look("localhost", listening.getsockname()[1])

    assert tls.versions == ()
    assert not tls.trusted
    thread.join(5)
