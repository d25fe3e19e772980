"""Make and check CSRF tokens that Flask-WTF makes and checks as well.

A token is the session's secret, signed: ``URLSafeTimedSerializer(key, salt="wtf-csrf-token").dumps(session["csrf_token"])``. What differs is
the keys: every one of ``SECRET_KEY_FALLBACKS`` is accepted, so that a form opened before a key rotation can be sent after it. And a token lives as
long as the session, not an hour.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from flask import Flask
from itsdangerous import BadData, want_bytes

from stopper.guard.signing import Tokens
from stopper.guard.users import user_of

FIELD: Final = "csrf_token"
"""The name of the secret in the session and, unless WTF_CSRF_FIELD_NAME says otherwise, of the token in a form."""

OWNER: Final = "_csrf_user"
"""The key of the session that says whom its secret was made for: whoever signs in gets another."""

HEADERS: Final = ("X-CSRFToken", "X-CSRF-Token", "X-XSRF-TOKEN")
"""Headers that scripts send a token in: Flask-WTF's two, and the one that Angular and axios know by themselves."""


def field_of(app: Flask) -> str:
    """Return the name of the token's field and of its secret in the session."""
    return str(app.config.get("WTF_CSRF_FIELD_NAME") or FIELD)


class CsrfTokens:
    """The tokens of one app."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._signer: tuple[object, Tokens | None] = (None, None)

    def issue(self, session: MutableMapping[str, Any]) -> str:
        """Return a token for a session, which gets its secret if it has none.

        Raises:
            RuntimeError: The app has no SECRET_KEY.
        """
        field, user = field_of(self._app), user_of(session)
        if not isinstance(session.get(field), str) or session.get(OWNER, user) != user:
            session[field] = secrets.token_hex(20)
        if session.get(OWNER) != user:
            session[OWNER] = user
        signer = self._serializer()
        if signer is None:
            raise RuntimeError("csrf_token() needs app.config['SECRET_KEY']")
        token = signer.dumps(session[field])
        return token.decode() if isinstance(token, bytes) else token

    def is_valid(self, token: str | None, session: Mapping[str, Any]) -> bool:
        """Tell whether a token is of this session. Whatever the client sent, it raises nothing."""
        secret, user = session.get(field_of(self._app)), user_of(session)
        signer = self._serializer()
        if not token or signer is None or not isinstance(secret, str) or session.get(OWNER, user) != user:
            return False
        try:
            claimed = signer.loads(token)
        except (BadData, ValueError):
            return False
        # As bytes: compare_digest refuses text that is not ASCII.
        return isinstance(claimed, str) and hmac.compare_digest(_bytes(claimed), _bytes(secret))

    def _serializer(self) -> Tokens | None:
        """Return what signs with the app's key and reads what any of its keys signed; None without a key. Made anew when a key changes."""
        config = self._app.config
        key = config.get("WTF_CSRF_SECRET_KEY") or config.get("SECRET_KEY")
        fallbacks = config.get("SECRET_KEY_FALLBACKS")
        known = (key, tuple(fallbacks) if fallbacks else ())
        if self._signer[0] != known:
            keys = [want_bytes(one) for one in (*known[1], key) if one]
            self._signer = (known, Tokens(keys, salt="wtf-csrf-token") if key else None)
        return self._signer[1]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
