"""Pebble, Let's Encrypt's own test server, and a Redis, both on loopback and for the tests alone."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.loopback import certificate, free_port, listening, wait_for


@dataclass
class Pebble:
    """An ACME server that asks for challenges at ``http_port``."""

    folder: Path
    port: int
    management: int
    http_port: int
    dns: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def server(self) -> str:
        return f"https://localhost:{self.port}/dir"

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def root(self) -> bytes:
        """Return the root of the certificates that it issues now."""
        context = ssl.create_default_context(cafile=str(self.ca))
        with urllib.request.urlopen(
            f"https://localhost:{self.management}/roots/0", context=context, timeout=10
        ) as answer:
            return bytes(answer.read())

    def start(self) -> None:
        log = (self.folder / "pebble.log").open("ab")
        self.process = subprocess.Popen(
            ["pebble", "-config", "pebble.json", "-dnsserver", f"127.0.0.1:{self.dns}"],
            cwd=self.folder, env={**os.environ, **self.environment}, stdout=log, stderr=log,
        )  # fmt: skip
        log.close()
        assert wait_for(self._answers), (self.folder / "pebble.log").read_text()

    def _answers(self) -> bool:
        try:
            return bool(self.root())
        except OSError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)

    def restart(self) -> None:
        """Start it anew: it has forgotten every account, and has another root."""
        self.stop()
        self.start()


def configured(folder: Path, environment: dict[str, str], dns: int) -> Pebble:
    folder.mkdir(parents=True, exist_ok=True)
    certificate(folder)
    one = Pebble(
        folder,
        free_port(),
        free_port(),
        free_port(),
        dns,
        {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0", **environment},
    )
    settings = {
        "listenAddress": f"127.0.0.1:{one.port}", "managementListenAddress": f"127.0.0.1:{one.management}",
        "certificate": "srv.pem", "privateKey": "srv.key", "httpPort": one.http_port, "tlsPort": free_port(),
        "ocspResponderURL": "", "externalAccountBindingRequired": False,
    }  # fmt: skip
    (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
    return one


@pytest.fixture(scope="session")
def dns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A DNS server that gives every name the address of loopback."""
    for command in ("pebble", "pebble-challtestsrv"):
        if shutil.which(command) is None:
            pytest.skip(f"{command} is not installed (Debian: apt-get install pebble)")
    port, management = free_port(), free_port()
    words = [
        "-defaultIPv4",
        "127.0.0.1",
        "-defaultIPv6",
        "",
        "-dns01",
        f"127.0.0.1:{port}",
        "-http01",
        "",
        "-https01",
        "",
        "-tlsalpn01",
        "",
    ]
    log = (tmp_path_factory.mktemp("dns") / "log").open("wb")
    process = subprocess.Popen(
        ["pebble-challtestsrv", *words, "-management", f"127.0.0.1:{management}"], stdout=log, stderr=log
    )
    log.close()
    yield port
    process.terminate()
    process.wait(10)


@pytest.fixture
def pebble(tmp_path: Path, dns: int) -> Iterator[Pebble]:
    one = configured(tmp_path / "pebble", {"PEBBLE_WFE_NONCEREJECT": "0"}, dns)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def moody(tmp_path: Path, dns: int) -> Iterator[Pebble]:
    """A Pebble that refuses every fifth nonce."""
    one = configured(tmp_path / "moody", {"PEBBLE_WFE_NONCEREJECT": "20"}, dns)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    assert wait_for(lambda: listening(port))
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(10)
