"""Read `.env` as it was meant, and refuse to serve in production with a key that others know or can guess.

python-dotenv's parser reads the file. Told is what it passes over in silence: a line it cannot read, an unquoted value that a ` #` cuts
short, an empty variable that would beat the file, a file that others may read or write.
"""

from __future__ import annotations

import io
import math
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Final

from dotenv.parser import parse_stream
from flask import Flask

from stopper.errors import ConfigurationError
from stopper.guard.guard import Cell, Guard, Problem
from stopper.guard.route import Route
from stopper.guard.settings import Settings
from stopper.policy import KEY_BYTES, PUBLISHED_KEYS

MAKE: Final = "SECRET_KEY=$(python -c 'import secrets; print(secrets.token_hex(32))')"
"""How to make a key: in the environment, never in the code."""

BITS: Final = 48.0
"""The least entropy of a key in bits, as far as its characters can show it: 16 random bytes show more than 56."""

COMMON: Final = re.compile(
    r"secret|key|passw(?:or)?d|dev(?:elopment)?|test(?:ing)?|change[-_ ]?(?:me|this|it)?|flask|django|app|my|super|very|top"
    r"|production|prod|local|default|example|sample|please|insecure|random|string|some|thing|hard|to|guess|the|this|is|a|an|in"
    r"|not|for|your|you|will|never|replace|with|session|cookie|token|jwt|admin|root|hello|world|foo|bar|baz|qwerty|asdf|letmein"
    r"|abc(?:def(?:ghi)?)?|xyz|0?123(?:4(?:5(?:6(?:7(?:89?0?)?)?)?)?)?|[^a-z0-9]+|(.)\1{2,}",
)
"""Words that keys are made of when nobody made one."""

CUT: Final = re.compile(r"^(?:export\s+)?[\w.]+\s*=\s*[^'\"\s#][^#\n]*?\s#", re.ASCII)
"""An unquoted value with a space and a `#` after it, where the parser takes the rest for a comment."""

SECRET_NAMES: Final = re.compile(
    r"SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE|CREDENTIAL|DATABASE_U", re.IGNORECASE
)


@dataclass(frozen=True)
class SecretsSettings(Settings):
    """Hold where secrets come from."""

    env_file: str | None = None
    """The file of environment variables. Unless it is said, `.env` in the working folder, the app's or the one above is read, and
    none is needed; one that is named must be there. An empty text reads none. Not read under `app.testing`."""


class Secrets(Guard):
    """Demand a key that nobody else has, and keep it out of the log."""

    name = "secrets"
    area = "secrets"
    Settings: ClassVar[type[Settings]] = SecretsSettings

    def start(self) -> None:
        """Put the key of the environment into the app where it has none, and keep what is secret out of the log."""
        config = self.app.config
        found = os.environ.get("SECRET_KEY") or os.environ.get("FLASK_SECRET_KEY")
        if found and not config.get("SECRET_KEY") and not self.app.testing:
            config["SECRET_KEY"] = found
        self._hide()

    def settle(self, environ: dict[str, Any]) -> None:
        """Look again at what is secret: more may have been set since."""
        del environ
        self._hide()

    def demand(self) -> Iterator[Problem]:
        """Yield what is wrong with the keys that sign sessions; a weak old key signs as well as a new one."""
        config = self.app.config
        wrong = weakness(config.get("SECRET_KEY"))
        if wrong is not None:
            yield Problem(self.name, f"SECRET_KEY {wrong}.", MAKE)
        for number, key in enumerate(config.get("SECRET_KEY_FALLBACKS") or ()):
            wrong = weakness(key)
            if wrong is not None:
                told = f"SECRET_KEY_FALLBACKS[{number}] {wrong}, and whoever has it can still sign."
                yield Problem(self.name, told, "take it out of SECRET_KEY_FALLBACKS")

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield whether the key is good."""
        del route
        wrong = weakness(self.app.config.get("SECRET_KEY"))
        yield Cell("key", "good" if wrong is None else wrong, "covered" if wrong is None else "open")

    def _hide(self) -> None:
        """Have the log leave out every value that is set under a secret's name."""
        config = self.app.config
        found = {
            str(value)
            for name, value in config.items()
            if SECRET_NAMES.search(name) and isinstance(value, str | bytes)
        }
        self.state.hidden = tuple(sorted((one for one in found if len(one) >= 6), key=len, reverse=True))


