"""Read the guard's settings: keyword, then `app.config`, then the environment; a wrong one is an error that says what to write.

A guard declares its settings as a frozen dataclass that inherits from `Settings`. A field `proxies` is the keyword `proxies` of
`Stopper(...)` and the key `STOPPER_PROXIES` of `app.config` and of the environment.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from stopper.errors import ConfigurationError
from stopper.policy import ACME_PREFIX

PREFIX: Final = "STOPPER_"
"""What every key of the guard begins with in `app.config` and in the environment."""

ELSEWHERE: Final = frozenset(("STOPPER_CACHE_DIR",))
"""Keys of the environment that belong to the command line and not to the guard."""

YES: Final = frozenset(("1", "true", "yes", "on"))
NO: Final = frozenset(("0", "false", "no", "off"))


class Mode(StrEnum):
    """Say what a guard does with what it would stop."""

    ENFORCE = "enforce"
    """Stop it."""
    REPORT = "report"
    """Let it through and tell it as an event."""
    OFF = "off"
    """Do not look."""


def setting(
    default: Any,
    *,
    least: float | None = None,
    most: float | None = None,
    check: Callable[[Any], str | None] | None = None,
    example: object = None,
) -> Any:
    """Return a field with its bounds (inclusive), a check that returns what is wrong with a value, and a right example."""
    metadata = {"least": least, "most": most, "check": check, "example": example}
    if isinstance(default, dict | list | set):
        return dataclasses.field(default_factory=lambda: default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Settings:
    """Hold no setting: a guard without settings of its own uses it as it is."""


@dataclasses.dataclass(frozen=True)
class Common(Settings):
    """Hold the settings that are no single guard's."""

    mode: Mode = Mode.ENFORCE
    """What every guard does with what it would stop: `enforce`, `report` or `off`. One guard alone: `STOPPER_<GUARD>`."""

    testing: bool = False
    """Whether the guards that change what a test suite sees (HTTPS redirect, trusted hosts, limits) act under `app.testing` too."""

    routes: Mapping[str, Mapping[str, Any]] = setting({}, example={"/api/*": {"exempt": ["csrf"]}})
    """Policies by route. A pattern with a leading slash is matched with the URL rule, any other with the endpoint (`admin.*`);
    the value maps a guard to what its decorator takes, and `exempt` to a list of guards."""

    probes: tuple[str, ...] = ("/health", "/healthz", "/livez", "/readyz", "/ping", f"{ACME_PREFIX}*")
    """Paths that machines ask over plain HTTP and by address: not redirected to HTTPS, and not refused for their host."""


T = TypeVar("T", bound=Settings)


class Reader:
    """Read settings from the three places, and know which keys were never asked for."""

    def __init__(
        self, keywords: Mapping[str, Any], config: Mapping[str, Any], environ: Mapping[str, str]
    ) -> None:
        self._keywords = keywords
        self._config = config
        self._environ = environ
        self._known: set[str] = set()

    def read(self, kind: type[T]) -> T:
        """Return the settings of one guard; raise `ConfigurationError` for a value that is wrong."""
        hints = _hints(kind)
        values = {}
        for field in dataclasses.fields(kind):
            found = self._find(field.name)
            if found is not None:
                values[field.name] = _checked(field, hints[field.name], *found)
        return kind(**values)

    def mode(self, guard: str, default: Mode) -> Mode:
        """Return the mode of one guard, which is the mode of all unless `STOPPER_<GUARD>` says otherwise."""
        found = self._find(guard)
        return default if found is None else typing.cast("Mode", _typed(Mode, *found))

    def refuse_unknown(self) -> None:
        """Raise `ConfigurationError` for a keyword or a key that no guard has."""
        for name in self._keywords:
            if name not in self._known:
                raise ConfigurationError(f"Stopper(...) has no setting {name!r}{self._meant(name)}")
        for key in self._config:
            name = key.removeprefix(PREFIX).lower()
            if key.startswith(PREFIX) and name not in self._known and key not in ELSEWHERE:
                raise ConfigurationError(f"{key} is no setting of Stopper{self._meant(name, PREFIX)}")

    def _find(self, name: str) -> tuple[Any, str] | None:
        """Return a setting's value and where it was found, or nothing."""
        self._known.add(name)
        key = PREFIX + name.upper()
        if name in self._keywords:
            return self._keywords[name], f"Stopper({name}=...)"
        if key in self._config:
            return self._config[key], f'app.config["{key}"]'
        if self._environ.get(key):
            return self._environ[key], f"{key} in the environment"
        return None

    def _meant(self, name: str, prefix: str = "") -> str:
        """Return the end of the message about an unknown name: the nearest name there is."""
        near = difflib.get_close_matches(name, sorted(self._known), n=1)
        if not near:
            return "; the documentation lists them all"
        return f"; did you mean {prefix + (near[0].upper() if prefix else near[0])!r}?"


