"""Renew a session when its user logs in, and end it when they log out: for Flask's own session, which is a signed cookie.

Flask's cookie is its own proof: a copy of it opens the session again after a logout, for 31 days. Here each session has a number in its
cookie; the number changes at login, and at login and logout the old one is remembered as ended, where limits are remembered too. Other
workers on the same machine know at once, other machines (Redis) within seconds. The signature is HMAC with SHA-256, and every one of
`SECRET_KEY_FALLBACKS` is accepted.
"""

from __future__ import annotations

import hashlib
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Final

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import URLSafeTimedSerializer

from stopper.guard.csrf_tokens import field_of
from stopper.guard.guard import Cell, Guard, Place
from stopper.guard.rates import Rate
from stopper.guard.route import Route
from stopper.guard.settings import Mode, Settings, setting
from stopper.guard.signing import Tokens
from stopper.guard.storage import Storage
from stopper.guard.stores import Ask, Store

NUMBER: Final = "_sid"
"""The key under which a session's number stands in its cookie; the app's session never shows it."""

IDENTITIES: Final = frozenset(
    "_user_id user_id userid uid user username user_name login logged_in logged_in_user account account_id email user_email "
    "member_id customer_id identity is_admin admin role".split()
)
"""Keys of a session that say who its user is: Flask-Login's, and those that apps write themselves."""

FLASKS: Final = timedelta(days=31)
"""Flask's own PERMANENT_SESSION_LIFETIME: an app that has it chose nothing."""

ASKED_AGAIN: Final = 5.0
"""For how many seconds a worker takes a session for open that another machine may have ended."""

REMEMBERED: Final = 10_000
"""How many open sessions a worker remembers that it asked for."""


@dataclass(frozen=True)
class SessionsSettings(Settings):
    """Hold how long a session lasts."""

    session_days: int = setting(7, least=1, most=31)
    """How many days a session is good for after it was last written. PERMANENT_SESSION_LIFETIME, where an app sets it, wins."""


class Session(SecureCookieSession):
    """A session that knows its number and who its user was when the request came."""

    def __init__(self, initial: Any = None) -> None:
        super().__init__(initial)
        # Past the callback: the session is not modified by this.
        self.number: str = dict.pop(self, NUMBER, "")
        self.before = self.now() if self else {}
        self.token = dict.get(self, "csrf_token")

    def now(self) -> dict[str, Any]:
        """Return who the user is now."""
        return {key: value for key, value in self.items() if key in IDENTITIES}


class CookieSessions(SecureCookieSessionInterface):
    """Open and save sessions with numbers."""

    digest_method = staticmethod(hashlib.sha256)
    session_class = Session

    def __init__(self, store: Store, *, remote: bool) -> None:
        self._store = store
        self._remote = remote
        self._open: dict[str, float] = {}
        self._rate: tuple[Any, Rate] | None = None
        self._serializer: tuple[Any, URLSafeTimedSerializer] | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return the signer; made anew only when a key changes."""
        keys = (app.secret_key, tuple(app.config["SECRET_KEY_FALLBACKS"] or ()))
        if not app.secret_key:
            return None
        known = self._serializer
        if known is None or known[0] != keys:
            signing = Tokens(
                (*keys[1], app.secret_key),
                self.salt,
                self.serializer,
                self.digest_method,
                self.key_derivation,
            )
            known = self._serializer = (keys, signing)
        return known[1]

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of a request; an empty one where it was ended."""
        session = super().open_session(app, request)
        if isinstance(session, Session) and session.number and self._ended(session.number, app):
            return self.session_class()
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Save a session with its number; end the old number where the user changed."""
        if not isinstance(session, Session):
            super().save_session(app, session, response)
            return
        if session.modified:
            self._follow(app, session, response)
        if session:
            dict.__setitem__(session, NUMBER, session.number)
        super().save_session(app, session, response)
        dict.pop(session, NUMBER, None)

    def _follow(self, app: Flask, session: Session, response: Response) -> None:
        """Give a session a number: a new one when somebody logged in, logged out, or became somebody else."""
        now = session.now()
        changed = now != session.before
        if session.number and (changed or not session):
            self._end(session.number, app)
            session.number = ""
        if changed and now and 300 <= response.status_code < 400:
            field = field_of(app)
            if session.token is not None and dict.get(session, field) == session.token:
                session.pop(field)  # forms of before the login are no forms of this user
        if session and not session.number:
            session.number = secrets.token_urlsafe(12)

    def _end(self, number: str, app: Flask) -> None:
        """Remember that a number is no session any more, for as long as its cookie would be good."""
        self._open.pop(number, None)
        self._store.take([self._ask(number, app, 1)])

    def _ended(self, number: str, app: Flask) -> bool:
        """Tell whether a number was ended."""
        if self._remote:
            asked = self._open.get(number)
            if asked is not None and time.monotonic() - asked < ASKED_AGAIN:
                return False
        ended = self._store.take([self._ask(number, app, 0)]).full >= 0
        if self._remote and not ended:
            if len(self._open) >= REMEMBERED:
                self._open.clear()
            self._open[number] = time.monotonic()
        return ended

    def _ask(self, number: str, app: Flask, cost: int) -> Ask:
        """Return the question whether a number was ended, or with cost 1 the wish to end it."""
        lifetime = app.config["PERMANENT_SESSION_LIFETIME"]
        if self._rate is None or self._rate[0] is not lifetime:
            self._rate = (lifetime, Rate(1, int(app.permanent_session_lifetime.total_seconds()) or 1))
        return Ask(f"ended:{number}", self._rate[1], cost)


class Sessions(Guard):
    """Put numbers into Flask's own sessions; renew those of Flask-Session at login."""

    name = "sessions"
    area = "transport"
    Settings: ClassVar[type[Settings]] = SessionsSettings

    def settle(self, environ: dict[str, Any]) -> None:
        """Take the place of Flask's own interface; leave any other where it is."""
        del environ
        if self.mode is Mode.REPORT or not self.state.acts:
            return
        storage = self.state.guards.get("storage")
        kind = type(self.app.session_interface)
        if kind in {SecureCookieSessionInterface, CookieSessions} and isinstance(storage, Storage):
            remote = storage.store is not storage.local
            self.app.session_interface = CookieSessions(storage.store, remote=remote)
        elif hasattr(self.app.session_interface, "regenerate"):
            self._regenerate_at_login()
        lifetime = self.app.config["PERMANENT_SESSION_LIFETIME"]
        if self.state.place is Place.PRODUCTION and lifetime in {FLASKS, FLASKS.total_seconds()}:
            self.app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(days=self.settings.session_days)

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield what is done for sessions."""
        del route
        if isinstance(self.app.session_interface, CookieSessions):
            yield Cell("session", "renewed at login, ended at logout")
        elif hasattr(self.app.session_interface, "regenerate"):
            yield Cell("session", "regenerated at login (Flask-Login)")
        else:
            yield Cell("session", type(self.app.session_interface).__name__, "elsewhere")

    def _regenerate_at_login(self) -> None:
        """Have a server-side session change its identifier when Flask-Login logs a user in."""
        login = sys.modules.get("flask_login")
        if login is not None and not getattr(self, "_connected", False):
            self._connected = True
            login.user_logged_in.connect(self._regenerate, self.app)

    def _regenerate(self, sender: Flask, **_: Any) -> None:
        """Change the identifier of the session that is open."""
        from flask import session

        regenerate = getattr(sender.session_interface, "regenerate", None)
        if regenerate is not None:
            regenerate(session)
