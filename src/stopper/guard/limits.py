"""Limit how often a client may ask: one limit over the whole site, stricter ones where it matters, more by decorator.

Without a setting or a decorator:

- every client has `STOPPER_LIMITS_DEFAULT` over the whole site, all routes and all answers counted together;
- answers 401 have a limit of their own for each route, and answers 404 and 405 to what no route serves (or no file) have one together
  (`STOPPER_LIMITS_REFUSALS`): who guesses tokens or paths is turned away there, and nobody else is;
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

from flask import Request, session

from stopper.errors import ConfigurationError
from stopper.guard.addresses import Clients
from stopper.guard.answers import Answer
from stopper.guard.guard import Cell, Guard
from stopper.guard.logins import Logins, holds_password, is_sensitive, posted
from stopper.guard.rates import Rate, parse_rates, terms_of
from stopper.guard.route import Check, Route
from stopper.guard.settings import Settings, setting
from stopper.guard.storage import Storage
from stopper.guard.stores import Verdict
from stopper.guard.users import user_of

GUESSES: Final = frozenset((401,))
"""Answers of a view that have a limit of their own. What a view does not find (404) is often nobody's fault, and counts in the default."""

MISSES: Final = frozenset((401, 404, 405))
"""Answers to requests for static files that have one."""

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
        "600 per minute", check=_rate("limits_default"), example="100 per minute; 2000 per hour"
    )
    """What each client may ask of the whole site; None for no such limit."""

    limits_refusals: str | None = setting(
        "60 per minute", check=_rate("limits_refusals"), example="30 per minute"
    )
    """How many answers 401 each client may have of one route, and how many 404 and 405 of all paths that no route serves together."""

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
    """1 where a request is counted, 0 where only its answer is."""

    @property
    def fields(self) -> tuple[str, str]:
        """Return its item of RateLimit-Policy, and the beginning of its item of RateLimit."""
        return f'"{self.name}";q={self.rate.amount};w={self.rate.seconds}', f'"{self.name}";r='


class _Asked:
    """The limits that hold for a request together, with all that is the same in every request worked out."""

    __slots__ = ("fields", "lines", "prefixes", "terms")

    def __init__(self, lines: tuple[_Line, ...]) -> None:
        self.lines = lines
        self.prefixes = tuple(line.prefix for line in lines)
        self.terms = tuple(terms_of(line.rate, line.cost) for line in lines)
        self.fields = tuple(line.fields for line in lines)


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
        login = self._lines("login", f"l:{route.endpoint}:", self.settings.limits_login)
        guess = login if "POST" in route.methods and route.endpoint else ()
        if not lines and not guess:
            return None
        if any(line.by != "address" or line.methods is not None for line in lines):
            return self._full(route, lines, guess)
        plain = self._plain(_Asked(lines))
        return self._guarding(route, plain, self._plain(_Asked(lines + guess))) if guess else plain

    def _plain(self, asked: _Asked) -> Check:
        """Return the check of a route with nothing but limits by address, for all methods."""
        slot, hit, name = self._slot, self._storage.store.hit, self._clients.name
        prefixes, terms = asked.prefixes, asked.terms

        def check(request: Request) -> None:
            environ = request.environ
            client = name(environ.get("REMOTE_ADDR"))
            verdict = hit([prefix + client for prefix in prefixes], terms)
            environ[slot] = (asked, verdict)
            if verdict[0] >= 0:
                self._refuse(asked, verdict)

        return check

    def _guarding(self, route: Route, plain: Check, guessing: Check) -> Check:
        """Return the check of a route to which passwords may be posted."""
        always, endpoint, logins = is_sensitive(route), route.endpoint, self.logins

        def check(request: Request) -> None:
            if request.method == "POST" and (always or endpoint in logins.endpoints):
                guessing(request)
            else:
                plain(request)

        return check

    def _full(self, route: Route, lines: tuple[_Line, ...], login: tuple[_Line, ...]) -> Check:
        """Return the check of a route with limits by method, by user, or for signing in."""
        always = is_sensitive(route)
        endpoint, logins, known = route.endpoint, self.logins, dict[tuple[str, bool], _Asked]()

        def check(request: Request) -> None:
            method = request.method
            guessing = method == "POST" and (always or endpoint in logins.endpoints)
            asked = known.get((method, guessing))
            if asked is None:
                own = tuple(line for line in lines if line.methods is None or method in line.methods)
                asked = known[method, guessing] = _Asked(own + login if guessing else own)
            if not asked.lines:
                return
            client = self.client(request.environ)
            keys = [
                line.prefix + (client if line.by == "address" else identity(line.by, client))
                for line in asked.lines
            ]
            verdict = self._storage.store.hit(keys, asked.terms)
            request.environ[self._slot] = (asked, verdict)
            if verdict.full >= 0:
                self._refuse(asked, verdict)

        return check

    def answer(self, route: Route) -> Callable[[Answer], None] | None:
        """Return what tells the client its limits, and counts answers that have a limit of their own."""
        slot, tells = self._slot, self.settings.limits_headers
        counted = _Asked(self._refusals(route, 1)) if route.endpoint and self.state.acts else _Asked(())
        statuses = MISSES if route.is_static else GUESSES
        learns = "POST" in route.methods and not is_sensitive(route)

        def answer(answer: Answer) -> None:
            environ, status = answer.environ, answer.status
            if learns and environ["REQUEST_METHOD"] == "POST":
                self._learn(route.endpoint, environ.get("werkzeug.request"))
            if status in statuses and counted.lines:
                client = self.client(environ)
                self._storage.store.hit([prefix + client for prefix in counted.prefixes], counted.terms)
            said = environ.get(slot)
            if said is None:
                return
            asked, (full, tightest, left, wait) = said
            if full >= 0 and status == 429:
                answer.set_default("Retry-After", _seconds(wait))
            if tells and "ratelimit" not in answer.names:
                policy, begin = asked.fields[tightest]
                answer.headers += (
                    ("RateLimit-Policy", policy),
                    ("RateLimit", f"{begin}{left};t={_seconds(wait)}"),
                )

        return answer

    def _learn(self, endpoint: str, request: Request | None) -> None:
        """Remember an endpoint whose view read a password: its next posts are limited as those of a login are."""
        if request is None or endpoint in self.logins.endpoints or not holds_password(posted(request)):
            return
        self.logins.learn(endpoint)
        detail = (
            f"{endpoint} takes passwords: posts to it are limited to {self.settings.limits_login} from now on"
        )
        self.state.tell(self.name, detail)

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield the limits of a route."""
        lines = [line for line in self._of(route) if line.cost] if not route.exempt(self.name) else []
        if not lines:
            yield Cell("limit", "none", "exempt" if route.exempt(self.name) else "open")
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

    def _refuse(self, asked: _Asked, verdict: Verdict) -> None:
        line, seconds = asked.lines[verdict.full], _seconds(verdict.wait)
        self.state.refuse(
            self,
            429,
            "Too many requests",
            f"You sent too many requests. Try again in {seconds} seconds.",
            headers=(("Retry-After", seconds),),
            limit=f"{line.name} {line.rate}",
        )


def _seconds(wait: float) -> str:
    """Return a time to wait as whole seconds, rounded up, at least one."""
    return str(max(1, math.ceil(wait)))


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
