"""Show the answers of HTTP-01 challenges (RFC 8555, section 8.3) where the ACME server looks for them.

Four ways: a listener of our own on port 80; a folder that a web server serves; a folder or a Redis that all replicas share, from which the running app
answers (``answer_for`` in its view).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

from stopper.certs.store import replace
from stopper.errors import CertificateError
from stopper.policy import ACME_KEY, ACME_PREFIX, ACME_TOKEN

SECONDS = 600
"""How long an answer is kept where nobody takes it away."""


class Place(Protocol):
    """Where answers are put so that the ACME server finds them."""

    def put(self, token: str, answer: str) -> None:
        """Show an answer."""

    def take(self, token: str) -> None:
        """Show it no longer."""


class Folder:
    """A folder from which a web server, or every replica of the app, answers."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made when something is written."""
        self.folder = folder

    def put(self, token: str, answer: str) -> None:
        """Write the answer."""
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        replace(self.folder / checked(token), answer.encode(), 0o644)

    def take(self, token: str) -> None:
        """Remove it."""
        with contextlib.suppress(OSError):
            (self.folder / checked(token)).unlink()

    def get(self, token: str) -> str | None:
        """Return the answer for a token, or None."""
        with contextlib.suppress(OSError, CertificateError):
            return (self.folder / checked(token)).read_text(encoding="ascii")
        return None


def webroot(root: Path) -> Folder:
    """Return the folder for answers below the one that a web server serves as the root of the site.

    Raises:
        CertificateError: The root is not there.
    """
    if not root.is_dir():
        raise CertificateError(
            f"--webroot {root}: there is no such folder; name the one that your web server serves for port 80"
        )
    return Folder(root / ACME_PREFIX.strip("/"))


class Redis:
    """A Redis that every replica of the app can ask."""

    def __init__(self, url: str) -> None:
        """Take its address: ``redis://host:6379/0``."""
        try:
            import redis
        except ImportError as error:
            raise CertificateError(
                "a challenge is shared through Redis with: pip install 'stopper[redis]'"
            ) from error
        self.client: Any = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)

    def put(self, token: str, answer: str) -> None:
        """Store the answer for ten minutes."""
        self.client.set(ACME_KEY + checked(token), answer, ex=SECONDS)

    def take(self, token: str) -> None:
        """Remove it."""
        self.client.delete(ACME_KEY + checked(token))

    def get(self, token: str) -> str | None:
        """Return the answer for a token, or None; None too where Redis does not answer."""
        if not ACME_TOKEN.fullmatch(token):
            return None
        try:
            found = self.client.get(ACME_KEY + token)
        except Exception:  # noqa: BLE001 - a challenge that cannot be answered is a 404, not an error page
            return None
        return found.decode("ascii") if found else None


class Standalone:
    """A listener of our own, for as long as the challenge lasts."""

    def __init__(self, port: int = 80, host: str = "") -> None:
        """Take the port and the address to listen at."""
        self.port, self.host = port, host
        self._answers: dict[str, str] = {}

    def put(self, token: str, answer: str) -> None:
        """Answer for a token from now on."""
        self._answers[checked(token)] = answer

    def take(self, token: str) -> None:
        """Answer no longer."""
        self._answers.pop(token, None)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Listen while the context lasts.

        Raises:
            CertificateError: The port is taken or not allowed.
        """
        try:
            server = ThreadingHTTPServer((self.host, self.port), _handler(self._answers.get))
        except OSError as error:
            hint = (
                "stop what listens there, or use --webroot, --shared or --redis"
                if error.errno == 98
                else "ports below 1024 need root or a capability"
            )
            raise CertificateError(
                f"port {self.port} cannot be listened at ({error.strerror}); {hint}"
            ) from error
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


def _handler(answer: Callable[[str], str | None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            """Answer a challenge, and nothing else."""
            found = answer(self.path.removeprefix(ACME_PREFIX)) if self.path.startswith(ACME_PREFIX) else None
            body = (found or "not here\n").encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/octet-stream" if found else "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    return Handler


def checked(token: str) -> str:
    """Return a token that is safe as a file's name.

    Raises:
        CertificateError: It is none that RFC 8555 allows.
    """
    if not ACME_TOKEN.fullmatch(token):
        raise CertificateError("the ACME server sent a token with characters that RFC 8555 does not allow")
    return token
