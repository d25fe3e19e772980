"""Read `[tool.stopper]` from the nearest pyproject.toml into one frozen Config.

::

    [tool.stopper]
    fail-on = "high"                # info low medium high critical
    min-confidence = "medium"       # low medium high
    areas = ["secrets", "sql"]      # only these
    rules = ["sql-injection"]       # only these
    skip = ["unpinned-requirement"] # all but these
    exclude = ["legacy/**"]         # paths that are not looked at
    per-path-ignores = { "scripts/**" = ["debug-enabled"] }
    baseline = "stopper-baseline.json"
    advisories = "osv.zip"
    online = true                   # may ask package indexes; false is the default
    second-order = false            # data is not followed from one request to the next; true is the default

Paths are relative to the folder of that pyproject.toml.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from stopper.errors import ConfigError
from stopper.finding import Area, Confidence, Severity
from stopper.records import dataclass

_E = TypeVar("_E", bound=enum.StrEnum)


@dataclass(frozen=True, slots=True)
class Config:
    """What to look at, what to leave out, and when to fail."""

    fail_on: Severity = Severity.LOW
    """The least severity with which the command ends with 1."""
    min_confidence: Confidence = Confidence.LOW
    """Findings below it are not reported."""
    areas: tuple[Area, ...] = ()
    """Only these areas; empty for all eight."""
    rules: tuple[str, ...] = ()
    """Only these rules, by slug; empty for all."""
    skip: tuple[str, ...] = ()
    """Rules left out, by slug."""
    exclude: tuple[str, ...] = ()
    """Patterns of paths that are not looked at."""
    per_path_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Pairs of a pattern and the rules that are not reported in files which match it."""
    baseline: Path | None = None
    """The file of findings that are known already."""
    advisories: Path | None = None
    """A folder or zip of advisories in OSV format."""
    online: bool = False
    """Whether package indexes and advisory services may be asked."""
    second_order: bool = True
    """Whether data is followed from one request to the next."""
    prefix: str = ""
    """The path from the configuration's folder to the target; patterns match ``prefix`` + path."""

    def wants(self, rule: str, area: Area) -> bool:
        """Tell whether a rule of an area is to be run."""
        if rule in self.skip or (self.rules and rule not in self.rules):
            return False
        return not self.areas or area in self.areas

    def excludes(self, path: str) -> bool:
        """Tell whether the file at ``path`` (relative to the target) is not looked at."""
        return any(matches(pattern, self.prefix + path) for pattern in self.exclude)

    def ignores(self, path: str, rule: str) -> bool:
        """Tell whether ``per-path-ignores`` keep findings of ``rule`` at ``path`` out of the report."""
        return any(
            rule in rules and matches(pattern, self.prefix + path) for pattern, rules in self.per_path_ignores
        )

    def override(self, **values: Any) -> Config:
        """Return a copy with these values; None and the empty tuple leave what is there."""
        given = {name: value for name, value in values.items() if value is not None and value != ()}
        return replace(self, **given)


def load(target: Path) -> Config:
    """Return the configuration for ``target``: of the nearest pyproject.toml with a [tool.stopper].

    The search goes upward and ends at the top of the git repository.

    Raises:
        ConfigError: A key is unknown, or a value is not of its kind.
    """
    start = target.resolve()
    start = start if start.is_dir() else start.parent
    for folder in (start, *start.parents):
        table = _table(folder / "pyproject.toml")
        if table is not None:
            inner = start.relative_to(folder).as_posix()
            return replace(read(table, folder), prefix="" if inner == "." else f"{inner}/")
        if (folder / ".git").exists():
            break
    return Config()


