"""Lock out who guesses passwords: by account and address together, by account, and by address.

A request to a login route counts as an attempt before the view sees it, so that attempts sent at the same moment count as well. When the view's
answer shows that the user is signed in, the attempts of that address on that account are forgotten. The counts of the account and of the
address are not: else who owns one account could wipe out the guesses at others.

What the client gets says nothing of the account: an account that does not exist is counted, locked and answered as one that does. From an address
that has signed in to an account in the last thirty days, the account's own lock does not hold, so that nobody can lock its owner out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Request, has_request_context, session

from stopper.errors import ConfigurationError
from stopper.guard import events
from stopper.guard.accounts import TooManyFieldsError, accounts_of
from stopper.guard.addresses import Clients
from stopper.guard.answers import Answer
from stopper.guard.guard import Cell, Guard
from stopper.guard.limits import Limits
from stopper.guard.logins import Logins, is_login, is_sensitive
from stopper.guard.rates import Rate, parse_rates
from stopper.guard.route import Check, Route
from stopper.guard.sessions import IDENTITIES
from stopper.guard.settings import Settings, setting
from stopper.guard.storage import Storage
from stopper.guard.stores import Ask, Verdict
from stopper.guard.users import user_of

KNOWN: Final = Rate(1, 30 * 86400)
"""For how long an address is known to an account that signed in from it."""

NOISE: Final = re.compile(
    r"^_|csrf|flash|fail|attempt|tries|count|captcha|next|time|last|error|message", re.IGNORECASE
)
"""Keys of the session, and names of cookies, whose change does not mean that a user signed in."""


def _rate(value: str) -> str | None:
    try:
        rates = parse_rates(value, "")
    except ConfigurationError as error:
        return str(error).partition(": ")[2]
    return None if len(rates) == 1 else f"{value!r} are several rates; write one"


@dataclass(frozen=True)
class LockoutSettings(Settings):
    """How many failed attempts lock whom out; the window is the cool-off."""

    lockout_pair: str = setting("5 per 15 minutes", check=_rate, example="3 per 30 minutes")
    """Failed attempts of one address on one account."""

    lockout_account: str = setting("50 per hour", check=_rate, example="20 per hour")
    """Failed attempts on one account from all addresses together; addresses that signed in to it before are not locked out by it."""

    lockout_address: str = setting("50 per hour", check=_rate, example="20 per hour")
    """Failed attempts of one address on all accounts together."""


@dataclass(frozen=True, slots=True)
class Lockout:
    """What `stopper.lockout` says of a view."""

    account: str = ""
    """The field that holds the account; empty to look for it."""
    failures: Rate | None = None
    """Failed attempts of one address on one account, where they are not those of the setting."""
    failed: Callable[[int], bool] | None = None
    """Tells from the status code whether an attempt failed, where the answer does not show it."""


def lockout_of(value: object, where: str) -> Lockout:
    """Return the lockout that a decorator or a setting means.

    Raises:
        ConfigurationError: It is none.
    """
    if isinstance(value, Lockout):
        return value
    if value is True:
        return Lockout()
    if isinstance(value, str):
        return Lockout(account=value)
    if not isinstance(value, Mapping) or set(value) - {"account", "failures", "failed"}:
        raise ConfigurationError(
            f'{where} is {value!r}: write the name of the account\'s field, or a dictionary with "account", "failures", "failed"'
        )
    failures, failed, account = value.get("failures"), value.get("failed"), value.get("account", "")
    if failed is not None and not callable(failed):
        raise ConfigurationError(f"{where}: failed={failed!r} is no function of a status code")
    if not isinstance(account, str):
        raise ConfigurationError(f"{where}: account={account!r} is no name of a field")
    rates = parse_rates(failures, where) if failures is not None else ()
    if len(rates) > 1:
        raise ConfigurationError(f"{where}: failures={failures!r} are several rates; write one")
    return Lockout(account, rates[0] if rates else None, failed)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt to sign in, between the view's two doors."""

    accounts: tuple[str, ...]
    client: str
    failures: Rate
    session: Mapping[str, Any]
    """The session as it was before the view."""


