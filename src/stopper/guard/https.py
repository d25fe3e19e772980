"""Send plain HTTP on to HTTPS: with 308, which keeps the method and the body, and only to a host that is the app's own.

It is a check like others and comes after the limits, so that redirects are limited too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import quote

from flask import Request
from werkzeug.routing import RequestRedirect

from stopper.guard import events
from stopper.guard.guard import Cell, Guard, Place
from stopper.guard.paths import matcher
from stopper.guard.route import Check, Route
from stopper.guard.settings import Mode, Settings, setting

IN_PATH: Final = "!$&'()*+,/:;=@"
IN_QUERY: Final = IN_PATH + "%?[]"
"""Characters that stay as they are in a path and in a query (RFC 3986, section 3)."""


@dataclass(frozen=True)
class HttpsSettings(Settings):
    """Hold where HTTPS is."""

    https_port: int = setting(443, least=1, most=65_535)
    """The port on which the site speaks HTTPS to its users."""


class Https(Guard):
    """Redirect what came over plain HTTP."""

    name = "https"
    area = "transport"
    Settings: ClassVar[type[Settings]] = HttpsSettings

    def start(self) -> None:
        """Prepare the paths that machines ask over plain HTTP."""
        self._is_probe = matcher(self.state.common.probes)
        port = self.settings.https_port
        self._port = "" if port == 443 else f":{port}"

    def check(self, route: Route) -> Check | None:
        """Return what redirects; nothing while the app is developed, where nothing speaks TLS."""
        if not self.state.acts or self.state.place is Place.DEVELOPMENT:
            return None
        del route

        def check(request: Request) -> None:
            environ = request.environ
            if environ["wsgi.url_scheme"] not in {"https", "wss"} and not self._is_probe(
                environ["PATH_INFO"]
            ):
                self._redirect(environ)

        return check

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield whether a route's plain requests are redirected."""
        probes = [rule for rule in route.rules if self._is_probe(rule)]
        if self.mode is Mode.REPORT:
            yield Cell("https", "reported", "report")
        elif probes or route.exempt(self.name):
            yield Cell("https", "plain too", "exempt")
        else:
            yield Cell("https", "308")

    def _redirect(self, environ: dict[str, Any]) -> None:
        """Raise the redirect, or what stands for it where it would lead in a circle or to a host that nobody vouches for."""
        if self.mode is Mode.REPORT:
            event = self.state.event(self.name, "reported", "a request over plain HTTP would be redirected")
            events.emit(self.app, event)
            return
        if environ.get("HTTP_X_FORWARDED_PROTO", "").strip().lower() == "https":
            # Here no stated proxy said so, else the scheme were https. A redirect would come back the same for ever.
            self.state.tell(
                self.name,
                "A proxy says that it speaks HTTPS, and nobody says that there is one: write STOPPER_PROXIES = 1",
            )
            self.state.refuse(self, 503, "Not served", "This server was not told of the proxy before it.")
        host = self._host(environ)
        if not host:
            self.state.refuse(self, 403, "HTTPS required", "This site is served over HTTPS.")
        path = quote(environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"], IN_PATH, "latin-1")
        query = environ.get("QUERY_STRING", "")
        tail = f"?{quote(query, IN_QUERY, 'latin-1')}" if query else ""
        raise RequestRedirect(f"https://{host}{self._port}/{path.lstrip('/')}{tail}")

    def _host(self, environ: dict[str, Any]) -> str:
        """Return the name of a host that was vouched for, without its port; nothing where none was."""
        config = self.app.config
        if config.get("TRUSTED_HOSTS") and "hosts" in self.state.guards:
            host = str(environ.get("HTTP_HOST") or environ.get("SERVER_NAME", ""))
        else:
            host = str(config.get("SERVER_NAME") or "")
        return host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