def read(table: Mapping[str, Any], folder: Path) -> Config:
    """Return the Config that a [tool.stopper] table of a pyproject.toml in ``folder`` means.

    Raises:
        ConfigError: A key is unknown, or a value is not of its kind.
    """
    values: dict[str, Any] = {}
    for key, value in table.items():
        reader = _READERS.get(key)
        if reader is None:
            raise ConfigError(f"[tool.stopper] knows no {key!r}{nearest(key, _READERS)}")
        values[key.replace("-", "_")] = reader(key, value, folder)
    return Config(**values)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the nearest known word, or the list of all when none is near."""
    import difflib  # late: few make a slip

    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; it is one of {', '.join(names)}" if len(names) <= 12 else ""


def matches(pattern: str, path: str) -> bool:
    """Tell whether a path matches a pattern, in the manner of .gitignore.

    ``*`` stays inside one folder, ``**`` crosses folders. A pattern without a slash matches at any depth, and
    a pattern that names a folder matches all that is in it.
    """
    return _compiled(pattern).match(path) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    body = pattern.removeprefix("./").rstrip("/")
    anywhere = "" if "/" in body else "(?:.*/)?"
    body = body.removeprefix("/")
    tokens = re.findall(r"\*\*/|\*\*|\*|\?|\[[!^]?\w[\w-]*\]|\[|[^*?\[]+", body)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    middle = "".join(known.get(token) or _literal(token) for token in tokens)
    return re.compile(rf"{anywhere}{middle}(?:/.*)?\Z", re.DOTALL)


def _literal(token: str) -> str:
    if len(token) > 2 and token.startswith("[") and token.endswith("]"):
        try:
            return re.compile(f"[^/{token[2:]}" if token[1] in "!^" else token).pattern
        except re.error:
            return re.escape(token)
    return re.escape(token)


def _table(file: Path) -> Mapping[str, Any] | None:
    try:
        content = file.read_bytes()
    except OSError:
        return None
    if b"stopper" not in content:
        return None
    import tomllib  # late: most projects say nothing to Stopper

    try:
        table = tomllib.loads(content.decode("utf-8")).get("tool", {}).get("stopper")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError) as error:
        raise ConfigError(f"{file}: not valid TOML, so [tool.stopper] is not read: {error}") from error
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{file}: tool.stopper must be a table; write [tool.stopper]")
    return table


def _word(kind: type[_E]) -> Callable[[str, Any, Path], _E]:
    def reader(key: str, value: Any, _: Path) -> _E:
        words = [member.value for member in kind]
        if value not in words:
            raise ConfigError(f"[tool.stopper] {key}: {value!r} is not known{nearest(str(value), words)}")
        return kind(value)

    return reader


def _strings(key: str, value: Any, _: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"[tool.stopper] {key}: write a list of strings, not {value!r}")
    return tuple(value)


def _areas(key: str, value: Any, folder: Path) -> tuple[Area, ...]:
    return tuple(_word(Area)(key, item, folder) for item in _strings(key, value, folder))


def _ignores(key: str, value: Any, folder: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise ConfigError(f'[tool.stopper] {key}: write {{ "legacy/**" = ["rule"] }}, not {value!r}')
    return tuple((pattern, _strings(f"{key} {pattern!r}", rules, folder)) for pattern, rules in value.items())


def _path(key: str, value: Any, folder: Path) -> Path:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"[tool.stopper] {key}: write a path, not {value!r}")
    return folder / value


def _flag(key: str, value: Any, _: Path) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"[tool.stopper] {key}: write true or false, not {value!r}")
    return value


_READERS: Mapping[str, Callable[[str, Any, Path], Any]] = {
    "fail-on": _word(Severity),
    "min-confidence": _word(Confidence),
    "areas": _areas,
    "rules": _strings,
    "skip": _strings,
    "exclude": _strings,
    "per-path-ignores": _ignores,
    "baseline": _path,
    "advisories": _path,
    "online": _flag,
    "second-order": _flag,
}

KEYS = tuple(_READERS)
"""Every key of [tool.stopper]; each is a field of Config with underscores for hyphens."""

assert {key.replace("-", "_") for key in KEYS} | {"prefix"} == {one.name for one in fields(Config)}