class LockoutGuard(Guard):
    """Count failed attempts to sign in, and refuse more with 429."""

    name = "lockout"
    area = "limits"
    Settings = LockoutSettings
    settings: LockoutSettings

    def start(self) -> None:
        """Read the rates, so that a typo is an error now."""
        self._pair = parse_rates(self.settings.lockout_pair, "STOPPER_LOCKOUT_PAIR")[0]
        self._account = parse_rates(self.settings.lockout_account, "STOPPER_LOCKOUT_ACCOUNT")[0]
        self._address = parse_rates(self.settings.lockout_address, "STOPPER_LOCKOUT_ADDRESS")[0]
        self._slot = f"stopper.lockout.{id(self.state)}"
        limits = self.state.guards.get("limits")
        self._logins = limits.logins if isinstance(limits, Limits) else Logins()
        self._clients = Clients()
        for pattern, said in self.state.common.routes.items():
            if self.name in said:
                lockout_of(said[self.name], f"STOPPER_ROUTES[{pattern!r}]['lockout']")

    def check(self, route: Route) -> Check | None:
        """Return what counts an attempt, for a route that takes posts.

        A route that is not for signing in by its name, but was sent a password, is one for whoever is not signed in: who is changes a profile.
        Registering and resetting are no attempts to sign in either; how often one may do that is the business of limits.
        """
        if "POST" not in route.methods or not self.state.acts:
            return None
        marks = route.marked(self.name)
        always = bool(marks) or is_login(route)
        said = lockout_of(marks[-1].value, f"the lockout of {route.endpoint}") if marks else Lockout()
        endpoint, logins, learns = route.endpoint, self._logins, not is_sensitive(route)

        def check(request: Request) -> None:
            if request.method != "POST":
                return
            if always or (learns and endpoint in logins.endpoints and not user_of(session)):
                self._attempt(request, said)

        return check

    def _attempt(self, request: Request, said: Lockout) -> None:
        """Count an attempt, or refuse it where somebody is locked out."""
        try:
            accounts = accounts_of(request, said.account)
        except TooManyFieldsError:
            self.state.refuse(self, 413, "Too long", "What you sent has too many fields.")
            return
        client = self._clients.name(request.environ.get("REMOTE_ADDR"))
        failures = said.failures or self._pair
        verdict = self._ask(accounts, accounts, client, failures)
        if verdict.full < 0:
            request.environ[self._slot] = _Attempt(accounts, client, failures, dict(session))
            return
        seconds = max(1, math.ceil(verdict.wait))
        self.state.refuse(
            self,
            429,
            "Too many attempts",
            "Too many attempts to sign in. Try again later.",
            headers=(("Retry-After", str(seconds)),),
            account=fingerprint(accounts),
        )

    def _ask(self, accounts: tuple[str, ...], locks: tuple[str, ...], client: str, failures: Rate) -> Verdict:
        """Count an attempt where the address, these accounts' own locks, and the pairs of both have room for it."""
        asks = [Ask(f"la:{client}", self._address, 0)]
        asks += [Ask(f"lu:{account}", self._account, 0) for account in locks]
        asks += [Ask(f"lp:{account}:{client}", failures) for account in accounts]
        verdict = self._take(asks)
        if 1 <= verdict.full <= len(locks):
            account = locks[verdict.full - 1]
            if self._take([Ask(f"lk:{account}:{client}", KNOWN, 0)]).full >= 0:
                return self._ask(accounts, tuple(one for one in locks if one != account), client, failures)
        return verdict

    def answer(self, route: Route) -> Callable[[Answer], None] | None:
        """Return what judges by the answer whether an attempt failed."""
        if "POST" not in route.methods or not self.state.acts:
            return None
        marks = route.marked(self.name)
        failed = lockout_of(marks[-1].value, route.endpoint).failed if marks else None

        def answer(answer: Answer) -> None:
            attempt = answer.environ.pop(self._slot, None)
            if attempt is None:
                return
            if failed is not None:
                outcome: bool | None = failed(answer.status)
            else:
                outcome = is_failure(answer, attempt.session, self.app.config["SESSION_COOKIE_NAME"])
            if outcome is False:
                self._succeeded(attempt)
            elif outcome:
                self._failed(attempt)

        return answer

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield the lockout of a route that signs in."""
        if route.marked(self.name) or is_login(route):
            yield Cell("lockout", f"{self.settings.lockout_pair} by account and address")

    def _succeeded(self, attempt: _Attempt) -> None:
        """Forget the attempts of an address on its account; not where a request named several: one of them may be a stranger's."""
        if len(attempt.accounts) == 1:
            pair = f"{attempt.accounts[0]}:{attempt.client}"
            self._storage.store.forget([f"lp:{pair}", f"lk:{pair}"])
            self._take([Ask(f"lk:{pair}", KNOWN)])

    def _failed(self, attempt: _Attempt) -> None:
        """Count a failure for the accounts and for the address, and tell when it locks one of them."""
        asks = [("address", Ask(f"la:{attempt.client}", self._address))]
        asks += [("account", Ask(f"lu:{account}", self._account)) for account in attempt.accounts]
        for what, ask in asks:
            verdict = self._take([ask])
            if verdict.full < 0 and verdict.left == 0:
                self._tell(what, attempt)
        for account in attempt.accounts:
            if self._take([Ask(f"lp:{account}:{attempt.client}", attempt.failures, 0)]).full >= 0:
                self._tell("account and address", attempt)

    def _tell(self, what: str, attempt: _Attempt) -> None:
        detail = f"too many failed attempts to sign in: {what} locked out"
        facts = {"account": fingerprint(attempt.accounts), "client": attempt.client}
        events.emit(self.app, self.state.event(self.name, "locked", detail, **facts))

    def _take(self, asks: list[Ask]) -> Verdict:
        return self._storage.store.take(asks)

    @property
    def _storage(self) -> Storage:
        found = self.state.guards["storage"]
        assert isinstance(found, Storage)
        return found


