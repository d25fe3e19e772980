"""Set the security headers on every answer: those of errors and static files too. A view's own header wins.

What is sent is written once, in `stopper.policy`; the settings change it for the app, `stopper.headers` and `STOPPER_ROUTES` for a
view, a blueprint or a path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from flask import session

from stopper.errors import ConfigurationError
from stopper.guard.answers import Answer, Header
from stopper.guard.guard import Cell, Guard
from stopper.guard.route import Route
from stopper.guard.settings import Mode, Settings, setting
from stopper.policy import HEADERS, HSTS_PRELOAD_SECONDS, HSTS_SECONDS

Hook = Callable[[Answer], None]

CHOICES: Final[Mapping[str, frozenset[str]]] = {
    "X-Content-Type-Options": frozenset(("nosniff",)),
    "X-Frame-Options": frozenset(("DENY", "SAMEORIGIN")),
    "Referrer-Policy": frozenset(
        (
            "no-referrer no-referrer-when-downgrade origin origin-when-cross-origin same-origin strict-origin "
            "strict-origin-when-cross-origin unsafe-url"
        ).split()
    ),
    "Cross-Origin-Opener-Policy": frozenset(
        "unsafe-none same-origin-allow-popups same-origin noopener-allow-popups".split()
    ),
    "Cross-Origin-Resource-Policy": frozenset("same-site same-origin cross-origin".split()),
    "Cross-Origin-Embedder-Policy": frozenset("unsafe-none require-corp credentialless".split()),
    "X-Permitted-Cross-Domain-Policies": frozenset("none master-only by-content-type all".split()),
    "Origin-Agent-Cluster": frozenset(("?1", "?0")),
}
"""Headers whose values are words of a list (Fetch, HTML and Referrer Policy standards)."""

PERMISSION: Final = re.compile(r"[a-z][a-z-]*=(\*|self|\((?:\s*(?:\*|self|src|\"https?://[^\s\"]+\"))*\s*\))")
"""One feature of Permissions-Policy with its allow-list, a structured field (RFC 9651)."""

TEXT: Final = re.compile(r"[\x20-\x7e]*")
NAME: Final = re.compile(r"[A-Za-z0-9-]+")
LEAVING: Final = frozenset("logout log_out signout sign_out logoff".split())
"""The last part of an endpoint that logs a user out."""


def _wrong(header: str) -> Callable[[str], str | None]:
    """Return a check that says what is wrong with a header's value."""

    def check(value: str) -> str | None:
        return wrong_value(header, value)

    return check


@dataclass(frozen=True)
class HeadersSettings(Settings):
    """Hold what the headers say."""

    hsts_seconds: int = setting(HSTS_SECONDS, least=0)
    """How long browsers shall use HTTPS alone, in seconds (two years). Begin with 300, then a week, then a month; 0 takes it back."""

    hsts_subdomains: bool = False
    """Whether Strict-Transport-Security covers every subdomain: only where each of them serves HTTPS."""

    hsts_preload: bool = False
    """Whether the host may be put on the browsers' own list, which is hard to leave. Needs subdomains and a year."""

    frame_options: Literal["DENY", "SAMEORIGIN"] | None = "DENY"
    """Who may show a page in a frame: X-Frame-Options, and frame-ancestors in the content security policy."""

    referrer_policy: str | None = setting(HEADERS["Referrer-Policy"], check=_wrong("Referrer-Policy"))
    """Referrer-Policy; None sends no such header."""

    permissions_policy: str | None = setting(
        HEADERS["Permissions-Policy"], check=_wrong("Permissions-Policy")
    )
    """Permissions-Policy; None sends no such header."""

    opener_policy: str | None = setting(
        HEADERS["Cross-Origin-Opener-Policy"], check=_wrong("Cross-Origin-Opener-Policy")
    )
    """Cross-Origin-Opener-Policy; `same-origin-allow-popups` where a login opens a window of another site."""

    resource_policy: str | None = setting(
        HEADERS["Cross-Origin-Resource-Policy"], check=_wrong("Cross-Origin-Resource-Policy")
    )
    """Cross-Origin-Resource-Policy; left out of an answer that allows other origins by CORS."""

    embedder_policy: str | None = setting(None, check=_wrong("Cross-Origin-Embedder-Policy"))
    """Cross-Origin-Embedder-Policy, sent on request only: it stops what other sites serve without saying that it may be embedded."""

    agent_cluster: bool = True
    """Whether Origin-Agent-Cluster keeps pages of other origins of the site out of the process."""

    no_store: bool = True
    """Whether Cache-Control: no-store is set on an answer for which the session held something."""

    logout: tuple[str, ...] = ()
    """Endpoints that log a user out and answer with Clear-Site-Data, beside those named logout, signout and the like."""


