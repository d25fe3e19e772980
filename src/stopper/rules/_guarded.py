"""Which of Stopper's own guards are in force in production, as far as the source tells.

A guard is in force where ``Stopper`` is given the app, and neither ``STOPPER_MODE`` nor ``STOPPER_<GUARD>`` says otherwise; the keyword
wins over ``app.config``, and that over the environment. What cannot be read is unknown, and neither a pass nor a gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from stopper.finding import Location
from stopper.records import dataclass
from stopper.rules._engaged import Installed, installed, made
from stopper.rules._posture import own_modules
from stopper.source.branches import ANY, PRODUCTION
from stopper.source.code import Call
from stopper.source.files import Role
from stopper.source.project import Project
from stopper.source.values import UNKNOWN

NAMES: Final = frozenset(
    "challenges coexist secrets dependencies proxies hosts storage limits https body csrf lockout uploads sql xss sentry "
    "sessions cookies csp headers".split()
)
"""The names of the guards, as ``stopper.exempt`` and ``STOPPER_<NAME>`` take them."""

WITHOUT_MODE: Final = frozenset(("coexist", "proxies", "storage"))
"""Guards that only ``STOPPER_MODE`` switches; the sentry's own setting is its mode."""

_UNSAID: Final = object()


class Stand(StrEnum):
    """Say what a guard does in production."""

    ENFORCED = "enforced"
    REPORTED = "reported"
    """It lets everything through and tells."""
    OFF = "off"
    EXEMPT = "exempt"
    """It leaves the route alone."""
    NONE = "none"
    """The project, or this app of it, has no guard at all."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Said:
    """What a setting of the guard holds in production."""

    value: Any
    """The constant, or UNKNOWN."""
    place: Location | None = None
    """Where it is written; None where that cannot be seen."""


@dataclass(frozen=True, eq=False)
class Guarding:
    """The guards of a project."""

    project: Project

    @cached_property
    def installed(self) -> Installed:
        """Which apps are given to ``Stopper``."""
        return installed(self.project)

    def stand(self, guard: str, app: Location | None = None) -> Stand:
        """Return what a guard does for an app, or for every app where none is named."""
        given = self.installed.at(app)
        if given is False:
            return Stand.NONE
        mode = self._mode(guard)
        return Stand.UNKNOWN if given is None and mode is Stand.ENFORCED else mode

    def setting(self, name: str, default: object) -> Any:
        """Return what a setting holds in production, or UNKNOWN; ``name`` is that of the keyword."""
        said = self.said(name)
        return default if said is None else said.value

    def said(self, name: str) -> Said | None:
        """Return what gives a setting its value; None where nothing does."""
        engaged = self.installed.calls or made(self.project)
        found = [self._given(call, name) for call in engaged]
        values = [_UNSAID if one is None else one.value for one in found]
        if any(value != values[0] for value in values[1:]):
            return Said(UNKNOWN, next((one.place for one in found if one is not None), None))
        return found[0] if found else None

    def _mode(self, guard: str) -> Stand:
        """Return the mode of a guard: its own, unless the mode of all is off."""
        common = _stand(self.setting("mode", "enforce"))
        if common is Stand.OFF or guard in WITHOUT_MODE:
            return common
        default = "off" if guard == "sentry" else common
        own = self.setting(guard, default)
        return Stand.UNKNOWN if common is Stand.UNKNOWN else _stand(own)

    def _given(self, call: Call, name: str) -> Said | None:
        """Return a setting as one guarded app has it: at the call, at the constructor, in the configuration."""
        for one in (call, *made(self.project)) if call.name.endswith("init_app") else (call,):
            argument = one.argument(None, name)
            if argument is not None:
                return Said(argument.value.in_production(), argument.location)
            for options in one.spread:
                spread = options.value.in_production()
                if not isinstance(spread, dict):
                    return Said(UNKNOWN, options.location)
                if name in spread:
                    return Said(spread[name], options.location)
        return self.project.cached(("guard", name), lambda: self._configured(f"STOPPER_{name.upper()}"))

    def _configured(self, key: str) -> Said | None:
        """Return a setting as ``app.config`` has it, else as a file of environment variables has it."""
        found = list(self._places(key))
        if not found:
            return Said(UNKNOWN) if self._hidden(key) else None
        same = all(one.value == found[0].value for one in found)
        return found[0] if same else Said(UNKNOWN, found[-1].place)

    def _hidden(self, key: str) -> bool:
        """Tell whether a setting may stand in configuration that is loaded in a way which cannot be read here."""
        modules = own_modules(self.project) if self.project.settings.unreadable else ()
        return any(key in module.text.content for module in modules)

    def _places(self, key: str) -> Iterator[Said]:
        project = self.project
        every = project.settings.in_production(key)
        settings = [one for one in every if project.role(one.location.path) is Role.APP]
        for one in settings:
            yield Said(UNKNOWN if one.conditional else one.value.in_production(), one.location)
        for variable in project.settings.variable(key) if not settings else ():
            if variable.environment in {ANY, PRODUCTION}:
                yield Said(variable.value, variable.location)


def _stand(mode: object) -> Stand:
    """Return what a mode means; a word that is none stops the app as it starts, so nothing is known of it."""
    if isinstance(mode, Stand):
        return mode
    words = {"enforce": Stand.ENFORCED, "report": Stand.REPORTED, "off": Stand.OFF}
    return words.get(str(mode).lower(), Stand.UNKNOWN)


def guarding(project: Project) -> Guarding:
    """Return what is known of the guards of a project."""
    return project.cached(Guarding, lambda: Guarding(project))
