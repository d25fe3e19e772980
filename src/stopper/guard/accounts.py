"""Read which account a request wants to sign in to, out of whatever a client posts.

A client can post more than the view reads: a decoy in one field, the account in another. So every field that may hold the account counts, in
the form or JSON and in the query. Fields that rarely do (a tenant, a display name) count only where there is no other.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flask import Request
from werkzeug.exceptions import HTTPException

from stopper.guard.logins import readings

STRONG: Final = frozenset(
    (
        "username email login user user_name username_or_email email_address userid user_id uid login_id login_name "
        "identifier nick nickname handle mail e_mail phone phone_number"
    ).split()
)
"""Names of fields that hold an account, in lower case with underscores."""

WEAK: Final = frozenset("account name member customer".split())
"""Names of fields that hold one where no other does."""

READ: Final = 65536
"""The longest multipart form, in bytes, that is kept whole so that the view can read it as it came."""

FIELDS: Final = 1000
"""The most fields of a request that signs in."""


class TooManyFieldsError(ValueError):
    """Say that a request has more fields than can be looked through."""


def accounts_of(request: Request, field: str = "") -> tuple[str, ...]:
    """Return a hash for each account that a request may mean, in a fixed order; nothing where it names none.

    The body is read once and kept, so that the view can read it again.

    Args:
        request: A request with a body.
        field: The one field that holds the account; empty to look for it.

    Raises:
        TooManyFieldsError: There are more than a thousand fields.
        HTTPException: The body is longer than the app allows.
    """
    sources = [request.args, _posted(request)]
    if any(len(fields) > FIELDS for fields in sources):
        raise TooManyFieldsError
    found = [fields.get(field) for fields in sources] if field else _named(sources)
    return tuple(sorted({_hash(name) for name in found if isinstance(name, str) and name.strip()}))


def _posted(request: Request) -> Mapping[str, Any]:
    """Return the fields of a body; none where it cannot be read, which the view cannot either."""
    length = request.content_length
    if not request.mimetype.startswith("multipart/") or (length is not None and length <= READ):
        request.get_data(cache=True)
    try:
        fields: Any = request.get_json(silent=True) if request.is_json else request.form
    except HTTPException:
        raise
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, Mapping) else {}


def _named(sources: list[Mapping[str, Any]]) -> list[Any]:
    """Return what stands in fields that may hold an account: in the strong ones, else in the weak ones."""
    pairs = list(_readings(sources))
    strong = [value for name, value in pairs if name in STRONG]
    return strong or [value for name, value in pairs if name in WEAK]


def _readings(sources: list[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    for fields in sources:
        for key, value in fields.items():
            for reading in dict.fromkeys(readings(key)):
                yield reading, value


def _hash(name: str) -> str:
    """Return a hash of a name: the same for every spelling that an app may take for the same."""
    text = unicodedata.normalize("NFKC", name[:1024]).strip().casefold()
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
