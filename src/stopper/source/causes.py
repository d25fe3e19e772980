"""Which line of source causes what was seen at the booted app or the live site."""

from __future__ import annotations

import re

from stopper.finding import Location
from stopper.source.files import Role
from stopper.source.headers import stored_headers
from stopper.source.project import Project

_HEADER_MAKERS = {
    "content-security-policy": ("flask_talisman.Talisman", "flask_csp.csp"),
    "strict-transport-security": ("flask_talisman.Talisman",),
    "x-frame-options": ("flask_talisman.Talisman",),
    "referrer-policy": ("flask_talisman.Talisman",),
    "access-control-allow-origin": ("flask_cors.CORS", "flask_cors.cross_origin"),
    "access-control-allow-credentials": ("flask_cors.CORS", "flask_cors.cross_origin"),
}
"""Who sets a header where the code does not name it."""
GUARD_CLASSES = ("stopper.Stopper", "stopper.guard.extension.Stopper")
"""The full names of Stopper's own guard."""
GUARD_INITS = tuple(f"{one}().init_app" for one in GUARD_CLASSES)
"""What gives it an app later on."""
_GUARD_SETTINGS = {
    "content-security-policy": "csp_policy",
    "strict-transport-security": "hsts_seconds",
    "x-content-type-options": "",
    "x-frame-options": "frame_options",
    "referrer-policy": "referrer_policy",
    "permissions-policy": "permissions_policy",
    "cross-origin-opener-policy": "opener_policy",
    "cross-origin-resource-policy": "resource_policy",
    "cross-origin-embedder-policy": "embedder_policy",
}
"""The headers that the guard sets, each with the setting that says what; "" where none does."""
_COOKIE_SETTINGS = {"session": "SESSION_COOKIE_NAME", "remember_token": "REMEMBER_COOKIE_NAME"}


def cause(project: Project, subject: str) -> Location | None:
    """Return the line that a subject comes from, the nearest one first; None where the project has no Python of its own.

    Args:
        project: The source.
        subject: ``kind:name`` as in ``Finding.subject``.
    """
    kind, _, name = subject.partition(":")
    finder = {
        "setting": _setting,
        "header": _header,
        "cookie": _cookie,
        "endpoint": _endpoint,
        "path": _path,
    }.get(kind)
    found = finder(project, name) if finder is not None else None
    return found or _app(project)


def _app(project: Project) -> Location | None:
    return project.applications[0].location if project.applications else None


def _setting(project: Project, key: str) -> Location | None:
    places = project.settings.in_production(key)
    return places[-1].location if places else None


def _header(project: Project, name: str) -> Location | None:
    """Return where a header is written: in a proxy's file, by its name in code, by an extension that makes it, or by the guard."""
    lowered = name.lower()
    for proxy in project.settings.proxies:
        for given, _, place in proxy.headers:
            if given.lower() == lowered:
                return place
    for _, place in stored_headers(project, name):
        return place
    for maker in _HEADER_MAKERS.get(lowered, ()):
        for call in project.code.calls(maker):
            if call.module.role is Role.APP:
                return call.location
    return _guard(project, lowered)


def _guard(project: Project, header: str) -> Location | None:
    """Return where Stopper's guard is told what to say in a header, or else where it is given the app."""
    setting = _GUARD_SETTINGS.get(header)
    if setting is None:
        return None
    makers = project.code.calls(*GUARD_CLASSES, *GUARD_INITS)
    calls = [call for call in makers if call.module.role is Role.APP]
    if not calls:
        return None
    keywords = [call.argument(None, setting) for call in calls]
    told = next((one.location for one in keywords if one is not None), None)
    given = next((call for call in calls if call.argument(0, "app") is not None), calls[0])
    return told or _setting(project, f"STOPPER_{setting.upper()}") or given.location


def _cookie(project: Project, name: str) -> Location | None:
    """Return the call that sets a cookie, or the setting that names it."""
    for call in project.code.every_call("set_cookie"):
        key = call.argument(0, "key")
        if call.module.role is Role.APP and key is not None and key.value.in_production() == name:
            return call.location
    setting = _COOKIE_SETTINGS.get(name)
    return _setting(project, setting) if setting else None


def _endpoint(project: Project, endpoint: str) -> Location | None:
    return next((route.location for route in project.routes.routes if route.endpoint == endpoint), None)


def _path(project: Project, path: str) -> Location | None:
    """Return the view that answers a path: the rule that is the path, else the longest that matches it."""
    best: tuple[int, Location] | None = None
    for route in project.routes.routes:
        pattern = re.sub(r"<path:[^>]*>", ".+", route.rule)
        pattern = re.sub(r"<[^>]*>", "[^/]+", pattern)
        if re.fullmatch(pattern, path) and (best is None or len(route.rule) > best[0] or route.rule == path):
            best = (len(route.rule) if route.rule != path else 10_000, route.location)
    return best[1] if best else None
