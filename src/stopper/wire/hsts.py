"""What a Strict-Transport-Security value says (RFC 6797, section 6.1)."""

from __future__ import annotations

import re

_MAX_AGE = re.compile(r"max-age\s*=\s*\"?(\d+)", re.IGNORECASE)


def max_age(value: str) -> int | None:
    """Return for how many seconds a value holds; None where no browser can read it: without max-age, or sent twice."""
    match = _MAX_AGE.search(value)
    return int(match[1]) if match is not None and "," not in value else None
