"""Real parts for the tests of the guard: servers on free ports of the loopback, started from an app's text."""

from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from tests.loopback import PATIENCE, free_port, listening, wait_for
from werkzeug.test import Client

from stopper import Stopper
from stopper.guard.shared import LAYOUT
from stopper.guard.shared import folder as shared_folder

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
"""A secret key that production is served with."""

ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
"""How Chromium is started: without a screen, and asking nobody but the pages under test."""


@dataclass
class Server:
    """A server of the app under test."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def log(self) -> str:
        """Return what the server and the app wrote so far."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """End the server, with force after ten seconds."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)


def command(kind: str, port: int, workers: int, more: tuple[str, ...]) -> list[str]:
    """Return the command that serves `guarded:app`."""
    if kind == "gunicorn":
        bound = ["--bind", f"127.0.0.1:{port}", "--workers", str(workers), "--graceful-timeout", "2"]
        return [sys.executable, "-m", "gunicorn", *bound, *more, "guarded:app"]
    if kind == "waitress":
        return [sys.executable, "-m", "waitress", f"--listen=127.0.0.1:{port}", *more, "guarded:app"]
    return [sys.executable, "-m", "flask", "--app", "guarded:app", "run", "--port", str(port), *more]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Return a function that serves an app, given as the text of a module with a global `app`.

    `kind` is gunicorn, waitress or flask; `wait=False` returns at once, for a server that is expected to refuse.
    """
    running: list[Server] = []

    def start(
        text: str,
        *more: str,
        kind: str = "gunicorn",
        workers: int = 1,
        env: dict[str, str] | None = None,
        wait: bool = True,
    ) -> Server:
        folder = tmp_path / f"served{len(running)}"
        folder.mkdir()
        (folder / "guarded.py").write_text(textwrap.dedent(text), encoding="utf-8")
        port = free_port()
        output = folder / "log"
        with output.open("wb") as log:
            process = subprocess.Popen(
                command(kind, port, workers, more),
                cwd=folder,
                env={
                    **os.environ,
                    "PYTHONUNBUFFERED": "1",
                    "PYTHONPATH": str(folder),
                    "STOPPER_STORAGE_NAME": f"served-{os.getpid()}-{port}",
                    **(env or {}),
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        server = Server(f"http://127.0.0.1:{port}", port, process, output)
        running.append(server)
        if wait and not wait_for(lambda: listening(port) or process.poll() is not None):
            pytest.fail(f"no answer within {PATIENCE} s: {server.log}")
        return server

    yield start
    for server in running:
        server.stop()
        # What workers shared outlives a server on purpose, but not its test.
        (shared_folder() / f"served-{os.getpid()}-{server.port}.{LAYOUT}").unlink(missing_ok=True)


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """Return a client that follows no redirects and waits no longer than 20 seconds."""
    with httpx.Client(timeout=20, trust_env=False) as client:
        yield client


@pytest.fixture
def make() -> Callable[..., Flask]:
    """Return a function that makes a guarded app in production, with a good key and trusted hosts.

    Keywords are settings of `Stopper`; `config` holds settings of Flask.
    """

    def build(config: dict[str, object] | None = None, **settings: object) -> Flask:
        app = Flask("guarded")
        app.config.update(
            {"SECRET_KEY": KEY, "TRUSTED_HOSTS": ["localhost", "shop.example"], **(config or {})}
        )
        Stopper(app, **settings)

        @app.get("/")
        def index() -> str:
            return "<p>hello</p>"

        return app

    return build


@pytest.fixture
def https() -> Callable[[Flask], Client]:
    """Return a function that makes a test client which speaks HTTPS."""

    def client(app: Flask) -> Client:
        app.config["PREFERRED_URL_SCHEME"] = "https"
        return app.test_client()

    return client


class Watched(io.RawIOBase):
    """A body that counts how often it is read."""

    asked = 0

    def readinto(self, buffer: Any) -> int:
        self.asked += 1
        return 0

    def readable(self) -> bool:
        return True


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return a browser."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()


class RedisServer:
    """One redis-server process and its port."""

    def __init__(self, folder: Path, *more: str) -> None:
        command = shutil.which("redis-server")
        if command is None:
            pytest.skip("redis-server is not installed")
        # A cluster's bus is 10,000 above.
        self.port = next(port for _ in range(1000) if (port := free_port()) < 55_000)
        bound = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        self._command = [command, *more, *bound]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return what STOPPER_STORAGE takes."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < end, "redis-server does not answer"
            time.sleep(0.02)

    def kill(self) -> None:
        """End the server as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def commands(self) -> int:
        """Return how many commands the server has processed."""
        return int(self._ask(b"INFO stats\r\n").split(b"total_commands_processed:")[1].split(b"\r\n")[0])

    def _answers(self) -> bool:
        try:
            return self._ask(b"PING\r\n").startswith(b"+PONG")
        except OSError:
            return False

    def _ask(self, command: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as one:
            one.sendall(command)
            answer = one.recv(65536)
            if answer.startswith(b"$"):
                head, _, body = answer.partition(b"\r\n")
                while len(body) < int(head[1:]):
                    body += one.recv(65536)
                return body
            return answer


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Return a running Redis server, to be killed and started again."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


def postgres_program(name: str) -> str | None:
    """Return where a program of PostgreSQL stands: on PATH, or where Debian keeps it."""
    found = shutil.which(name)
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return found or (str(kept[-1]) if kept else None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Return the address of a running PostgreSQL server, as psycopg and SQLAlchemy take it without a driver's name."""
    initdb, server = postgres_program("initdb"), postgres_program("postgres")
    if initdb is None or server is None:
        pytest.skip("PostgreSQL is not installed")
    # tmp_path is root's alone, and PostgreSQL does not run as root.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    user = "postgres" if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "user": user, "cwd": "/"}
    data = str(folder / "data")
    subprocess.run(
        [initdb, "-D", data, "-U", "stopper", "-A", "trust", "-E", "UTF8", "-N"],
        check=True,
        timeout=120,
        **quiet,
    )
    port = free_port()
    options = [
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        f"unix_socket_directories={folder}",
        "-c",
        "fsync=off",
    ]
    process = subprocess.Popen([server, "-D", data, "-p", str(port), *options], **quiet)
    try:
        assert wait_for(lambda: listening(port)), "PostgreSQL does not answer"
        yield f"postgresql://stopper@127.0.0.1:{port}/postgres"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
