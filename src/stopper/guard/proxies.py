"""Learn the client's true address and scheme from a stated number of proxies, and from nobody else.

`STOPPER_PROXIES` is how many proxies stand between the internet and the app. With a number, the headers X-Forwarded-For and
X-Forwarded-Proto are read as many steps from their end as there are proxies, by Werkzeug's ProxyFix; from a peer that can be
no proxy of ours they are taken away, so that who reaches the app directly cannot forge them. With 0 they are always taken away.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from stopper.errors import ConfigurationError
from stopper.guard.guard import Cell, Guard
from stopper.guard.route import Route
from stopper.guard.settings import Settings, setting

FORWARDED: Final = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_REAL_IP",
    "HTTP_FORWARDED",
)
"""Headers by which proxies tell of the client; a client can send them as well."""

FIXED: Final = "werkzeug.proxy_fix.orig"
"""What ProxyFix leaves in the environment."""

PRIVATE: Final = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"),
    *("::1/128", "fc00::/7", "fe80::/10"),
)
"""Networks that no client on the internet has an address in. Python's `is_private` holds more: networks for documentation."""

ANY: Final = "any"


def _wrong(networks: tuple[str, ...]) -> str | None:
    """Return what is wrong with a list of networks."""
    for one in networks:
        try:
            if one not in {"private", ANY}:
                ipaddress.ip_network(one)
        except ValueError:
            return f'{one!r} is no network: write "private", "any", or one such as "10.0.0.0/8"'
    return None


@dataclass(frozen=True)
class ProxiesSettings(Settings):
    """Hold what stands before the app."""

    proxies: int | None = setting(None, least=0, most=10)
    """How many proxies stand between the internet and the app; 0 where it is reached directly. Unless it is said, nothing is
    changed, and forwarded headers are told."""

    proxy_addresses: tuple[str, ...] = setting(("private",), check=_wrong, example=["10.0.0.0/8"])
    """Where the nearest proxy connects from: networks, `private` (loopback, private and link-local ones, and Unix sockets), or `any`
    where the network itself lets nobody else in."""

    proxy_host: bool = False
    """Whether the proxies set X-Forwarded-Host, and replace what a client sends."""


class Proxies(Guard):
    """Set the client's address and scheme when a request arrives."""

    name = "proxies"
    area = "transport"
    Settings: ClassVar[type[Settings]] = ProxiesSettings
    switch = False

    def start(self) -> None:
        """Refuse to stand beside a ProxyFix that reads the same headers a second time."""
        wanted: ProxiesSettings = self.settings
        self._own = find_fix(self.app.wsgi_app)
        if wanted.proxies is not None and self._own is not None:
            raise ConfigurationError(
                f"ProxyFix is on the app and STOPPER_PROXIES is {wanted.proxies}: remove the line app.wsgi_app = ProxyFix(...)"
            )
        hops = wanted.proxies or 0
        self._fix = ProxyFix(
            lambda _environ, _start: (), x_for=hops, x_proto=hops, x_host=hops if wanted.proxy_host else 0
        )
        named = [one for one in wanted.proxy_addresses if one not in {"private", ANY}]
        private = PRIVATE if "private" in wanted.proxy_addresses else ()
        self._networks = tuple(ipaddress.ip_network(one) for one in (*named, *private))
        self._is_proxy = lru_cache(maxsize=1024)(self._judge)

    def arrive(self, environ: dict[str, Any]) -> Response | None:
        """Believe the stated proxies; take the headers away from everybody else."""
        hops = self.settings.proxies
        if hops is None:
            self._watch(environ)
        elif FIXED in environ:
            self.state.tell(
                self.name,
                "ProxyFix was put around the app as well as STOPPER_PROXIES: remove the line app.wsgi_app = ProxyFix(...)",
            )
        elif hops and self._is_proxy(environ.get("REMOTE_ADDR", "")):
            self._fix(environ, _ignore)
        else:
            self._forget(environ, hops)
        return None

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield how the client's address is known."""
        del route
        hops = self.settings.proxies
        if hops is not None:
            yield Cell("proxies", f"{hops} before the app" if hops else "none before the app")
        elif self._own is not None:
            yield Cell("proxies", "ProxyFix", "elsewhere")
        else:
            yield Cell("proxies", "not said", "open")

    def _watch(self, environ: dict[str, Any]) -> None:
        """Tell that somebody forwards requests where nobody said that there is a proxy."""
        if "HTTP_X_FORWARDED_FOR" in environ and self._own is None and FIXED not in environ:
            self.state.tell(
                self.name,
                "Requests come with X-Forwarded-For, and nobody says how many proxies there are: write STOPPER_PROXIES = 1, or 0 "
                "where the app is reached directly and clients make it up",
            )

    def _forget(self, environ: dict[str, Any], hops: int) -> None:
        """Take the headers away from a request that came by no proxy of ours."""
        found = [name for name in FORWARDED if environ.pop(name, None) is not None]
        if found and hops:
            peer = environ.get("REMOTE_ADDR", "")
            self.state.tell(
                self.name,
                f"Forwarded headers came from {peer}, which is no proxy of STOPPER_PROXY_ADDRESSES: they were not believed",
            )

    def _judge(self, address: str) -> bool:
        """Tell whether a peer can be the nearest proxy; a Unix socket has no address."""
        named = self.settings.proxy_addresses
        if ANY in named or (not address and "private" in named):
            return True
        try:
            peer = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(peer, "ipv4_mapped", None) or peer
        return any(mapped in one for one in self._networks)


def find_fix(wsgi_app: Any) -> ProxyFix | None:
    """Return the ProxyFix among the middleware around an app, or nothing."""
    for _ in range(20):
        if isinstance(wsgi_app, ProxyFix):
            return wsgi_app
        wsgi_app = getattr(wsgi_app, "app", None) or getattr(wsgi_app, "wsgi_app", None)
    return None


def _ignore(*_: Any) -> Any:
    """Stand for start_response, which is never called."""