def fingerprint(accounts: tuple[str, ...]) -> str:
    """Return what stands for accounts in events: people type passwords into the wrong field."""
    return ",".join(account[:12] for account in accounts)


def is_failure(answer: Answer, before: Mapping[str, Any], own: str) -> bool | None:
    """Tell by an answer whether an attempt to sign in failed; None where the server did.

    Signed in is who got a session that says who they are; who is sent on with anything new in the session, or with a cookie of another kind; and
    who got a document that is not a page (a token).

    Args:
        answer: What the view answered.
        before: The session before the view.
        own: The name of the session's cookie.
    """
    status = answer.status
    if status >= 500:
        return None
    if status >= 400:
        return True
    news = _news(before)
    if news & IDENTITIES:
        return False
    if status >= 300:
        cookies = (value for name, value in answer.headers if name.lower() == "set-cookie")
        return not (
            any(not NOISE.search(key) for key in news) or any(_is_other(value, own) for value in cookies)
        )
    return answer.get("content-type").startswith("text/html")


def _news(before: Mapping[str, Any]) -> set[str]:
    """Return the keys of the session that the view filled with something new."""
    if not has_request_context():
        return set()
    return {key for key, value in session.items() if value and before.get(key) != value}


def _is_other(cookie: str, own: str) -> bool:
    """Tell whether a Set-Cookie is neither the session's nor a CSRF token's."""
    name = cookie.partition("=")[0].strip()
    return name.removeprefix("__Host-") != own.removeprefix("__Host-") and not NOISE.search(name)
