"""Bound what a client may send: the whole body, its form fields, and the number of its parts.

Flask has no bound on a body by itself. The app's own `MAX_CONTENT_LENGTH`, `MAX_FORM_MEMORY_SIZE` and `MAX_FORM_PARTS` win; where it has none, these
are set. A body that says by its Content-Length that it is too long is refused before anything reads it; of one that does not say how long it is,
Werkzeug reads no further than the bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask, Request

from stopper.errors import ConfigurationError
from stopper.guard.guard import Cell, Guard
from stopper.guard.route import Check, Route
from stopper.guard.settings import Mode, Settings, setting
from stopper.policy import UPLOAD_BYTES

URLENCODED: Final = "application/x-www-form-urlencoded"
"""The form that Werkzeug reads and parses in one piece, where MAX_FORM_MEMORY_SIZE does not hold."""

ENCODED: Final = 3
"""How many bytes one byte of such a form becomes at most: %xx."""


@dataclass(frozen=True)
class BodySettings(Settings):
    """The bounds on what a client may send, where the app has none of its own."""

    body_bytes: int | None = setting(UPLOAD_BYTES, least=1, example=50 * 1024 * 1024)
    """The longest body, in bytes; None for no bound."""

    body_form_bytes: int | None = setting(500_000, least=1)
    """The longest form field that is not a file, in bytes; a form without files has three times as much in all, as it is sent."""

    body_form_parts: int | None = setting(1000, least=1)
    """The most parts of a multipart form."""


class Body(Guard):
    """Refuse bodies that are too long with 413."""

    name = "body"
    area = "inputs"
    Settings = BodySettings
    settings: BodySettings

    def start(self) -> None:
        """Set the bounds, and read those of single routes, so that a wrong one is an error now."""
        self._bound()
        for pattern, said in self.state.common.routes.items():
            if self.name in said:
                bytes_of(said[self.name], f"STOPPER_ROUTES[{pattern!r}]['body']")

    def settle(self, environ: dict[str, Any]) -> None:
        """Set the bounds again where the app's configuration was loaded after the guard and has none."""
        del environ
        self._bound()

    def check(self, route: Route) -> Check | None:
        """Return what refuses a body by its stated length."""
        if not route.endpoint:
            return None
        marks = route.marked(self.name)
        own = bytes_of(marks[-1].value, f"the body bound of {route.endpoint}") if marks else None

        def check(request: Request) -> None:
            environ = request.environ
            if own is not None:
                request.max_content_length = own
            if not environ.get("CONTENT_TYPE") and not environ.get("CONTENT_LENGTH"):
                return
            most = self._most(request)
            stated = environ.get("CONTENT_LENGTH") or ""
            if most is not None and _length(stated) > most:
                self.state.refuse(
                    self, 413, "Too long", f"What you sent is longer than {most} bytes.", length=stated[:20]
                )

        return check

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield the bound of a route that takes a body."""
        if not route.methods & {"POST", "PUT", "PATCH", "DELETE"}:
            return
        marks = route.marked(self.name)
        most = (
            bytes_of(marks[-1].value, route.endpoint) if marks else self.app.config.get("MAX_CONTENT_LENGTH")
        )
        yield Cell("upload", f"{most} bytes", "covered") if most else Cell("upload", "no bound", "open")

    def _most(self, request: Request) -> int | None:
        """Return the longest body a request may have, and bind a form that Werkzeug would read in one piece."""
        most, field = request.max_content_length, request.max_form_memory_size
        if field is None or not request.environ.get("CONTENT_TYPE", "").lower().startswith(URLENCODED):
            return most
        most = ENCODED * field if most is None else min(most, ENCODED * field)
        if self.mode is Mode.ENFORCE:
            request.max_content_length = most
        return most

    def _bound(self) -> None:
        config, settings = self.app.config, self.settings
        bounds = {
            "MAX_CONTENT_LENGTH": settings.body_bytes,
            "MAX_FORM_MEMORY_SIZE": settings.body_form_bytes,
            "MAX_FORM_PARTS": settings.body_form_parts,
        }
        for key, bound in bounds.items():
            if config.get(key) == Flask.default_config.get(key):
                config[key] = bound


def bytes_of(value: object, where: str) -> int:
    """Return the bound that a decorator or a setting means, in bytes.

    Raises:
        ConfigurationError: It is no number, or not a positive one.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"{where} is {value!r}: write a number of bytes, such as {UPLOAD_BYTES}")
    return value


def _length(stated: str) -> float:
    """Return a stated length; what has more digits than Python reads is endless, and what is no number is nothing."""
    try:
        return int(stated)
    except ValueError:
        return float("inf") if stated.isdigit() else 0
