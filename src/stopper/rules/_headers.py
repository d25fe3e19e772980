"""Which response headers a project sets, and where."""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Location
from stopper.policy import HEADERS
from stopper.rules._posture import own_calls, own_modules
from stopper.source.files import Role
from stopper.source.project import Project


def header_names(project: Project) -> set[str]:
    """Return the response headers, in lower case, that application code or a proxy's configuration in the tree sets."""
    return project.cached(header_names, lambda: _header_names(project))


def _header_names(project: Project) -> set[str]:
    found = {name.lower() for proxy in project.settings.proxies for name, _, _ in proxy.headers}
    for module in project.modules:
        if module.role is Role.APP:
            found |= _headers_in(module.text.lowered)
    return found | set(_set_by_middleware(project))


def _set_by_middleware(project: Project) -> Iterator[str]:
    """Yield the headers that something is there for by its name: a WSGI wrapper, or an extension that is given the app."""
    for store in project.code.stores("flask.Flask()", key="wsgi_app"):
        called = store.value.call
        name = called.target.identifier.lower() if called is not None else ""
        yield from (header.lower() for header in HEADERS if header.replace("-", "").lower() in name)
    if next(own_calls(project, "flask_sslify.SSLify"), None) is not None:
        yield "strict-transport-security"


def _headers_in(lowered: str) -> set[str]:
    return {name for name in map(str.lower, HEADERS) if f'"{name}"' in lowered or f"'{name}'" in lowered}


def header_values(project: Project, name: str) -> Iterator[tuple[str, Location]]:
    """Yield each constant value that application code or a proxy's configuration gives a response header, and where."""
    for module in own_modules(project):
        for target, given, scope in module.stores:
            store = project.code.expr(target, scope)
            value = (
                project.code.expr(given, scope).value.in_production()
                if store.identifier.lower() == name
                else None
            )
            if isinstance(value, str):
                yield value, store.location
    for proxy in project.settings.proxies:
        yield from ((value, place) for given, value, place in proxy.headers if given.lower() == name)