class Headers(Guard):
    """Set what is missing when an answer's headers go out."""

    name = "headers"
    area = "headers"
    Settings: ClassVar[type[Settings]] = HeadersSettings

    def start(self) -> None:
        """Refuse a wish for preloading that browsers would refuse, and marks that cannot be sent."""
        wanted: HeadersSettings = self.settings
        if wanted.hsts_preload and not (
            wanted.hsts_subdomains and wanted.hsts_seconds >= HSTS_PRELOAD_SECONDS
        ):
            raise ConfigurationError(
                "STOPPER_HSTS_PRELOAD needs STOPPER_HSTS_SUBDOMAINS = True "
                f"and STOPPER_HSTS_SECONDS of at least {HSTS_PRELOAD_SECONDS}"
            )
        for pattern, said in self.state.common.routes.items():
            if self.name in said:
                named(said[self.name], f"STOPPER_ROUTES[{pattern!r}]['headers']")

    def answer(self, route: Route) -> Hook | None:
        """Return what sets a route's headers: two lists are ready, one for HTTPS."""
        if self.mode is Mode.REPORT:
            return None
        values = self.values(route)
        hsts = values.pop("Strict-Transport-Security", None)
        plain = _ready(values)
        secure = plain if hsts is None else _ready({"Strict-Transport-Security": hsts, **values})
        setter = _setter(plain, secure, keep=not self.settings.no_store or route.is_static)
        return _leaving(setter) if self._logs_out(route) else setter

    def values(self, route: Route) -> dict[str, str]:
        """Return the headers of a route, as the settings and its marks say."""
        wanted: HeadersSettings = self.settings
        values: dict[str, str | None] = {
            "Strict-Transport-Security": self._hsts(),
            "X-Content-Type-Options": HEADERS["X-Content-Type-Options"],
            "X-Frame-Options": wanted.frame_options,
            "Referrer-Policy": wanted.referrer_policy,
            "Permissions-Policy": wanted.permissions_policy,
            "Cross-Origin-Opener-Policy": wanted.opener_policy,
            "Cross-Origin-Resource-Policy": wanted.resource_policy,
            "Cross-Origin-Embedder-Policy": wanted.embedder_policy,
            "Origin-Agent-Cluster": "?1" if wanted.agent_cluster else None,
            "X-Permitted-Cross-Domain-Policies": "none",
        }
        for mark in route.marked(self.name):
            values.update(named(mark.value, f"the headers of {route.endpoint}"))
        return {name: value for name, value in values.items() if value is not None}

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield how many headers a route's answers get, and the names of those that a mark took away."""
        if self.mode is Mode.REPORT:
            yield Cell("headers", "not set: mode is report", "report")
            return
        values = self.values(route)
        missing = [name for name in HEADERS if name not in values and name != "Content-Security-Policy"]
        yield Cell("headers", f"{len(values)} set" + (f", without {', '.join(missing)}" if missing else ""))

    def _hsts(self) -> str:
        """Return the value of Strict-Transport-Security."""
        wanted: HeadersSettings = self.settings
        subdomains = "; includeSubDomains" if wanted.hsts_subdomains else ""
        return f"max-age={wanted.hsts_seconds}{subdomains}{'; preload' if wanted.hsts_preload else ''}"

    def _logs_out(self, route: Route) -> bool:
        """Tell whether a route logs users out."""
        last = route.endpoint.rpartition(".")[2].lower()
        return last in LEAVING or route.endpoint in self.settings.logout


