"""Read what Flask's session cookie shows to everybody, and try keys on it; nothing is sent anywhere."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Iterable
from typing import Any

_MOST = 65_536
"""How many bytes of a compressed session are read."""


def payload(cookie: str) -> dict[str, Any]:
    """Return what a signed session cookie holds; empty where it is none."""
    body = cookie.strip('"')
    packed = body.startswith(".")
    text = body.lstrip(".").partition(".")[0]
    if body.count(".") < 2 + packed or not text:
        return {}
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if packed:
            raw = zlib.decompressobj().decompress(raw, _MOST)
        said = json.loads(raw)
    except (binascii.Error, ValueError, zlib.error):
        return {}
    return said if isinstance(said, dict) else {}


def key_of(cookie: str, keys: Iterable[str]) -> str | None:
    """Return the first of the keys with which Flask would have signed a session cookie (flask.sessions), or None."""
    from itsdangerous import (  # late: an audit of source code reads no cookie
        BadSignature,
        TimestampSigner,
    )

    for key in keys:
        signer = TimestampSigner(
            key, salt="cookie-session", key_derivation="hmac", digest_method=hashlib.sha1
        )
        try:
            signer.unsign(cookie.strip('"'))
        except BadSignature:
            continue
        return key
    return None
