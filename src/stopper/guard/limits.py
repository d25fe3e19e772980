"""Limit how often a client may ask: one limit over the whole site, stricter ones where it matters, more by decorator.

Without a setting or a decorator:

- every client has `STOPPER_LIMITS_DEFAULT` over the whole site, all routes and all answers counted together;
- answers 401, 404 and 405 have a limit of their own, route by route (`STOPPER_LIMITS_REFUSALS`): who guesses paths or tokens is
  turned away there, and nobody else is;
- a POST to a route that is for signing in, or that was ever sent a password, has `STOPPER_LIMITS_LOGIN`;
- static files have a generous limit of their own (`STOPPER_LIMITS_STATIC`) and do not eat into the default.

A client is an IPv4 address or an IPv6 /64, as seen behind the stated number of proxies. A decorated limit is added to these. Each limit
slides with the clock, and a request that one limit refuses is counted by none.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Request, has_request_context, request, session

from stopper.errors import ConfigurationError
from stopper.guard.addresses import Clients
from stopper.guard.answers import Answer
from stopper.guard.guard import Cell, Guard
from stopper.guard.logins import Logins, holds_password, is_sensitive, posted
from stopper.guard.rates import Rate, parse_rates
from stopper.guard.route import Check, Route
from stopper.guard.settings import Settings, setting
from stopper.guard.storage import Storage
from stopper.guard.stores import Ask, Verdict
from stopper.guard.users import user_of

COUNTED: Final = frozenset((401, 404, 405))
"""Answers with a limit of their own."""

By = str | Callable[[], object]
"""What a limit is counted by: "address", "user", or a function that returns a name."""


def _rate(key: str) -> Callable[[str], str | None]:
    def check(value: str) -> str | None:
        try:
            parse_rates(value, key)
        except ConfigurationError as error:
            return str(error).partition(": ")[2]
        return None

    return check


@dataclass(frozen=True)
class LimitsSettings(Settings):
    """The limits that hold without a decorator."""

    limits_default: str | None = setting(
        "300 per minute", check=_rate("limits_default"), example="100 per minute; 2000 per hour"
    )
    """What each client may ask of the whole site; None for no such limit."""

    limits_refusals: str | None = setting(
        "60 per minute", check=_rate("limits_refusals"), example="30 per minute"
    )
    """How many answers 401, 404 and 405 each client may have of one route (of all paths that no route serves together)."""

    limits_login: str | None = setting(
        "10 per minute", check=_rate("limits_login"), example="5 per minute; 50 per day"
    )
    """How often each client may post to one route that signs in, registers, resets a password or takes a code."""

    limits_static: str | None = setting(
        "3000 per minute", check=_rate("limits_static"), example="10000 per minute"
    )
    """What each client may ask of static files, which the default does not count; None leaves them without a limit."""

    limits_headers: bool = True
    """Whether answers carry RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers); Retry-After is always sent."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as a decorator or `STOPPER_ROUTES` writes it."""

    rates: tuple[Rate, ...]
    by: By = "address"
    instead: bool = False
    """Whether it replaces the default limit for its route, and is not added to it."""
    scope: str = ""
    """The name under which several routes count together; empty for each by itself."""


def limit_of(value: object, where: str) -> Limit:
    """Return the limit that a decorator or a setting means.

    Raises:
        ConfigurationError: It is no limit.
    """
    if isinstance(value, Limit):
        return value
    if not isinstance(value, Mapping):
        return Limit(parse_rates(value, where))
    known = dict(value)
    rates = parse_rates(known.pop("limit", None), where)
    unknown = sorted(set(known) - {"by", "instead", "scope"})
    if unknown:
        raise ConfigurationError(
            f'{where}: {unknown[0]!r} is not known; write "limit", "by", "instead" or "scope"'
        )
    by = known.get("by", "address")
    if by not in {"address", "user"} and not callable(by):
        raise ConfigurationError(
            f'{where}: by={by!r} is not known; write "address", "user" or a function that returns a name'
        )
    return Limit(rates, by, bool(known.get("instead")), str(known.get("scope", "")))


