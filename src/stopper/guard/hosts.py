"""Refuse requests for hosts that are not the app's own, before anything builds a link from them.

The list is Flask's `TRUSTED_HOSTS`, which production must have. Flask itself looks at it too late: what runs before a request runs for
a forged host as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

from werkzeug.sansio.utils import host_is_trusted
from werkzeug.wrappers import Response

from stopper.errors import ConfigurationError
from stopper.guard.guard import Cell, Guard, Problem
from stopper.guard.paths import matcher
from stopper.guard.route import Route
from stopper.guard.settings import Settings, setting

HOST: Final = re.compile(
    r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?", re.IGNORECASE
)
"""A host as TRUSTED_HOSTS may hold it: a leading dot stands for the host and its subdomains."""


def _wrong(hosts: tuple[str, ...]) -> str | None:
    """Return what is wrong with a list of hosts."""
    bad = [host for host in hosts if not HOST.fullmatch(host)]
    return (
        f'{bad[0]!r} is no host: write it as "www.example.com", or ".example.com" for its subdomains too'
        if bad
        else None
    )


@dataclass(frozen=True)
class HostsSettings(Settings):
    """Hold what may be set from the environment."""

    trusted_hosts: tuple[str, ...] | None = setting(None, check=_wrong, example=["www.example.com"])
    """The hosts of the app, with commas between in the environment. Put into Flask's `TRUSTED_HOSTS` unless that is set."""


class Hosts(Guard):
    """Refuse a request whose Host is none of TRUSTED_HOSTS."""

    name = "hosts"
    area = "transport"
    Settings: ClassVar[type[Settings]] = HostsSettings

    def start(self) -> None:
        """Put the hosts where Flask looks for them too."""
        config = self.app.config
        wanted = self.settings.trusted_hosts
        self._own = list(wanted) if wanted is not None and not config.get("TRUSTED_HOSTS") else None
        if self._own is not None:
            config["TRUSTED_HOSTS"] = self._own
        wrong = _wrong(tuple(config.get("TRUSTED_HOSTS") or ()))
        if wrong is not None:
            raise ConfigurationError(f'app.config["TRUSTED_HOSTS"]: {wrong}')
        self._is_probe = matcher(self.state.common.probes)
        self._trusted = lru_cache(maxsize=256)(self._judge)

    def demand(self) -> Iterator[Problem]:
        """Yield that there is no list of hosts."""
        if not self.app.config.get("TRUSTED_HOSTS"):
            named = self.app.config.get("SERVER_NAME") or "www.example.com"
            told = "TRUSTED_HOSTS is not set, so links and redirects lead wherever a request's Host says."
            yield Problem(self.name, told, f'app.config["TRUSTED_HOSTS"] = ["{named}"]')

    def settle(self, environ: dict[str, Any]) -> None:
        """Forget what was judged: the list may have been set since. A test suite asks `localhost`: it gets no list of ours."""
        del environ
        config = self.app.config
        if self._own is not None and not self.state.acts and config.get("TRUSTED_HOSTS") is self._own:
            config["TRUSTED_HOSTS"] = None
        elif self._own is not None and self.state.acts and not config.get("TRUSTED_HOSTS"):
            config["TRUSTED_HOSTS"] = self._own
        self._trusted.cache_clear()

    def arrive(self, environ: dict[str, Any]) -> Response | None:
        """Refuse a foreign host; a probe that asks by address is answered as if it had asked for the app's own."""
        host = environ.get("HTTP_HOST") or environ.get("SERVER_NAME", "")
        if self._trusted(host) or not self.state.acts:
            return None
        if self._is_probe(environ.get("PATH_INFO", "")):
            environ["HTTP_HOST"] = self.app.config["TRUSTED_HOSTS"][0].lstrip(".")
            return None
        return self.state.refuse_early(
            self, environ, 400, "Unknown host", "This server has no site of that name.", host=host
        )

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield the hosts a route answers to."""
        del route
        hosts = self.app.config.get("TRUSTED_HOSTS")
        yield Cell("hosts", ", ".join(hosts) if hosts else "any host", "covered" if hosts else "open")

    def _judge(self, host: str) -> bool:
        """Tell whether a host is the app's own; without a list every host is."""
        hosts = self.app.config.get("TRUSTED_HOSTS")
        return not hosts or (HOST.fullmatch(host) is not None and host_is_trusted(host, hosts))
