"""Ask a server which curves it takes, by first messages that offer one each: Python's ssl cannot offer them singly.

With TLS 1.3 (RFC 8446) the message holds no key share, so that a server which takes the curve asks for one; with TLS 1.2 (RFC 8422) it goes on.
There a server with an ECDSA certificate needs its own curve to be offered, so what is seen with TLS 1.3 is more.
Nothing is agreed: the connection is closed as soon as the server's first message shows whether it would go on.
"""

from __future__ import annotations

import secrets
import socket
import struct
from collections.abc import Iterator

GROUPS = (
    ("X25519", 29), ("prime256v1", 23), ("secp384r1", 24), ("secp521r1", 25), ("X448", 30), ("secp256k1", 22), ("prime192v1", 19),
    ("secp224r1", 21), ("sect283k1", 9), ("sect283r1", 10), ("sect409k1", 11), ("sect409r1", 12), ("sect571k1", 13), ("sect571r1", 14),
    ("brainpoolP256r1", 26), ("brainpoolP384r1", 27), ("brainpoolP512r1", 28),
)  # fmt: skip
"""Named groups with their numbers (IANA, TLS Supported Groups)."""
_SUITES = (0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC023, 0xC027, 0xC009, 0xC013, 0xC00A, 0xC014)
"""Suites with ECDHE, so that no handshake goes on without a curve."""
_NEWEST = (0x1301, 0x1302, 0x1303)
_SIGNATURES = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201)
_HANDSHAKE, _SERVER_HELLO = 22, 2


def curves(host: str, port: int, *, newest: bool, seconds: float = 3.0) -> Iterator[str]:
    """Yield the curves with which the server would go on, asked by TLS 1.3 where ``newest`` says so, else by TLS 1.2."""
    for name, number in GROUPS:
        try:
            with socket.create_connection((host, port), seconds) as connection:
                connection.settimeout(seconds)
                connection.sendall(client_hello(host, number, newest=newest))
                head = _received(connection, 6)
        except OSError:
            continue
        if len(head) == 6 and head[0] == _HANDSHAKE and head[5] == _SERVER_HELLO:
            yield name


def client_hello(host: str, group: int, *, newest: bool) -> bytes:
    """Return a first message of TLS 1.3 or 1.2 that offers one curve."""
    name = host.encode("idna") if not host.replace(".", "").isdigit() and ":" not in host else b""
    extensions = [
        _extension(10, _list(struct.pack("!H", group))),
        _extension(11, b"\x01\x00"),
        _extension(13, _list(b"".join(struct.pack("!H", one) for one in _SIGNATURES))),
        *([_extension(0, _list(b"\x00" + _list(name)))] if name else []),
        *([_extension(43, b"\x02\x03\x04"), _extension(51, _list(b""))] if newest else []),
    ]
    suites = b"".join(struct.pack("!H", one) for one in (_NEWEST if newest else _SUITES))
    body = (
        b"\x03\x03"
        + secrets.token_bytes(32)
        + b"\x00"
        + _list(suites)
        + b"\x01\x00"
        + _list(b"".join(extensions))
    )
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + _list(message)


def _list(content: bytes) -> bytes:
    """Return bytes with their length in front, in two bytes."""
    return struct.pack("!H", len(content)) + content


def _extension(kind: int, content: bytes) -> bytes:
    return struct.pack("!H", kind) + _list(content)


def _received(connection: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        piece = connection.recv(size - len(got))
        if not piece:
            break
        got += piece
    return got