@dataclass(frozen=True, slots=True)
class _Line:
    """One rate of one limit, ready to be asked."""

    name: str
    """What the RateLimit fields call it."""
    prefix: str
    """What its keys begin with."""
    rate: Rate
    by: By = "address"
    methods: frozenset[str] | None = None
    cost: int = 1

    @property
    def policy(self) -> str:
        """Return its item of RateLimit-Policy."""
        return f'"{self.name}";q={self.rate.amount};w={self.rate.seconds}'


class Limits(Guard):
    """Count requests, and refuse those over a limit with 429."""

    name = "limits"
    area = "limits"
    Settings = LimitsSettings
    settings: LimitsSettings

    def start(self) -> None:
        """Read every limit, so that a typo is an error now."""
        settings = self.settings
        self._default = self._lines("default", "d", settings.limits_default)
        self._static = self._lines("static", "s", settings.limits_static)
        self._clients = Clients()
        self._slot = f"stopper.limits.{id(self.state)}"
        self.logins = Logins()
        for pattern, said in self.state.common.routes.items():
            if self.name in said:
                limit_of(said[self.name], f"STOPPER_ROUTES[{pattern!r}]['limits']")

    def client(self, environ: Mapping[str, Any]) -> str:
        """Return the name under which a request's client is counted."""
        return self._clients.name(environ.get("REMOTE_ADDR"))

    def check(self, route: Route) -> Check | None:
        """Return what counts a request of a route."""
        if not self.state.acts:
            return None
        lines = self._of(route)
        login = tuple(self._lines("login", f"l:{route.endpoint}:", self.settings.limits_login))
        guess = login if "POST" in route.methods and route.endpoint else ()
        if not lines and not guess:
            return None
        if not guess and all(line.by == "address" and line.methods is None for line in lines):
            return self._plain(lines)
        return self._full(route, lines, guess)

    def _plain(self, lines: tuple[_Line, ...]) -> Check:
        """Return the check of a route with nothing but limits by address, for all methods."""
        slot, take, name = self._slot, self._storage.store.take, self._clients.name
        parts = tuple((line.prefix, line.rate, line.cost) for line in lines)

        def check(asked: Request) -> None:
            environ = asked.environ
            client = name(environ.get("REMOTE_ADDR"))
            verdict = take([Ask(prefix + client, rate, cost) for prefix, rate, cost in parts])
            environ[slot] = (lines, verdict)
            if verdict.full >= 0:
                self._refuse(lines, verdict)

        return check

    def _full(self, route: Route, lines: tuple[_Line, ...], login: tuple[_Line, ...]) -> Check:
        """Return the check of a route with limits by method, by user, or for signing in."""
        always = is_sensitive(route)
        endpoint, logins = route.endpoint, self.logins

        def check(asked: Request) -> None:
            method, environ = asked.method, asked.environ
            own = tuple(line for line in lines if line.methods is None or method in line.methods)
            if method == "POST" and (always or endpoint in logins):
                own += login
            if not own:
                return
            client = self.client(environ)
            asks = [Ask(line.prefix + identity(line.by, client), line.rate, line.cost) for line in own]
            verdict = self._storage.store.take(asks)
            environ[self._slot] = (own, verdict)
            if verdict.full >= 0:
                self._refuse(own, verdict)

        return check

    def answer(self, route: Route) -> Callable[[Answer], None] | None:
        """Return what tells the client its limits, and counts answers that have a limit of their own."""
        slot, headers = self._slot, self.settings.limits_headers
        counted = self._refusals(route, 1) if route.endpoint and self.state.acts else ()
        learns = "POST" in route.methods and not is_sensitive(route)

        def answer(answer: Answer) -> None:
            status = answer.status
            if learns and answer.environ["REQUEST_METHOD"] == "POST":
                self._learn(route.endpoint)
            if counted and status in COUNTED:
                client = self.client(answer.environ)
                self._storage.store.take([Ask(line.prefix + client, line.rate) for line in counted])
            said = answer.environ.get(slot)
            if said is None:
                return
            lines, verdict = said
            if verdict.full >= 0 and status == 429:
                answer.set_default("Retry-After", str(max(1, math.ceil(verdict.wait))))
            if headers:
                line = lines[verdict.tightest]
                answer.set_default("RateLimit-Policy", line.policy)
                answer.set_default("RateLimit", f'"{line.name}";r={verdict.left};t={math.ceil(verdict.wait)}')

        return answer

    def _learn(self, endpoint: str) -> None:
        """Remember an endpoint whose view read a password: its next posts are limited as those of a login are."""
        if endpoint in self.logins or not has_request_context() or not holds_password(posted(request)):
            return
        if self.logins.learn(endpoint):
            detail = f"{endpoint} takes passwords: posts to it are limited to {self.settings.limits_login} from now on"
            self.state.tell(self.name, detail)

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield the limits of a route."""
        lines = [line for line in self._of(route) if line.cost]
        if not lines:
            yield Cell("limit", "none", "open")
            return
        text = ", ".join(f"{line.rate} ({line.name})" for line in lines)
        if is_sensitive(route) and self.settings.limits_login:
            text += f", {self.settings.limits_login} (login)"
        yield Cell("limit", text)

    @property
    def _storage(self) -> Storage:
        found = self.state.guards["storage"]
        assert isinstance(found, Storage)
        return found

    def _lines(self, name: str, prefix: str, text: str | None) -> tuple[_Line, ...]:
        if text is None:
            return ()
        rates = parse_rates(text, f"STOPPER_LIMITS_{name.upper()}")
        return tuple(_Line(name, f"{prefix}:{rate.seconds}:", rate) for rate in rates)

    def _refusals(self, route: Route, cost: int) -> tuple[_Line, ...]:
        lines = self._lines("refusals", f"r:{route.endpoint}", self.settings.limits_refusals)
        return tuple(_Line(line.name, line.prefix, line.rate, cost=cost) for line in lines)

    def _of(self, route: Route) -> tuple[_Line, ...]:
        """Return the limits of a route, those of the whole site first."""
        marks = [
            (limit_of(mark.value, f"the limit of {route.endpoint}"), mark.methods)
            for mark in route.marked(self.name)
        ]
        general = self._static if route.is_static else self._default
        if any(limit.instead and methods is None for limit, methods in marks):
            general = ()
        own = [
            _Line(
                "route",
                f"m:{limit.scope or route.endpoint}:{rate.amount}:{rate.seconds}:",
                rate,
                limit.by,
                methods,
            )
            for limit, methods in marks
            for rate in limit.rates
        ]
        return (*general, *own, *self._refusals(route, 0 if route.endpoint else 1))

    def _refuse(self, lines: tuple[_Line, ...], verdict: Verdict) -> None:
        line = lines[verdict.full]
        self.state.refuse(
            self,
            429,
            "Too many requests",
            f"You sent too many requests. Try again in {max(1, math.ceil(verdict.wait))} seconds.",
            headers=(("Retry-After", str(max(1, math.ceil(verdict.wait)))),),
            limit=f"{line.name} {line.rate}",
        )


def identity(by: By, client: str) -> str:
    """Return the name a request is counted under; what has none is counted by its address, and never not at all."""
    if by == "address":
        return client
    found: object
    if by == "user":
        found = user_of(session)
    else:
        assert callable(by)
        found = by()
    if found is None or found == "":
        return client
    text = str(found)
    if len(text) > 64 or not text.isascii() or not text.isprintable():
        text = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"={text}"
