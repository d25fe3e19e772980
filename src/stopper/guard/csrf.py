"""Refuse requests that another site makes a user's browser send.

What a browser says decides: `Sec-Fetch-Site`, and where it is missing (plain HTTP, old browsers) `Origin`. So a foreign request is refused by
its headers alone, before a byte of its body is read, and a form of the site itself needs no token. In order:

1. GET, HEAD, OPTIONS and TRACE pass: they must not change anything.
2. A request with `Authorization: Bearer ...` (any scheme that browsers do not attach by themselves) passes: no page can make a browser send
   it to another site without that site's consent (CORS).
3. A request from the site itself, from the user (`Sec-Fetch-Site: none`) or from `STOPPER_CSRF_ORIGINS` passes. Any other origin is refused, sister
   domains (`same-site`) as well, and whether there are cookies or not: that covers the login form too.
4. A request that says neither is an old browser's or no browser's. Without a cookie and without credentials there is nothing to misuse, and it
   passes. Otherwise it needs a token: in a header (`X-CSRFToken`, `X-CSRF-Token`, `X-XSRF-TOKEN`), or in the form field `csrf_token`. Only here the
   body is read, within its bounds, and only where the session has a secret to compare with.

`csrf_token()` is there in templates, Flask-WTF's tokens are accepted, and a form of Flask-WTF is told that the request was checked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from flask import Request, g, session

from stopper.guard.csrf_tokens import HEADERS, CsrfTokens, field_of
from stopper.guard.guard import Cell, Guard
from stopper.guard.origins import Witness, normal, split, witness
from stopper.guard.route import Check, Route
from stopper.guard.settings import Settings, setting
from stopper.policy import SAFE_METHODS

AMBIENT: Final = frozenset(("basic", "digest", "negotiate", "ntlm"))
"""Schemes of Authorization that browsers attach by themselves, as they do cookies."""

FORMS: Final = frozenset(("application/x-www-form-urlencoded", "multipart/form-data"))
"""Bodies with fields."""

KEYS: Final = tuple("HTTP_" + name.upper().replace("-", "_") for name in HEADERS)


def _wrong(origins: tuple[str, ...]) -> str | None:
    for origin in origins:
        if split(origin) is None:
            return f'{origin!r} is no origin: write scheme and host, such as "https://app.example.org"'
    return None


@dataclass(frozen=True)
class CsrfSettings(Settings):
    """Who may send requests that change something."""

    csrf_origins: tuple[str, ...] = setting((), check=_wrong, example=("https://app.example.org",))
    """Other origins whose pages may send: a front end on its own host, for example."""


class Csrf(Guard):
    """Refuse forged requests with 403, before their body is read."""

    name = "csrf"
    area = "inputs"
    Settings = CsrfSettings
    settings: CsrfSettings

    def start(self) -> None:
        """Read the origins once."""
        self._trusted = frozenset(map(normal, self.settings.csrf_origins))
        self._names: frozenset[str] = frozenset()
        self._tells_forms = False
        self._tokens = CsrfTokens(self.app)

    def settle(self, environ: dict[str, Any]) -> None:
        """Learn the app's own names, and give templates `csrf_token()` where nobody else does."""
        del environ
        hosts = self.app.config.get("TRUSTED_HOSTS") or ()
        self._names = frozenset(host.partition(":")[0].lower() for host in hosts if not host.startswith("."))
        self._tells_forms = "flask_wtf.csrf" in sys.modules
        self.app.jinja_env.globals.setdefault("csrf_token", self._issue)

    def check(self, route: Route) -> Check | None:
        """Return what refuses a forged request; nothing for routes that take only safe methods."""
        if not route.methods - SAFE_METHODS or self._is_off(route):
            return None

        def check(request: Request) -> None:
            environ = request.environ
            if environ["REQUEST_METHOD"] in SAFE_METHODS:
                return
            if environ.get("HTTP_SEC_FETCH_SITE") == "same-origin" or self._is_fine(request):
                if self._tells_forms:
                    g.csrf_valid = True
                return

        return check

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield what protects a route that changes something."""
        if not route.methods - SAFE_METHODS:
            return
        if route.exempt(self.name):
            yield Cell("csrf", "exempt", "exempt")
        elif self._is_off(route):
            yield Cell("csrf", "exempt in CSRFProtect", "exempt")
        else:
            yield Cell("csrf", "fetch metadata, origin, token")

    def _is_fine(self, request: Request) -> bool:
        """Tell whether a request is known not to be forged; refuse it where it is foreign or has no valid token."""
        environ = request.environ
        scheme = environ.get("HTTP_AUTHORIZATION", "").partition(" ")[0].lower()
        if scheme and scheme not in AMBIENT:
            return True
        origin = environ.get("HTTP_ORIGIN")
        own = (environ["wsgi.url_scheme"], environ.get("HTTP_HOST", ""))
        said = witness(environ.get("HTTP_SEC_FETCH_SITE"), origin, own, self._names, self._trusted)
        if said is Witness.OWN:
            return True
        if said is Witness.FOREIGN:
            self._refuse("It came from a page of another site.", origin=origin or "")
            return False
        if not self.state.acts:
            return False  # a test client says nothing and has no token
        if not origin and not scheme and not environ.get("HTTP_COOKIE"):
            return True
        if "Flask-SeaSurf" in self.state.libraries or self._has_token(request):
            return True  # SeaSurf asks for a token of its own, and would never be asked
        self._refuse("Its CSRF token is missing or not valid. Reload the page and send the form again.")
        return False

    def _has_token(self, request: Request) -> bool:
        """Tell whether a request has a token of its session: in a header, else in its form."""
        if not isinstance(session.get(field_of(self.app)), str):
            return False
        environ = request.environ
        sent = [environ[key] for key in KEYS if environ.get(key)]
        if sent:
            return any(self._tokens.is_valid(token, session) for token in sent)
        if request.mimetype not in FORMS:
            return False
        field = field_of(self.app)
        tokens = [value for key, value in request.form.items() if key == field or key.endswith(f"-{field}")]
        return any(self._tokens.is_valid(token, session) for token in tokens[:10])

    def _is_off(self, route: Route) -> bool:
        """Tell whether the app switched the check off: in its tests, or for a view with CSRFProtect's own exemption."""
        if not self.state.acts and self.app.config.get("WTF_CSRF_ENABLED") is False:
            return True
        return exempt_in_flask_wtf(self.app.extensions.get("csrf"), route, self.app.view_functions.values())

    def _refuse(self, why: str, **facts: Any) -> None:
        self.state.refuse(self, 403, "Request refused", f"This request was not sent. {why}", **facts)

    def _issue(self) -> str:
        return self._tokens.issue(session._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's own way past the proxy


def exempt_in_flask_wtf(protect: Any, route: Route, views: Any) -> bool:
    """Tell whether a CSRFProtect exempts a route.

    It exempts by module and name. Where several views share both, nobody can know which was meant, and none is exempt here.
    """
    blueprints: set[Any] = getattr(protect, "_exempt_blueprints", set())
    if any(blueprint.name == name for blueprint in blueprints for name in route.blueprints):
        return True
    named: set[str] = getattr(protect, "_exempt_views", set())
    own = _dotted(route.view)
    return own in named and len({id(view) for view in views if _dotted(view) == own}) == 1


def _dotted(view: Callable[..., Any] | None) -> str:
    return f"{getattr(view, '__module__', '')}.{getattr(view, '__name__', '')}"