def named(said: Any, place: str) -> dict[str, str | None]:
    """Return headers by their names; raise `ConfigurationError` for what is no header. `referrer_policy` names a header too."""
    if not isinstance(said, Mapping):
        raise ConfigurationError(
            f"{place} is {said!r}: write a dictionary of headers, such as {{'Referrer-Policy': 'no-referrer'}}"
        )
    values: dict[str, str | None] = {}
    for key, value in said.items():
        name = "-".join(part.capitalize() for part in key.replace("_", "-").split("-"))
        wrong = "is no header's name" if not NAME.fullmatch(name) else None
        if wrong is None and value is not None:
            wrong = wrong_value(name, value)
        if wrong is not None:
            raise ConfigurationError(f"{place}: {name} {wrong}")
        values[name] = value
    return values


def wrong_value(name: str, value: object) -> str | None:
    """Return what is wrong with a header's value, or nothing."""
    if not isinstance(value, str) or not TEXT.fullmatch(value):
        return f"cannot be {value!r}: a header is one line of printable ASCII"
    allowed = CHOICES.get(name)
    if name == "Permissions-Policy":
        bad = [part.strip() for part in value.split(",") if not PERMISSION.fullmatch(part.strip())]
        return (
            f"does not know {bad[0]!r}: write feature=() or feature=(self), with commas between"
            if bad
            else None
        )
    words = [part.strip() for part in value.split(",")] if name == "Referrer-Policy" else [value]
    unknown = [word for word in words if allowed is not None and word not in allowed]
    return f"cannot be {value!r}: write {' or '.join(sorted(allowed or ()))}" if unknown else None


def _ready(values: Mapping[str, str]) -> tuple[tuple[Header, ...], frozenset[str]]:
    """Return headers with their names in lower case."""
    return tuple(values.items()), frozenset(name.lower() for name in values)


def _setter(
    plain: tuple[tuple[Header, ...], frozenset[str]],
    secure: tuple[tuple[Header, ...], frozenset[str]],
    *,
    keep: bool,
) -> Hook:
    """Return what sets a route's headers; `keep` where answers may be kept by caches."""

    def hook(answer: Answer) -> None:
        pairs, names = secure if answer.environ["wsgi.url_scheme"] == "https" else plain
        own = answer.names
        if names.isdisjoint(own) and "access-control-allow-origin" not in own:
            answer.headers.extend(pairs)
        else:
            answer.headers.extend(_wanting(pairs, own))
        if not keep and "vary" in own and "cache-control" not in own and _session_held(answer):
            answer.headers.append(("Cache-Control", "no-store"))

    return hook


def _wanting(pairs: tuple[Header, ...], own: set[str]) -> Iterator[Header]:
    """Yield the headers that the app did not set itself."""
    for pair in pairs:
        low = pair[0].lower()
        if low == "cross-origin-resource-policy" and "access-control-allow-origin" in own:
            continue
        if low not in own:
            yield pair


def _session_held(answer: Answer) -> bool:
    """Tell whether the session was used for an answer and holds something; Flask says `Vary: Cookie` when it was used."""
    if "cookie" not in answer.get("vary").lower():
        return False
    try:
        return bool(session) or "set-cookie" in answer.names
    except RuntimeError:  # no session is open here: an app within the app answered
        return True


def _leaving(setter: Hook) -> Hook:
    """Return what has the browser forget a site when its user logs out; cookies too unless the session says something, as `flash` does."""

    def hook(answer: Answer) -> None:
        if answer.environ["wsgi.url_scheme"] == "https" and answer.status < 400:
            held = _open_session()
            if not held or answer.status >= 300:
                answer.set_default(
                    "Clear-Site-Data", '"cache", "storage"' if held else '"cache", "cookies", "storage"'
                )
        setter(answer)

    return hook


def _open_session() -> bool:
    """Tell whether the session holds something."""
    try:
        return bool(session)
    except RuntimeError:
        return False
