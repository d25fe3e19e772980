"""Know an endpoint as the guards see it: its rules, methods and view, and the marks that decorators left on it.

Decorators leave nothing on the view itself: two apps may share a view. A mark is kept by the `Stopper` that made it, under the
object it was put on, and is found again when a route is compiled: through `functools.wraps`, `functools.partial`, bound methods,
closures of decorators that forgot `wraps`, class-based views with their methods, and blueprints.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final
from weakref import WeakKeyDictionary

from flask import Flask, Request
from werkzeug.routing import Rule

EXEMPT: Final = "exempt"
"""The name under which a mark says which guard leaves a route alone; its value is the guard's name."""

Check = Callable[[Request], None]
"""What a guard runs before the view; it raises `Refused` to stop the request."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Hold what one decorator, or one entry of `STOPPER_ROUTES`, says of a route."""

    guard: str
    """The guard it is for, or `exempt`."""

    value: Any
    """What it says, in the guard's own words."""

    methods: frozenset[str] | None = None
    """The methods it is about; nothing for all of them."""


class Marks:
    """Keep the marks of one `Stopper`, under the objects they were put on."""

    def __init__(self) -> None:
        self._by_target: WeakKeyDictionary[Any, list[Mark]] = WeakKeyDictionary()
        self._reached: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()
        self.apps = 0
        """How many apps share the marks."""

    def put(self, target: Any, mark: Mark) -> None:
        """Keep a mark on a view function, a view class or a blueprint."""
        self._by_target.setdefault(target, []).append(mark)

    def on(self, target: Any) -> tuple[Mark, ...]:
        """Return the marks on one object, the one put on last (the outermost decorator) last."""
        try:
            found = self._by_target.get(target)
        except TypeError:  # what cannot be hashed, or weakly referenced, was never marked
            return ()
        if not found:
            return ()
        self._reached[target] = True
        return tuple(found)

    def lost(self) -> list[str]:
        """Return the names of marked objects that no route led to; none where they may be another app's."""
        if self.apps > 1:
            return []
        return sorted(_named(one) for one in self._by_target if one not in self._reached)


class Route:
    """One endpoint, compiled for one app; the endpoint is empty for what no rule matches (404 and 405)."""

    __slots__ = ("answers", "blueprints", "checks", "endpoint", "marks", "methods", "rules", "view")

    def __init__(
        self,
        endpoint: str = "",
        *,
        rules: tuple[str, ...] = (),
        methods: frozenset[str] = frozenset(),
        view: Callable[..., Any] | None = None,
        blueprints: tuple[str, ...] = (),
        marks: tuple[Mark, ...] = (),
    ) -> None:
        self.endpoint = endpoint
        self.rules = rules
        self.methods = methods
        self.view = view
        self.blueprints = blueprints
        self.marks = marks
        self.checks: tuple[Check, ...] = ()
        self.answers: tuple[Callable[[Any], None], ...] = ()

    def marked(self, guard: str) -> tuple[Mark, ...]:
        """Return the marks for one guard, from the most general to the most particular."""
        return tuple(mark for mark in self.marks if mark.guard == guard)

    def exempt(self, guard: str) -> bool:
        """Tell whether a guard leaves the whole route alone."""
        return any(mark.value == guard and mark.methods is None for mark in self.marked(EXEMPT))

    def exempt_methods(self, guard: str) -> frozenset[str]:
        """Return the methods for which a guard leaves the route alone."""
        marks = [mark for mark in self.marked(EXEMPT) if mark.value == guard]
        return frozenset().union(*(mark.methods for mark in marks if mark.methods is not None))

    @property
    def is_static(self) -> bool:
        """Tell whether the route serves the static files of Flask or of a blueprint."""
        return self.endpoint == "static" or self.endpoint.endswith(".static")

    def __repr__(self) -> str:
        return f"<Route {self.endpoint or '(none)'} {' '.join(self.rules)}>"