def snapshot(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings in `app.config` that are the guard's, as they are now."""
    return {key: value for key, value in config.items() if key.startswith(PREFIX)}


def _hints(kind: type[Settings]) -> dict[str, Any]:
    """Return the types of a dataclass's fields."""
    return typing.get_type_hints(kind)


def _checked(field: dataclasses.Field[Any], hint: Any, value: Any, place: str) -> Any:
    """Return a value as its type and inside its bounds."""
    typed = _typed(hint, value, place, field.metadata.get("example"))
    low, high = field.metadata.get("least"), field.metadata.get("most")
    if isinstance(typed, int | float) and not isinstance(typed, bool):
        inside = (low is None or typed >= low) and (high is None or typed <= high)
        if not inside:
            raise ConfigurationError(f"{place} is {typed}: write {_range(low, high)}")
    check = field.metadata.get("check")
    wrong = check(typed) if check is not None and typed is not None else None
    if wrong is not None:
        raise ConfigurationError(f"{place}: {wrong}")
    return typed


def _range(low: float | None, high: float | None) -> str:
    """Return the bounds of a number in words."""
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"a number from {low} to {high}"


def _typed(hint: Any, value: Any, place: str, example: object = None) -> Any:
    """Return a value as its declared type; text is read where a number or a list is due."""
    for one in _alternatives(hint):
        try:
            return _convert(one, value)
        except (ValueError, TypeError):
            continue
    shown = "" if example is None else f", such as {example!r}"
    raise ConfigurationError(
        f"{place} is {value!r}: write {' or '.join(_words(one) for one in _alternatives(hint))}{shown}"
    )


def _alternatives(hint: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the type alone."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return typing.get_args(hint)
    return (hint,)


def _convert(hint: Any, value: Any) -> Any:
    """Return a value as one plain type; raise ValueError or TypeError where it is not."""
    origin = typing.get_origin(hint) or hint
    if hint is Any or hint is object:
        return value
    if origin is typing.Literal:
        return _one_of(typing.get_args(hint), value)
    if isinstance(origin, type) and issubclass(origin, StrEnum):
        return origin(str(value).lower())
    if origin in {tuple, frozenset}:
        return origin(_convert(typing.get_args(hint)[0], one) for one in _listed(value))
    if origin is Mapping:
        return _mapping(value)
    if origin is Callable:
        return value if callable(value) else _fail()
    return _scalar(origin, value)


def _scalar(kind: type, value: Any) -> Any:
    """Return a boolean, number or text."""
    if kind is types.NoneType:
        return None if value is None else _fail()
    if kind is bool:
        return value if isinstance(value, bool) else _boolean(value)
    if isinstance(value, bool):
        raise TypeError
    if kind is int and isinstance(value, int | str):
        return int(value)
    if kind is float and isinstance(value, int | float | str):
        return float(value)
    return value if isinstance(value, kind) else _fail()


def _fail() -> Any:
    """Raise TypeError: a function, so that it can stand in an expression."""
    raise TypeError


def _boolean(value: Any) -> bool:
    """Return what a word says, as in the environment."""
    word = str(value).lower() if isinstance(value, str) else ""
    if word in YES | NO:
        return word in YES
    raise ValueError


def _one_of(choices: tuple[Any, ...], value: Any) -> Any:
    """Return a value that is one of those allowed."""
    return value if value in choices else _fail()


def _listed(value: Any) -> Iterable[Any]:
    """Return the items of a list, or those of a text with commas between."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value if isinstance(value, list | tuple | set | frozenset) else _fail()


def _mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping with text as keys; JSON is read, as `Flask.config.from_prefixed_env` does."""
    read = json.loads(value) if isinstance(value, str) else value
    if not isinstance(read, Mapping) or not all(isinstance(key, str) for key in read):
        raise TypeError
    return read


def _words(hint: Any) -> str:
    """Return a type as a reader of an error message would say it."""
    origin = typing.get_origin(hint) or hint
    if origin is typing.Literal:
        return " or ".join(repr(one) for one in typing.get_args(hint))
    if isinstance(origin, type) and issubclass(origin, StrEnum):
        return " or ".join(repr(str(one)) for one in origin)
    names = {
        bool: "True or False",
        int: "a whole number",
        float: "a number",
        str: "text",
        types.NoneType: "None",
    }
    names |= {tuple: "a list of texts", frozenset: "a list of texts", Mapping: "a dictionary"}
    return names.get(origin, "a function" if origin is Callable else str(origin))
