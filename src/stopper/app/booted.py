"""What a booted app told of itself, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stopper.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """Where a function of the app stands."""

    name: str
    file: str
    """Relative to the project where the file is in it, else absolute; "" when it is not known."""
    line: int
    """From 1: the first line of the function, its decorators included; 0 when it is not known."""


@dataclass(frozen=True, slots=True)
class BootedRule:
    """One rule of the ``url_map``."""

    rule: str
    methods: tuple[str, ...]
    endpoint: str
    arguments: tuple[str, ...]
    view: Place | None


@dataclass(frozen=True, slots=True)
class Hook:
    """A function that runs around requests."""

    kind: str
    """``before_request``, ``after_request`` or ``teardown_request``."""
    blueprint: str
    place: Place


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app answered to a request inside its own process."""

    method: str
    path: str
    endpoint: str
    """"" for the page that is not there, and for the method that is not allowed."""
    status: int
    """0 where the view raised."""
    headers: tuple[tuple[str, str], ...]
    body: str
    """The first 20,000 bytes."""
    error: str

    def header(self, name: str) -> str | None:
        """Return the value of a header, or None where it was not sent."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(frozen=True, slots=True)
class Booted:
    """An app as it stands after its factory has run."""

    name: str
    python: str
    flask: str
    debug: bool
    testing: bool
    config: Mapping[str, Any]
    """The final configuration; what JSON cannot hold stands as ``<module.Class>``, a timedelta as seconds."""
    rules: tuple[BootedRule, ...]
    hooks: tuple[Hook, ...]
    extensions: Mapping[str, Mapping[str, Any]]
    """By the name under which each registered: its ``class``, and the plain values it keeps as ``state``."""
    session_interface: str
    middleware: str
    """The class of what stands as ``app.wsgi_app``; ``method`` where nothing wraps it."""
    autoescape: Mapping[str, bool]
    """Whether Jinja escapes in a template of this name; ``"None"`` is a template made from a string."""
    filters: tuple[str, ...]
    answers: tuple[Answer, ...]
    stopped: tuple[str, ...] = field(default=())
    """Views that were asked and raised, with what they raised."""

    @property
    def production(self) -> bool:
        """Tell whether the app was booted as it is served: neither in debug mode nor in testing."""
        return not self.debug and not self.testing

    @property
    def guards(self) -> frozenset[str]:
        """Return the names of Stopper's own guards that stop what they see in this app."""
        gate = self.extensions.get("stopper", {})
        return frozenset(str(gate.get("state", {}).get("in_force", "")).split())

    def rule_of(self, endpoint: str) -> BootedRule | None:
        """Return the first rule of an endpoint."""
        return next((rule for rule in self.rules if rule.endpoint == endpoint), None)

    def has(self, *classes: str) -> bool:
        """Tell whether an extension of one of the classes given is on the app."""
        return any(one["class"] in classes for one in self.extensions.values())