def compile_route(
    app: Flask, endpoint: str, marks: Marks, patterns: Mapping[str, Mapping[str, Any]]
) -> Route:
    """Return an endpoint of an app with everything that was said about it."""
    found = _rules(app, endpoint)
    rules = tuple(rule.rule for rule in found)
    methods = frozenset().union(*(rule.methods or () for rule in found))
    view = app.view_functions.get(endpoint)
    blueprints = tuple(_blueprints(app, endpoint))
    said = [*_by_pattern(endpoint, rules, patterns)]
    for name in blueprints:
        said += marks.on(app.blueprints[name])
    if view is not None:
        said += _on_view(view, methods, marks)
    return Route(endpoint, rules=rules, methods=methods, view=view, blueprints=blueprints, marks=tuple(said))


def _rules(app: Flask, endpoint: str) -> list[Rule]:
    """Return the rules of an endpoint; none for a view that no rule leads to."""
    try:
        return list(app.url_map.iter_rules(endpoint))
    except KeyError:
        return []


def _blueprints(app: Flask, endpoint: str) -> Iterator[str]:
    """Yield the names of the blueprints an endpoint belongs to, the outermost first."""
    parts = endpoint.split(".")[:-1]
    for end in range(1, len(parts) + 1):
        name = ".".join(parts[:end])
        if name in app.blueprints:
            yield name


def _by_pattern(
    endpoint: str, rules: tuple[str, ...], patterns: Mapping[str, Mapping[str, Any]]
) -> Iterator[Mark]:
    """Yield what `STOPPER_ROUTES` says of an endpoint."""
    for pattern, said in patterns.items():
        names = rules if pattern.startswith("/") else (endpoint,)
        if not any(fnmatchcase(name, pattern) for name in names):
            continue
        for guard, value in said.items():
            if guard != EXEMPT:
                yield Mark(guard, value)
                continue
            yield from (Mark(EXEMPT, one) for one in ([value] if isinstance(value, str) else value))


def _on_view(view: Callable[..., Any], methods: frozenset[str], marks: Marks) -> Iterator[Mark]:
    """Yield the marks on a view and on all that it wraps, the innermost first."""
    layers = list(unwrapped(view))
    classes = [kind for one in layers if isinstance(kind := getattr(one, "view_class", None), type)]
    for kind in dict.fromkeys(classes):
        yield from (mark for base in reversed(kind.__mro__) for mark in marks.on(base))
        yield from _on_methods(kind, methods, marks)
    for layer in reversed(layers):
        yield from marks.on(layer)


def _on_methods(kind: type, methods: frozenset[str], marks: Marks) -> Iterator[Mark]:
    """Yield the marks on the methods of a class-based view, each for its HTTP method alone."""
    for name in ("dispatch_request", *sorted(method.lower() for method in methods)):
        function = getattr(kind, name, None)
        if function is None:
            continue
        served = {"GET", "HEAD"} if name == "get" and not hasattr(kind, "head") else {name.upper()}
        for layer in unwrapped(function):
            for mark in marks.on(layer):
                about = mark.methods if name == "dispatch_request" else frozenset(served)
                yield Mark(mark.guard, mark.value, about)


def unwrapped(view: Any) -> Iterator[Any]:
    """Yield a view and each callable inside it, the outermost first."""
    todo: list[Any] = [view]
    seen: set[int] = set()
    while todo:
        one = todo.pop(0)
        if id(one) in seen or len(seen) > 50:
            continue
        seen.add(id(one))
        yield one
        todo += _inside(one)


def _inside(one: Any) -> list[Any]:
    """Return the callables that a callable runs, as far as they show."""
    if isinstance(one, functools.partial):
        return [one.func]
    if isinstance(one, types.MethodType):
        return [one.__func__]
    wrapped = getattr(one, "__wrapped__", None)
    if wrapped is not None:
        return [wrapped]
    cells = getattr(one, "__closure__", None) or ()
    return [content for cell in cells if isinstance(content := _content(cell), types.FunctionType)]


def _content(cell: types.CellType) -> Any:
    """Return what a closure holds, or nothing where it was never set."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _named(target: Any) -> str:
    """Return the name by which a developer knows a view or a blueprint."""
    module = getattr(target, "__module__", "") or getattr(target, "import_name", "")
    return f"{module}.{getattr(target, '__qualname__', None) or getattr(target, 'name', target)}"
