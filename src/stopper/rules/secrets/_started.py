"""How the files of a project start the app."""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Location
from stopper.source.files import Role
from stopper.source.project import Project

_OFF = ("", "0", "false", "no")
_LIVE = ("any", "production")


def started_in_debug(project: Project) -> Iterator[tuple[Location, str, str, str]]:
    """Yield where debug mode is switched on for production: the place, what is wrong, what to write, and the context."""
    for one in project.settings.variable("FLASK_DEBUG"):
        live = one.environment in _LIVE and one.value.lower() not in _OFF
        if live and project.role(one.location.path) is Role.APP:
            yield one.location, f"{one.how} sets FLASK_DEBUG", "FLASK_DEBUG=0", "FLASK_DEBUG"
    for command in project.settings.commands:
        if command.program == "flask" and "--debug" in command.argv and command.environment in _LIVE:
            yield command.location, f"{command.how} starts flask with --debug", "gunicorn wsgi:app", "--debug"
