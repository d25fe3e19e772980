"""Say what a guard is, and keep what the guards of one app share.

A guard overrides the hooks it needs and nothing else; a hook that is not overridden costs nothing in a request.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Literal

from flask import Flask, has_request_context, request
from werkzeug.wrappers import Response

from stopper.guard import events
from stopper.guard.answers import Answer
from stopper.guard.events import Event, Throttle
from stopper.guard.refusal import Refused
from stopper.guard.route import Check, Marks, Route
from stopper.guard.settings import Common, Mode, Settings


class Place(StrEnum):
    """Say where an app is served."""

    PRODUCTION = "production"
    """Neither debug nor testing is on, or a production server serves it."""
    DEVELOPMENT = "development"
    """`app.debug` is on and no production server is known to serve it."""
    TESTING = "testing"
    """`app.testing` is on: the guards that would change what a test suite sees do not act unless `STOPPER_TESTING` is."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that production must not be served without."""

    guard: str
    """The guard that demands it."""
    message: str
    """What is wrong, in a sentence."""
    write: str
    """The exact line to write."""

    def __str__(self) -> str:
        return f"{self.message} Write: {self.write}"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one guard does for one route, as `flask stopper status` prints it."""

    column: str
    """The column: `headers`, `csp`, `limit`, `csrf`, `https`, `upload` or `auth`."""
    text: str
    """The policy in force, in a few words."""
    state: Literal["covered", "open", "exempt", "elsewhere", "report"] = "covered"
    """Whether the guard covers the route, nothing does, it was told not to, a library does it, or it only reports."""


class State:
    """Hold what the guards of one app share: its settings, where it is served, and the way to refuse."""

    def __init__(self, app: Flask, common: Common, marks: Marks) -> None:
        self.app = app
        self.common = common
        self.marks = marks
        self.place = Place.PRODUCTION
        """Where the app is served, judged when the first request comes."""
        self.settled = False
        """Whether a request came, so that `place` is known."""
        self.guards: dict[str, Guard] = {}
        """The guards that are not off, in order."""
        self.off: tuple[str, ...] = ()
        """The names of the guards that are switched off."""
        self.libraries: dict[str, Any] = {}
        """The libraries on the app that do part of a guard's work: a name such as `Flask-Limiter`, and its object."""
        self.hidden: tuple[str, ...] = ()
        """Values that no line of the log may hold."""
        self.throttle = Throttle()
        """What keeps a flood of refusals out of the log."""
        self._told: set[str] = set()
        self._lock = threading.Lock()

    @property
    def acts(self) -> bool:
        """Tell whether guards that change what a test suite sees should act: not under `app.testing` unless asked."""
        return self.place is not Place.TESTING or self.common.testing

    def refuse(
        self,
        guard: Guard,
        status: int,
        title: str,
        detail: str,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        **facts: Any,
    ) -> None:
        """Raise `Refused`, or only tell it where the guard's mode is `report`. `detail` is shown to the client."""
        action = "refused" if guard.mode is Mode.ENFORCE else "reported"
        events.emit(self.app, self.event(guard.name, action, detail, status=status, **facts))
        if guard.mode is Mode.ENFORCE:
            raise Refused(status, title, detail, headers)

    def refuse_early(
        self, guard: Guard, environ: dict[str, Any], status: int, title: str, detail: str, **facts: Any
    ) -> Response | None:
        """Return the answer that stops a request before Flask sees it; nothing where the guard's mode is `report`."""
        enforced = guard.mode is Mode.ENFORCE
        event = Event(
            guard.name,
            "refused" if enforced else "reported",
            method=environ.get("REQUEST_METHOD", ""),
            path=environ.get("PATH_INFO", ""),
            address=environ.get("REMOTE_ADDR", ""),
            detail=detail,
            facts={"status": status, **facts},
        )
        events.emit(self.app, event)
        return Refused(status, title, detail).get_response(environ) if enforced else None

    def event(self, guard: str, action: str, detail: str, **facts: Any) -> Event:
        """Return an event with what is known of the request that is served."""
        if not has_request_context():
            return Event(guard, action, detail=detail, facts=facts)
        return Event(
            guard,
            action,
            endpoint=request.endpoint or "",
            method=request.method,
            path=request.path,
            address=request.remote_addr or "",
            detail=detail,
            facts=facts,
        )

    def tell(self, guard: str, message: str, action: str = "told", **facts: Any) -> None:
        """Tell something, once however often it is said."""
        with self._lock:
            if message in self._told:
                return
            self._told.add(message)
        events.emit(self.app, self.event(guard, action, message, **facts))


class Guard:
    """Close one thing. A subclass sets the class variables and overrides the hooks it needs."""

    name: ClassVar[str]
    """The slug: `STOPPER_<NAME>` is its mode, `stopper.exempt(name)` leaves a route alone."""
    area: ClassVar[str]
    """The area of the checklist it belongs to."""
    Settings: ClassVar[type[Settings]] = Settings
    """The dataclass of its settings."""
    switch: ClassVar[bool] = True
    """Whether it has a mode of its own; a guard whose settings switch it has none."""

    def __init__(self, app: Flask, settings: Any, state: State, mode: Mode = Mode.ENFORCE) -> None:
        self.app = app
        self.settings = settings
        self.state = state
        self.mode = mode

    def start(self) -> None:
        """Prepare at start-up; raise `ConfigurationError` for what cannot be served with."""

    def demand(self) -> Iterator[Problem]:
        """Yield what production must not be served without; asked again when the first request comes."""
        yield from ()

    def settle(self, environ: dict[str, Any]) -> None:
        """Act on where the app is served (`state.place`), which is known from the first request on."""

    def arrive(self, environ: dict[str, Any]) -> Response | None:
        """Look at a request before Flask does; return an answer to stop it there."""

    def check(self, route: Route) -> Check | None:
        """Return what to run before the view, compiled once an endpoint; nothing where there is nothing to do."""

    def answer(self, route: Route) -> Callable[[Answer], None] | None:
        """Return what to run when the status and headers of an answer go out, compiled once an endpoint."""

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield what `flask stopper status` prints for a route."""
        del route
        yield from ()

    def overrides(self, hook: str) -> bool:
        """Tell whether the guard has a hook of its own."""
        return getattr(type(self), hook) is not getattr(Guard, hook)
