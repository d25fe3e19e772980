"""What is known of one setting, one start command, one reverse proxy; and which environment a name speaks of."""

from __future__ import annotations

import re
from typing import Any

from stopper.finding import Location
from stopper.records import dataclass
from stopper.source.branches import ANY, DEVELOPMENT, PRODUCTION, TESTING
from stopper.source.code import Expr
from stopper.source.values import State, Value

_TEST = re.compile(r"(?:^|[^a-z])(?:unit|integration)?(?:tests?|testing|ci|e2e|pytest)(?:[^a-z]|$)")
_DEVELOPMENT = re.compile(
    r"(?:^|[^a-z])(?:dev|develop|development|local|localhost|debug|debugging|example|sample|dist|template)(?:[^a-z]|$)"
)
_PRODUCTION = re.compile(r"(?:^|[^a-z])(?:prod|production|live|staging|stage|heroku|deploy)(?:[^a-z]|$)")


def environment_of(name: str) -> str:
    """Return the environment that a class, dict key or file is for, by the words of its name."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()
    if _PRODUCTION.search(spaced):
        return PRODUCTION
    if _TEST.search(spaced):
        return TESTING
    return DEVELOPMENT if _DEVELOPMENT.search(spaced) else ANY


def is_for_production(path: str) -> bool:
    """Tell whether neither a file's name nor that of a folder above it says that it is for development or tests."""
    return not any(environment_of(part) in (DEVELOPMENT, TESTING) for part in path.split("/"))


@dataclass(frozen=True, slots=True)
class Setting:
    """One place that gives a setting a value."""

    key: str
    """Flask's own name: ``SECRET_KEY`` also for ``app.secret_key``."""
    value: Value
    location: Location
    environment: str
    """``production``, ``development``, ``testing`` or ``any``."""
    how: str
    """``app.config[]``, ``update``, ``from_mapping``, ``from_object``, ``attribute``, ``.env`` ..."""
    module: str
    """The path of the file that holds it."""
    expr: Expr | None = None
    """The expression that gives the value; ``None`` outside Python."""
    order: tuple[str, str, int] = ("", "", 0)
    """File, function and line that load it: within one function later lines override earlier ones."""
    conditional: bool = False
    """It stands in a branch whose test is not about the environment."""


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable that a file of the project sets."""

    name: str
    value: str
    location: Location
    environment: str
    how: str
    """``.env``, ``Dockerfile``, ``compose``, ``systemd`` ..."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command that starts the app."""

    program: str
    """``gunicorn``, ``uwsgi``, ``flask``, ``waitress-serve``, ``hypercorn``, ``uvicorn`` or ``python``."""
    argv: tuple[str, ...]
    location: Location
    environment: str
    how: str
    """The kind of file: ``Procfile``, ``Dockerfile``, ``compose``, ``gunicorn.conf.py`` ..."""
    workers: int | None = None
    bind: str = ""

    def option(self, *names: str) -> str | None:
        """Return the value of an option, "" for a bare flag, ``None`` when it is not given."""
        for index, word in enumerate(self.argv):
            name, equals, value = word.partition("=")
            if name in names:
                following = self.argv[index + 1] if index + 1 < len(self.argv) else ""
                return value if equals else "" if following.startswith("-") else following
        return None


@dataclass(frozen=True, slots=True)
class ProxyFile:
    """A configuration of a web server in front of the app."""

    path: str
    kind: str
    """``nginx``, ``caddy``, ``apache`` or ``traefik``."""
    headers: tuple[tuple[str, str, Location], ...]
    """Headers it adds to answers: name, value, place."""
    forwarded: tuple[tuple[str, str, Location], ...] = ()
    """Headers it sets on the request to the app: name, value, place."""
    server_names: tuple[str, ...] = ()
    redirects_to_https: bool = False
    listens_tls: bool = False


def constant(value: Any) -> Value:
    """Return a constant as a value."""
    return Value(State.CONSTANT, value)