def weakness(key: Any) -> str | None:
    """Return what is wrong with a signing key, without the key itself; nothing where it is good."""
    if not key:
        return "is not set"
    text = key.decode("latin-1") if isinstance(key, bytes) else str(key)
    if text in PUBLISHED_KEYS:
        return "stands in Flask's documentation, and everybody knows it"
    if len(text) < KEY_BYTES:
        return f"has {len(text)} characters, and {KEY_BYTES} random bytes are the least"
    if text.isascii() and text.isprintable() and len(COMMON.sub("", text.lower())) < 8:
        return "is made of words that everybody tries first"
    if entropy(text) < BITS:
        return "repeats so few characters that it can be guessed"
    return None


def entropy(text: str) -> float:
    """Return how many bits the characters of a text show at most: Shannon's, of the part that does not repeat."""
    half = next(
        (size for size in range(1, len(text) // 2 + 1) if text == (text[:size] * len(text))[: len(text)]),
        len(text),
    )
    part = text[:half]
    steps = {ord(b) - ord(a) for a, b in pairwise(part)}
    if len(steps) <= 2:
        return 0.0  # abcdef..., 98765...
    counts = Counter(part)
    return -sum(count * math.log2(count / len(part)) for count in counts.values())


def read_env(app: Flask, keywords: Mapping[str, Any], environ: MutableMapping[str, str]) -> list[str]:
    """Read the file of environment variables before any setting is; return what should be told.

    A variable that is set beats the file; an empty one does not. A file that is named and is not there raises
    `ConfigurationError`.
    """
    wanted = keywords.get("env_file", app.config.get("STOPPER_ENV_FILE", environ.get("STOPPER_ENV_FILE")))
    if wanted == "" or app.testing:
        return []
    path = _found(app, wanted)
    if path is None and wanted is not None:
        raise ConfigurationError(
            f"STOPPER_ENV_FILE = {str(wanted)!r} is not there: give its path, or take the setting away"
        )
    if path is None:
        return []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return [f"{path} cannot be read: {error}"]
    values, told = read(text, path.name)
    return [*told, *_open_to_others(path), *_set(values, environ, path.name)]


def _found(app: Flask, wanted: object) -> Path | None:
    """Return the file that is there."""
    folders = (Path.cwd(), Path(app.root_path), Path(app.root_path).parent)
    candidates = [folder / str(wanted or ".env") for folder in folders]
    return next((path for path in candidates if path.is_file()), None)


def read(text: str, name: str) -> tuple[dict[str, str], list[str]]:
    """Return the variables of a file, and what is wrong with its lines (their numbers, never their values)."""
    values, told = {}, []
    for binding in parse_stream(io.StringIO(text)):
        place = f"{name}, line {binding.original.line}"
        if binding.error:
            told.append(f"{place}: this is no NAME=value, and it was passed over")
        elif binding.key is not None and binding.value is not None:
            values[binding.key] = binding.value
            if CUT.match(binding.original.string.lstrip()):
                told.append(
                    f"{place}: {binding.key} ends before the #: put the value into quotes, or the remark on a line of its own"
                )
    return values, told


def _open_to_others(path: Path) -> Iterator[str]:
    """Yield that others on the machine may read or write a file."""
    if os.name != "posix":
        return
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        may = "write" if mode & (stat.S_IWOTH | stat.S_IWGRP) else "read"
        yield f"{path} is open to others, who may {may} it: chmod 600 {path}"


def _set(values: Mapping[str, str], environ: MutableMapping[str, str], name: str) -> Iterator[str]:
    """Set the variables that are not set; yield which were empty."""
    for key, value in values.items():
        if environ.get(key) == "" and value:
            yield f"{key} is empty in the environment, so the value of {name} is taken"
        if not environ.get(key):
            environ[key] = value
