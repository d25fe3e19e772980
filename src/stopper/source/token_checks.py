"""The tests that a provider's credentials pass by their own making: a checksum, or content that can be read."""

from __future__ import annotations

import base64
import binascii
import json
import zlib

from stopper.finding import Confidence

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def has_crc32(token: str) -> bool:
    """Tell whether the last six characters are the CRC-32 of those between the prefix and them, in base 62.

    https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
    """
    body, check = token.partition("_")[2][:-6], token[-6:]
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits.rjust(6, "0") == check


def jwt_confidence(token: str) -> Confidence | None:
    """Return how surely three parts and two dots are a JSON web token that still opens something; None when they are no token."""
    head, payload = (_json_part(part) for part in token.split(".")[:2])
    if not isinstance(head, dict) or "alg" not in head or not isinstance(payload, dict):
        return None
    return Confidence.LOW if "exp" in payload else Confidence.MEDIUM


def _json_part(part: str) -> object:
    try:
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error):
        return None
