"""Stand at the two doors of an app: around its WSGI function, and before every view."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final

from flask import Flask
from flask.globals import request_ctx
from werkzeug.wrappers import Response

from stopper.errors import ConfigurationError
from stopper.guard import events
from stopper.guard.answers import Answer
from stopper.guard.guard import Guard, Place, Problem, State
from stopper.guard.refusal import Refused
from stopper.guard.route import Check, Route, compile_route
from stopper.guard.settings import Mode, snapshot

SERVERS: Final = ("gunicorn", "waitress", "mod_wsgi", "uwsgi", "gevent", "cheroot", "hypercorn", "granian")
"""What the SERVER_SOFTWARE of servers made for production begins with, in lower case."""

UNSERVED: Final = "This app is not served: its log says why, and what to write."


class Gate:
    """Run the guards of one app: compiled once an endpoint, so that a request runs two short tuples."""

    def __init__(self, app: Flask, state: State) -> None:
        self.app = app
        self.state = state
        self.inner: Callable[..., Iterable[bytes]] = app.wsgi_app
        self.key = f"stopper.route.{id(state)}"
        """Where in the environment the route of a request is kept; guarded apps may be mounted in each other."""
        self.routes: dict[str | None, Route] = {}
        self.in_force = " ".join(name for name, one in state.guards.items() if one.mode is Mode.ENFORCE)
        """The names of the guards that stop what they see, with blanks between: plain, for whoever looks at the app from outside."""
        self.problems: tuple[Problem, ...] = ()
        """What production must not be served without, as found when the place was settled."""
        self._blocked = False
        self._read = snapshot(app.config)
        self._arrivals: tuple[Callable[[dict[str, Any]], Response | None], ...] = ()
        self._judged: tuple[Any, Any] = (None, None)
        self._lock = threading.Lock()

    def open(self) -> None:
        """Put the gate at both doors; refuse to load at once what a production server may not serve."""
        self._arrivals = tuple(one.arrive for one in self.state.guards.values() if one.overrides("arrive"))
        self.app.before_request_funcs.setdefault(None, []).insert(0, self.check)
        self.app.wsgi_app = self  # type: ignore[method-assign]
        if loaded_by_server() and not self.app.testing:
            problems = self.demanded(debug=self.app.debug)
            if problems:
                raise ConfigurationError("; ".join(map(str, problems)))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request: arrivals, the app, and the answers' guards when its headers go out."""
        config = self.app.config
        judged = self._judged
        if config["TESTING"] is not judged[0] or config["DEBUG"] is not judged[1]:
            self.settle(environ)
        key = self.key

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            headers = list(headers)
            answer = Answer(environ, int(status.partition(" ")[0]), headers)
            for hook in environ.get(key, nowhere).answers:
                hook(answer)
            return (
                start_response(status, headers)
                if exc_info is None
                else start_response(status, headers, exc_info)
            )

        nowhere = self.routes[None]
        if self._blocked:
            return Refused(503, "Not served", UNSERVED).get_response(environ)(environ, start)
        for arrive in self._arrivals:
            response = arrive(environ)
            if response is not None:
                return response(environ, start)
        return self.inner(environ, start)

    def check(self) -> None:
        """Run the checks of the route that a request goes to; Flask calls this first of all, for 404 and 405 too."""
        request = request_ctx.request
        rule = request.url_rule
        endpoint = None if rule is None else rule.endpoint
        route = self.routes.get(endpoint)
        if route is None and not self.state.settled:
            # Called without the WSGI function, as `test_request_context` does.
            self.settle(request.environ)
            route = self.routes.get(endpoint)
        if route is None:  # registered after the first request
            route = self.routes[endpoint] = self._compiled(endpoint)
        request.environ[self.key] = route
        for check in route.checks:
            check(request)

    def settle(self, environ: dict[str, Any]) -> None:
        """Judge where the app is served, and compile its routes for that place."""
        config = self.app.config
        with self._lock:
            if self._judged == (config["TESTING"], config["DEBUG"]):
                return  # another thread was here first
            self.state.place = self._place(environ)
            self.state.settled = True
            for guard in self.state.guards.values():
                guard.settle(environ)
            self.problems = tuple(self.demanded(debug=bool(config["DEBUG"])))
            self._blocked = self.state.place is Place.PRODUCTION and bool(self.problems)
            for problem in self.problems:
                self._tell(problem)
            self.routes = {
                endpoint: self._compiled(endpoint) for endpoint in (None, *self.app.view_functions)
            }
            self._tell_lost()
            self._judged = (config["TESTING"], config["DEBUG"])

    def _compiled(self, endpoint: str | None) -> Route:
        """Return a route with the checks and the answers' guards that it needs."""
        route = compile_route(self.app, endpoint or "", self.state.marks, self.state.common.routes)
        guards = [one for one in self.state.guards.values() if not route.exempt(one.name)]
        checks = [_spared(one, route, one.check(route)) for one in guards if one.overrides("check")]
        answers = [one.answer(route) for one in guards if one.overrides("answer")]
        route.checks = tuple(check for check in checks if check is not None)
        route.answers = tuple(hook for hook in answers if hook is not None)
        return route

    def demanded(self, *, debug: bool) -> list[Problem]:
        """Return what production must not be served without."""
        problems = [problem for guard in self.state.guards.values() for problem in guard.demand()]
        if debug and (loaded_by_server() or self.state.place is Place.PRODUCTION):
            told = "Debug mode shows the source and runs code for whoever asks."
            problems.insert(0, Problem("secrets", told, 'app.config["DEBUG"] = False, and unset FLASK_DEBUG'))
        return problems

    def _place(self, environ: dict[str, Any]) -> Place:
        """Return where the app is served, by its own flags and by the server."""
        if self.app.config["TESTING"]:
            return Place.TESTING
        server = str(environ.get("SERVER_SOFTWARE", "")).lower()
        made_for_it = (
            server.startswith(SERVERS) or "uwsgi.version" in environ or "mod_wsgi.version" in environ
        )
        return Place.DEVELOPMENT if self.app.config["DEBUG"] and not made_for_it else Place.PRODUCTION

    def _tell(self, problem: Problem) -> None:
        """Write a problem to the log: as an error where it stops the app, else once as a warning."""
        if self._blocked:
            events.logger.error("not served: %s", events.without_secrets(self.app, str(problem)))
        elif self.state.place is Place.DEVELOPMENT:
            self.state.tell(problem.guard, f"In production this app is not served: {problem}")

    def _tell_lost(self) -> None:
        """Tell of what is written and does not hold: settings that came too late, and marks that no route leads to."""
        now = snapshot(self.app.config)
        for key in sorted(now):
            if now[key] != self._read.get(key, self._read):
                self.state.tell(
                    "stopper",
                    f"{key} was set after Stopper(app) had read it, and does not hold: set it before.",
                )
        for name in self.state.marks.lost():
            self.state.tell("stopper", f"What was put on {name} reaches no route: it is no view of this app.")


def loaded_by_server() -> bool:
    """Tell whether a server made for production is loading the app: no request is needed to know."""
    software = os.environ.get("SERVER_SOFTWARE", "").lower()
    return software.startswith(SERVERS) or "uwsgi" in sys.modules or "mod_wsgi" in sys.modules


def _spared(guard: Guard, route: Route, check: Check | None) -> Check | None:
    """Return a check that leaves the methods alone for which the guard is exempt."""
    spared = route.exempt_methods(guard.name)
    if check is None or not spared:
        return check

    def checked(request: Any) -> None:
        if request.method not in spared:
            check(request)

    return checked
