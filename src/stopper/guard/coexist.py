"""Know the libraries on an app that do part of a guard's work, so that nothing is done twice and nothing is counted that is not done.

What they do stays theirs: headers that Talisman set are kept, a form that CSRFProtect or SeaSurf looks after is not asked for a second token,
routes that Limiter limits have no default limit of the guard's beside it. Where the two cannot both be right, the start-up
error says which line to take away.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

from flask import Flask

from stopper.guard.guard import Cell, Guard, Problem
from stopper.guard.route import Route

MODULES: Final = {
    "flask_talisman": "Flask-Talisman",
    "flask_limiter": "Flask-Limiter",
    "flask_wtf": "Flask-WTF",
    "flask_seasurf": "Flask-SeaSurf",
}
"""Libraries that hang on requests, by the module their hook comes from."""

KEYS: Final = {
    "limiter": "Flask-Limiter",
    "csrf": "Flask-WTF",
    "admin": "Flask-Admin",
    "restx": "Flask-RESTX",
    "socketio": "Flask-SocketIO",
}
"""Libraries that leave themselves in `app.extensions`."""

LIMITED: Final = "__wrapper-limiter-instance"
"""What Limiter leaves on a view whose decorator holds."""


class Coexist(Guard):
    """Find the libraries, and tell what would be done twice."""

    name = "coexist"
    area = "headers"
    switch = False

    def start(self) -> None:
        """Find what is there already."""
        self.state.libraries = find(self.app)

    def settle(self, environ: dict[str, Any]) -> None:
        """Find what came after the guard."""
        del environ
        self.state.libraries = found = find(self.app)
        talisman = found.get("Flask-Talisman")
        if getattr(talisman, "content_security_policy", None) and "csp" in self.state.guards:
            told = "Flask-Talisman's content security policy is sent, so the guard's is not; with content_security_policy=None it is."
            self.state.tell(self.name, told)

    def demand(self) -> Iterator[Problem]:
        """Yield settings that would never be acted on, because a library's header is sent."""
        talisman = find(self.app).get("Flask-Talisman")
        policy = self.state.guards.get("csp")
        if not getattr(talisman, "content_security_policy", None) or policy is None:
            return
        if policy.settings.csp_policy or policy.settings.csp_report_only:
            told = "STOPPER_CSP_POLICY is set, and Flask-Talisman sends a policy of its own, which wins."
            yield Problem(
                self.name,
                told,
                "Talisman(app, content_security_policy=None), or take STOPPER_CSP_POLICY away",
            )

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield what the libraries do for a route."""
        found = self.state.libraries
        limiter = found.get("Flask-Limiter")
        if limiter is not None:
            yield from _limited(self.app, limiter, route)
        if getattr(found.get("Flask-Talisman"), "content_security_policy", None):
            yield Cell("csp", "Flask-Talisman's", "elsewhere")


def find(app: Flask) -> dict[str, Any]:
    """Return the libraries on an app by name, each with its object where that can be known."""
    found: dict[str, Any] = {}
    hooks = [*app.before_request_funcs.get(None, ()), *app.after_request_funcs.get(None, ())]
    for hook in hooks:
        owner = getattr(hook, "__self__", None) or getattr(getattr(hook, "func", None), "__self__", None)
        module = str(getattr(type(owner) if owner is not None else hook, "__module__", "")).partition(".")[0]
        if module in MODULES:
            found.setdefault(MODULES[module], owner)
    for key, name in KEYS.items():
        if key in app.extensions:
            found[name] = _one(app.extensions[key])
    manager = getattr(app, "login_manager", None)
    if manager is not None:
        found["Flask-Login"] = manager
    return found


def limited(app: Flask, limiter: Any, route: Route) -> str:
    """Return what Limiter's limits say of a route, as far as they hold; empty where there are none.

    A decorator that stands above `@app.route` is known to Limiter and limits nothing: it is not counted.
    """
    try:
        name_of = import_module("flask_limiter.util").get_qualified_name
        manager = limiter.limit_manager
        blueprint = route.blueprints[-1] if route.blueprints else None
        limits = [one for some in manager.resolve_limits(app, route.endpoint, blueprint) for one in some]
        decorated = manager.decorated_limits(name_of(route.view)) if route.view is not None else []
    except Exception:  # noqa: BLE001 - the inside of another library, which may change; unknown is not covered
        return ""
    if decorated and not hasattr(route.view, LIMITED):
        return ""
    return ", ".join(dict.fromkeys(str(one.limit) for one in limits))


def _limited(app: Flask, limiter: Any, route: Route) -> Iterator[Cell]:
    """Yield what Limiter does for a route."""
    text = limited(app, limiter, route)
    if text:
        yield Cell("limit", f"{text} (Flask-Limiter)", "elsewhere")


def _one(kept: Any) -> Any:
    """Return the one object of what an extension keeps: Limiter keeps a set."""
    if isinstance(kept, set | list | tuple) and kept:
        return next(iter(kept))
    return kept
