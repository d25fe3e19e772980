"""Which apps of a project are given to ``Stopper``: ``Stopper(app)``, or ``Stopper()`` and ``init_app(app)``."""

from __future__ import annotations

from typing import Final

from stopper.finding import Location
from stopper.records import dataclass
from stopper.regex import regex
from stopper.rules._posture import own_calls
from stopper.source.branches import DEVELOPMENT, TESTING
from stopper.source.causes import GUARD_CLASSES, GUARD_INITS
from stopper.source.code import Call, Expr
from stopper.source.files import Role
from stopper.source.project import Application, Project

_ASSIGNED: Final = regex(r"\s*([\w.]+)\s*(?::[^=]+)?=")


@dataclass(frozen=True, eq=False)
class Installed:
    """The apps that are guarded."""

    calls: tuple[Call, ...]
    """What gives an app to the guard, where production runs it."""
    elsewhere: tuple[Call, ...]
    """What gives an app to the guard where production does not run it."""
    apps: dict[Location, bool | None]
    """Whether each app of the project is guarded; None where that is not known."""
    unseen: bool
    """Something that cannot be read here may give an app to the guard."""

    def at(self, app: Location | None) -> bool | None:
        """Tell whether an app is guarded, every app where none is named; None where that is not known."""
        if app is not None and app in self.apps:
            return self.apps[app]
        found = set(self.apps.values()) or {_any(self.calls, unseen=self.unseen)}
        return found.pop() if len(found) == 1 else None


def made(project: Project) -> list[Call]:
    """Return the places that make a guard."""
    return list(own_calls(project, *GUARD_CLASSES))


def installed(project: Project) -> Installed:
    """Return which apps are given to a guard."""
    every = [call for call in made(project) if _app_of(call) is not None or _hides_app(call)]
    every += own_calls(project, *GUARD_INITS)
    calls = tuple(call for call in every if not _not_served(call))
    unseen = not calls and _unseen(project)
    own = [one for one in project.applications if one.module.role is Role.APP]
    apps = {one.location: _guarded(one, own, calls, project, unseen=unseen) for one in own}
    return Installed(calls, tuple(call for call in every if _not_served(call)), apps, unseen)


def _app_of(call: Call) -> Expr | None:
    return call.argument(0, "app")


def _hides_app(call: Call) -> bool:
    """Tell whether ``*args`` may hold the app; what is spread as keywords are settings."""
    return call.has_star and not call.spread


def _not_served(call: Call) -> bool:
    """Tell whether a call runs only in development, in tests, or where the file itself is started."""
    where = call.conditions
    return where.environment in {DEVELOPMENT, TESTING} or (where.main and not call.function)


def _unseen(project: Project) -> bool:
    """Tell whether a guard that no call here is seen to use may be used all the same: in a loop, or as a class derived from it."""
    if made(project):
        return any(call.name == "" for call in project.code.every_call("init_app"))
    return project.code.uses(*GUARD_CLASSES)


def _any(calls: tuple[Call, ...], *, unseen: bool) -> bool | None:
    """Tell whether any call gives an app to the guard whatever its conditions are."""
    if not calls:
        return None if unseen else False
    return None if all(call.conditions.undecided for call in calls) else True


def _guarded(
    app: Application, every: list[Application], calls: tuple[Call, ...], project: Project, *, unseen: bool
) -> bool | None:
    """Tell whether an app is guarded: by what stands beside it, or, of a single app, by any call."""
    if len(every) == 1 or not calls:
        return _any(calls, unseen=unseen)
    beside = [one for one in every if one.call.scope is app.call.scope]
    name = _ASSIGNED.match(project.line(app.location))
    here = tuple(call for call in calls if call.scope is app.call.scope)
    own = tuple(call for call in here if _is_called(call, name[1] if name else ""))
    if own or (here and len(beside) == 1):
        return _any(own or here, unseen=False)
    scopes = {id(one.call.scope) for one in every}
    return None if any(id(call.scope) not in scopes for call in calls) else False


def _is_called(call: Call, name: str) -> bool:
    given = _app_of(call)
    return given is None or given.source == name
