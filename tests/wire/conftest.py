"""Servers on loopback that answer well, and servers that do what no server should."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

Script = Callable[[socketserver.StreamRequestHandler, bytes], None]
"""Answers one request: the handler to write to, and the head of the request."""


@dataclass
class Hostile:
    """A raw server on a free port of loopback."""

    port: int
    heads: list[bytes] = field(default_factory=list)
    """The head of each request that came."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@pytest.fixture
def serve() -> Iterator[Callable[[Script], Hostile]]:
    """Return what starts a server that answers with a script."""
    servers: list[socketserver.ThreadingTCPServer] = []

    def start(script: Script) -> Hostile:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                head = b""
                while b"\r\n\r\n" not in head:
                    piece = self.request.recv(4096)
                    if not piece:
                        return
                    head += piece
                known.heads.append(head)
                with contextlib.suppress(OSError):  # the client has gone
                    script(self, head)

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        known = Hostile(server.server_address[1])
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return known

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
