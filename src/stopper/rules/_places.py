"""Where a project's own applications are made that answer its requests."""

from __future__ import annotations

from stopper.finding import Location
from stopper.source.files import Role
from stopper.source.project import Project

_DISPATCHERS = ("werkzeug.middleware.dispatcher.DispatcherMiddleware", "werkzeug.wsgi.DispatcherMiddleware")


def app_places(project: Project) -> list[Location]:
    """Return where the project's own Flask objects are made; empty when only tests or examples make one.

    One that has no route and that a function makes is there for commands, where another answers the requests; one that has
    none and hands everything on to others is there to mount them.
    """
    own = [one for one in project.applications if one.module.role is Role.APP]
    answering = {route.application for route in project.routes.routes}
    idle = _mounting(project)
    kept = [
        one.location
        for one in own
        if one.location in answering or not (one.call.function or one.location in idle)
    ]
    return kept or [one.location for one in own]


def _mounting(project: Project) -> set[Location]:
    """Return where the Flask objects are made of which a dispatcher takes the place, or that answer where it mounts nothing."""
    found: set[Location] = set()
    for call in project.code.calls(*_DISPATCHERS):
        rest = call.argument(0, "app")
        found |= {rest.location} if rest is not None and rest.call is not None else set()
    fronts = [
        store.target.module
        for store in project.code.stores("flask.Flask()", key="wsgi_app")
        if store.value.call is not None
        and store.value.call.name in _DISPATCHERS
        and store.target.source not in store.value.source
    ]
    alone = [one for one in project.applications if one.module in fronts and not one.call.function]
    return found | {one.location for one in alone}
