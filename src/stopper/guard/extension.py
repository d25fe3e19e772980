"""Guard a Flask app: `Stopper(app)`, or `Stopper()` and `init_app(app)` in a factory."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from flask import Flask

from stopper.errors import ConfigurationError
from stopper.guard import secrets
from stopper.guard.csp import directives as checked_directives
from stopper.guard.gate import Gate
from stopper.guard.guard import State
from stopper.guard.guards import GUARDS, NAMES
from stopper.guard.limits import By, limit_of
from stopper.guard.lockout import lockout_of
from stopper.guard.route import EXEMPT, Mark, Marks
from stopper.guard.settings import Common, Mode, Reader
from stopper.guard.uploads import upload_policy

Target = TypeVar("Target")
"""A view function, a view class, a method of one, or a blueprint."""

NAME = "stopper"
"""The key of `app.extensions` under which an app keeps its `Gate`."""


class Stopper:
    """Close what can be closed at run time, in all eight areas.

    Keywords are settings without their prefix: `Stopper(app, proxies=1)` is `app.config["STOPPER_PROXIES"] = 1`. The
    extension keeps no app: one `Stopper` may guard several, and its decorators leave nothing on the views.
    """

    def __init__(self, app: Flask | None = None, **settings: Any) -> None:
        self._settings = settings
        self._marks = Marks()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask, **settings: Any) -> None:
        """Guard an app; raise `ConfigurationError` for a setting that is wrong, and for a second guard on the same app."""
        if NAME in app.extensions:
            raise ConfigurationError(
                "this app is guarded already: remove the second Stopper(app) or init_app(app)"
            )
        told = secrets.read_env(app, {**self._settings, **settings}, os.environ)
        reader = Reader({**self._settings, **settings}, app.config, os.environ)
        common = reader.read(Common)
        self._marks.apps += 1
        state = State(app, common, self._marks)
        self._engage(app, state, reader)
        reader.refuse_unknown()
        _refuse_unknown_routes(common)
        for guard in state.guards.values():
            guard.start()
        gate = Gate(app, state)
        app.extensions[NAME] = gate
        for message in told:
            state.tell("secrets", message)
        if common.mode is not Mode.OFF:
            gate.open()

    def _engage(self, app: Flask, state: State, reader: Reader) -> None:
        """Make the guards of an app, each with its settings and its mode."""
        off = []
        for kind in GUARDS:
            settings = reader.read(kind.Settings)
            mode = reader.mode(kind.name, state.common.mode) if kind.switch else state.common.mode
            if mode is Mode.OFF or state.common.mode is Mode.OFF:
                off.append(kind.name)
            else:
                state.guards[kind.name] = kind(app, settings, state, mode)
        state.off = tuple(off)

    def exempt(self, *guards: str) -> Callable[[Target], Target]:
        """Leave a view, a method of a class-based view, or a blueprint alone: `@stopper.exempt("csrf")`."""
        _refuse_unknown_guards(guards, "stopper.exempt(...)")
        return self._mark([Mark(EXEMPT, guard) for guard in guards])

    def headers(self, **values: str | None) -> Callable[[Target], Target]:
        """Set headers of one view or blueprint: `@stopper.headers(referrer_policy="no-referrer")`; None leaves one out."""
        return self._mark([Mark("headers", values)])

    def limit(
        self,
        rate: str,
        *,
        by: By = "address",
        methods: Collection[str] | None = None,
        instead: bool = False,
        scope: str = "",
    ) -> Callable[[Target], Target]:
        """Limit a view, a method of a class-based view, or a blueprint: `@stopper.limit("5 per minute")`.

        Args:
            rate: How many in what time; several with semicolons between.
            by: What is counted by: `address`, `user` (who is signed in, else the address), or a function that returns a name.
            methods: The methods that count; all of them unless said.
            instead: Whether this replaces the default limit of the site for this view; it is added to it unless said.
            scope: A name under which several views count together.

        Raises:
            ConfigurationError: The rate is none.
        """
        limit = limit_of({"limit": rate, "by": by, "instead": instead, "scope": scope}, "stopper.limit(...)")
        about = None if methods is None else frozenset(method.upper() for method in methods)
        return self._mark([Mark("limits", limit, about)])

    def lockout(
        self, account: str = "", *, failures: str | None = None, failed: Callable[[int], bool] | None = None
    ) -> Callable[[Target], Target]:
        """Lock out who guesses at a view: `@stopper.lockout("username")`.

        Args:
            account: The form field or JSON key that holds the account; looked for where it is not said.
            failures: Failed attempts of one address on one account that lock it out, such as `3 per 30 minutes`.
            failed: Tells from the answer's status code whether an attempt failed, where the answer does not show it.

        Raises:
            ConfigurationError: The rate is none, or `failed` is no function.
        """
        said = lockout_of(
            {"account": account, "failures": failures, "failed": failed}, "stopper.lockout(...)"
        )
        return self._mark([Mark("lockout", said)])

    def upload(
        self, *kinds: str, most_bytes: int | None = None, most_files: int = 1
    ) -> Callable[[Target], Target]:
        """Say which files a view accepts, look at them before it does, and make them safe: `@stopper.upload("images", "pdf")`.

        Args:
            kinds: `images`, `documents`, `texts`, or endings such as `pdf`.
            most_bytes: The largest file, in bytes; `STOPPER_UPLOADS_BYTES` unless said. It bounds the whole body as well.
            most_files: The most files of one request.

        Raises:
            ConfigurationError: A kind is unknown, a bound is no bound, or images are accepted without Pillow.
        """
        policy = upload_policy(kinds, most_bytes, most_files, "stopper.upload(...)")
        marks = [Mark("uploads", policy)]
        if most_bytes is not None:
            marks.append(Mark("body", policy.body_bytes))
        return self._mark(marks)

    def csp(self, policy: Mapping[str, Any] | None = None, **directives: Any) -> Callable[[Target], Target]:
        """Replace directives for one view or blueprint: `@stopper.csp(img_src="'self' https://img.example")`; None leaves one out."""
        return self._mark(
            [Mark("csp", checked_directives({**(policy or {}), **directives}, "stopper.csp(...)"))]
        )

    def _mark(self, marks: Collection[Mark]) -> Callable[[Target], Target]:
        """Return a decorator that puts marks on what it decorates, and returns it as it is."""

        def put(target: Target) -> Target:
            for mark in marks:
                self._marks.put(target, mark)
            return target

        return put


def _refuse_unknown_guards(guards: Collection[str], place: str) -> None:
    """Raise `ConfigurationError` for a guard that does not exist, or for none at all."""
    unknown = [name for name in guards if name not in NAMES]
    if unknown or not guards:
        named = ", ".join(unknown) or "no guard"
        raise ConfigurationError(f"{place} names {named}: write one or more of {', '.join(NAMES)}")


def _refuse_unknown_routes(common: Common) -> None:
    """Raise `ConfigurationError` where STOPPER_ROUTES names a guard that does not exist."""
    for pattern, said in common.routes.items():
        place = f"STOPPER_ROUTES[{pattern!r}]"
        if not isinstance(said, dict):
            raise ConfigurationError(
                f"{place} is {said!r}: write a dictionary, such as {{'exempt': ['csrf']}}"
            )
        _refuse_unknown_guards([name for name in said if name != EXEMPT] or list(NAMES[:1]), place)
        exempt = said.get(EXEMPT, NAMES[:1])
        _refuse_unknown_guards([exempt] if isinstance(exempt, str) else exempt, f"{place}['exempt']")
