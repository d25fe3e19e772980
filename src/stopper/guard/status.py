"""Say for every route which policy is in force and what covers it, and for the app what holds for all of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask

from stopper.errors import ConfigurationError
from stopper.guard import nonce
from stopper.guard.gate import Gate
from stopper.guard.guard import Cell
from stopper.guard.route import Route, unwrapped
from stopper.policy import SAFE_METHODS

COLUMNS: Final = ("headers", "csp", "https", "limit", "csrf", "upload", "auth")
"""What is said of each route; every other cell is said once, for the app."""

UNSAFE_ONLY: Final = frozenset(("csrf", "upload"))
"""Columns that say something only of routes which change something."""

WEIGHT: Final = {"covered": 0, "elsewhere": 1, "report": 2, "exempt": 3, "open": 4}
"""Which of several cells of a column decides: the best one."""

ASKED: Final = re.compile(
    r"login_required|auth|jwt_required|token_required|requires?_|_required|permission|role|ensure_|logged_in|admin",
    re.IGNORECASE,
)
"""Names of functions that ask who a user is."""

LOADS: Final = re.compile(r"^load_|^set_|^get_|^add_", re.IGNORECASE)
"""Names of functions that only find out who a user is."""


@dataclass(frozen=True, slots=True)
class Line:
    """One route with what covers it."""

    endpoint: str
    """Its endpoint; empty for what no route serves."""
    methods: tuple[str, ...]
    """The methods it takes, without HEAD and OPTIONS."""
    rules: tuple[str, ...]
    """Its URL rules."""
    cells: dict[str, Cell]
    """What is said of it, by column."""

    @property
    def gaps(self) -> tuple[str, ...]:
        """Return the columns in which nothing covers the route."""
        return tuple(name for name, cell in self.cells.items() if cell.state == "open" and name != "auth")


@dataclass(frozen=True, slots=True)
class Status:
    """What holds for an app."""

    place: str
    """Where it would be served as it is configured now."""
    mode: str
    """The mode of all guards."""
    app: tuple[Cell, ...]
    """What holds for all of it."""
    lines: tuple[Line, ...]
    """Its routes, in the order of their rules."""
    off: tuple[str, ...]
    """The guards that are switched off."""
    problems: tuple[str, ...]
    """What production is not served without."""
    unreached: tuple[tuple[str, int, str], ...]
    """What a nonce cannot reach: template, line, attribute."""

    @property
    def gaps(self) -> int:
        """Return the number of routes that something is missing for."""
        return sum(1 for line in self.lines if line.gaps)


def status(app: Flask) -> Status:
    """Return what holds for an app; raise `ConfigurationError` where no guard is on it."""
    gate = app.extensions.get("stopper")
    if not isinstance(gate, Gate):
        raise ConfigurationError(
            "this app has no guard: write Stopper(app), or stopper.init_app(app) in its factory"
        )
    if not gate.state.settled:
        gate.settle({})
    state = gate.state
    lines = [
        _line(app, gate, route) for endpoint, route in gate.routes.items() if endpoint is None or route.rules
    ]
    lines.sort(key=lambda line: (not line.endpoint, line.rules, line.endpoint))
    return Status(
        str(state.place),
        str(state.common.mode),
        tuple(_of_app(gate)),
        tuple(lines),
        state.off,
        tuple(str(problem) for problem in gate.demanded(debug=bool(app.debug))),
        tuple(nonce.unreached(app.jinja_env)) if "csp" in state.guards and app.jinja_env.loader else (),
    )


def _line(app: Flask, gate: Gate, route: Route) -> Line:
    """Return one route with the cell of each column."""
    changes = bool(route.methods - SAFE_METHODS)
    said: dict[str, list[Cell]] = {}
    for guard in gate.state.guards.values():
        exempt = route.exempt(guard.name)
        for cell in guard.covers(route):
            told = Cell(cell.column, "exempt", "exempt") if exempt else cell
            said.setdefault(cell.column, []).append(told)
    cells = {}
    for column in COLUMNS:
        if column in UNSAFE_ONLY and not changes:
            continue
        cells[column] = _asks(app, route) if column == "auth" else _best(column, said.get(column, ()))
    methods = tuple(sorted(route.methods - {"HEAD", "OPTIONS"}))
    return Line(route.endpoint, methods, tuple(sorted(route.rules)), cells)


def _best(column: str, cells: Iterable[Cell]) -> Cell:
    """Return one cell for all that is said in a column."""
    ordered = sorted(cells, key=lambda cell: WEIGHT[cell.state])
    if not ordered:
        return Cell(column, "nothing", "open")
    same = [cell.text for cell in ordered if WEIGHT[cell.state] <= WEIGHT["elsewhere"]] or [ordered[0].text]
    return Cell(column, ", ".join(dict.fromkeys(same)), ordered[0].state)


def _of_app(gate: Gate) -> Iterator[Cell]:
    """Yield what holds for all of an app, each thing once."""
    route = gate.routes[None]
    for guard in gate.state.guards.values():
        yield from (cell for cell in guard.covers(route) if cell.column not in COLUMNS)
    for name in gate.state.libraries:
        yield Cell("library", name, "elsewhere")


def _asks(app: Flask, route: Route) -> Cell:
    """Return what asks who the user is: a decorator, or a hook of the app or of the blueprint. None is no gap: pages may be public."""
    names = list(_decorators(route))
    for scope in (None, *route.blueprints):
        names += [_name(hook) for hook in app.before_request_funcs.get(scope, ())]
    asking = [name for name in names if ASKED.search(name) and not LOADS.search(name)]
    return Cell("auth", ", ".join(dict.fromkeys(asking)) or "nobody", "covered" if asking else "open")


def _decorators(route: Route) -> Iterator[str]:
    """Yield the names of the decorators around a view, as their code tells them."""
    views = [route.view, *getattr(getattr(route.view, "view_class", None), "decorators", ())]
    for view in views:
        for layer in unwrapped(view) if view is not None else ():
            code = getattr(layer, "__code__", None)
            name = getattr(code, "co_qualname", "")
            if "<locals>" in name:
                yield name.partition(".<locals>")[0].rpartition(".")[2]
            elif layer is not route.view:
                yield getattr(layer, "__name__", "")


def _name(hook: Any) -> str:
    """Return a hook's name."""
    return str(getattr(hook, "__name__", type(hook).__name__))


def document(found: Status) -> dict[str, Any]:
    """Return a status as plain data for JSON: a public form with a version."""
    return {
        "schema": "stopper-status/1",
        "place": found.place,
        "mode": found.mode,
        "off": list(found.off),
        "problems": list(found.problems),
        "app": [{"what": cell.column, "text": cell.text, "state": cell.state} for cell in found.app],
        "routes": [
            {
                "endpoint": line.endpoint,
                "methods": list(line.methods),
                "rules": list(line.rules),
                "gaps": list(line.gaps),
                "cells": {
                    name: {"text": cell.text, "state": cell.state} for name, cell in line.cells.items()
                },
            }
            for line in found.lines
        ],
        "unreached": [{"template": one[0], "line": one[1], "attribute": one[2]} for one in found.unreached],
    }
