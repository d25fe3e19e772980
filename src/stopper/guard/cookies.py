"""Give every cookie its flags as it goes out: Secure, SameSite, and HttpOnly where no script needs it.

The session's cookie gets the prefix `__Host-` too, which no subdomain and no plain connection can set (RFC 6265bis, section 4.1.3).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Final, Literal

from stopper.errors import ConfigurationError
from stopper.guard.answers import Answer
from stopper.guard.guard import Cell, Guard, Place
from stopper.guard.route import Route
from stopper.guard.settings import Mode, Settings, setting

PREFIX: Final = "__Host-"
CREDENTIAL: Final = re.compile(r"sess|auth|remember|token|login|jwt|(^|[_-])sid$", re.IGNORECASE)
"""Names of cookies that hold what proves who a user is."""

FOR_SCRIPTS: Final = re.compile(r"csrf|xsrf", re.IGNORECASE)
"""Names of cookies that a page's script copies into a header."""


@dataclass(frozen=True)
class CookiesSettings(Settings):
    """Hold what cookies get."""

    same_site: Literal["Lax", "Strict"] = "Lax"
    """SameSite for cookies that the app sets without it. One that says None keeps it."""

    script_cookies: tuple[str, ...] = setting((), example=["theme", "ui_*"])
    """Cookies that a script of the page reads, and that therefore stay without HttpOnly."""

    http_only: tuple[str, ...] = setting((), example=["basket"])
    """Cookies that get HttpOnly beside those whose name says session, token, login and the like; `*` for all."""

    host_prefix: bool = True
    """Whether the session's cookie is called `__Host-session`, where its path and domain allow that."""


class Cookies(Guard):
    """Complete Set-Cookie."""

    name = "cookies"
    area = "transport"
    Settings: ClassVar[type[Settings]] = CookiesSettings

    def settle(self, environ: dict[str, Any]) -> None:
        """Set Flask's own session cookie in production, so that the app itself knows its name."""
        del environ
        config = self.app.config
        if self.state.place is not Place.PRODUCTION or self.mode is Mode.REPORT:
            return
        config["SESSION_COOKIE_SECURE"] = True
        if config["SESSION_COOKIE_SAMESITE"] is None:
            config["SESSION_COOKIE_SAMESITE"] = self.settings.same_site
        if (
            self.settings.host_prefix
            and config["SESSION_COOKIE_NAME"] == "session"
            and _is_whole_host(config)
        ):
            config["SESSION_COOKIE_NAME"] = f"{PREFIX}session"

    def start(self) -> None:
        """Refuse a session cookie that browsers would drop."""
        name, config = self.app.config["SESSION_COOKIE_NAME"], self.app.config
        if name.startswith(PREFIX) and not _is_whole_host(config):
            raise ConfigurationError(
                f'browsers drop {name}: with the prefix __Host- write SESSION_COOKIE_PATH = "/" and no SESSION_COOKIE_DOMAIN'
            )

    def answer(self, route: Route) -> Callable[[Answer], None] | None:
        """Return what completes cookies; nothing for a test suite, which compares them."""
        del route
        if not self.state.acts or self.mode is Mode.REPORT:
            return None
        plain_too = self.state.place is Place.DEVELOPMENT

        def hook(answer: Answer) -> None:
            if "set-cookie" not in answer.names:
                return
            secure = not plain_too or answer.environ["wsgi.url_scheme"] == "https"
            answer.headers[:] = [
                (name, self._completed(value, secure)) if name.lower() == "set-cookie" else (name, value)
                for name, value in answer.headers
            ]

        return hook

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield what a route's cookies get."""
        del route
        if self.mode is Mode.REPORT:
            yield Cell("cookies", "not completed: mode is report", "report")
        else:
            yield Cell("cookies", f"Secure, SameSite={self.settings.same_site}")

    def _completed(self, value: str, secure: bool) -> str:
        """Return a Set-Cookie value with the flags that it lacks."""
        name = value.partition("=")[0].strip()
        flags = value.partition(";")[2].lower()
        said = {part.partition("=")[0].strip() for part in flags.split(";")}
        if secure and "secure" not in said:
            value += "; Secure"
        if "httponly" not in said and self._is_credential(name):
            value += "; HttpOnly"
        if "samesite" not in said:
            value += f"; SameSite={self.settings.same_site}"
        return value

    def _is_credential(self, name: str) -> bool:
        """Tell whether a cookie is none of a script's business."""
        if any(fnmatchcase(name, pattern) for pattern in self.settings.script_cookies):
            return False
        if any(fnmatchcase(name, pattern) for pattern in self.settings.http_only):
            return True
        return CREDENTIAL.search(name) is not None and FOR_SCRIPTS.search(name) is None


def _is_whole_host(config: Any) -> bool:
    """Tell whether the session's cookie belongs to one host and all its paths, as `__Host-` demands."""
    path = config["SESSION_COOKIE_PATH"] or config["APPLICATION_ROOT"]
    return path == "/" and not config["SESSION_COOKIE_DOMAIN"]
