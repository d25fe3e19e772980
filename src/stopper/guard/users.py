"""Read from a session who is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

KEYS: Final = ("_user_id", "user_id", "user", "username", "uid", "email")
"""Keys in which Flask-Login, the Flask tutorial, and apps of their own keep who is signed in, the likeliest first."""


def user_of(session: Mapping[str, Any]) -> str:
    """Return the user a session says is signed in, as text; empty for nobody."""
    for key in KEYS:
        value = session.get(key)
        if value:
            return str(value)
    return ""
