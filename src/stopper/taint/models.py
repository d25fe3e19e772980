"""Models: what the engine knows of libraries, read from ``models/*.toml``, one file a library.

Each file has tables of entries. Names are full dotted names (``sqlite3.connect().execute``); a ``*`` stands for anything.
``methods`` are last parts, for receivers that cannot be resolved.

========== ==================================================================================================
source     ``names``, ``label``; optional ``kind`` (request, exception), ``marks``
sink       ``kind``, ``names`` or ``methods``; ``args`` (positions), ``keywords``, ``check``, ``confidence``
sanitizer  ``names`` or ``methods``; ``kinds`` that are safe afterwards (``"*"`` for all); optional ``marks``
propagator ``names``; the result is as tainted as the arguments; optional ``marks`` for their new state, and ``undo`` for the
           kinds that are dangerous again (decoders)
guard      ``names`` or ``methods``; ``kinds`` that are safe where the answer is ``when`` (true), or ``marks`` for the state
           then; ``near`` says why it does not count
ends       ``names`` of functions that do not return
========== ==================================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from stopper.errors import ModelError
from stopper.records import dataclass, field
from stopper.tables import read_table
from stopper.taint.checks import NAMES as CHECKS
from stopper.taint.domain import ALL

_FOLDER = Path(__file__).with_name("models")
KINDS = frozenset(
    (
        "sql", "nosql", "command", "argument", "code", "reflection", "format-string", "template", "template-name", "html", "markup",
        "path", "archive", "redirect", "ssrf", "deserialization", "xml", "xslt", "xpath", "ldap", "ldap-name", "header", "cookie",
        "session", "log", "secret-cookie", "mail", "mail-html", "csv", "mass-assignment", "regex", "error-details", "environment",
    )
)  # fmt: skip
"""Every kind of sink that a model may name."""
RENDERED = frozenset(("page", "page-url", "page-script", "page-style", "page-attribute"))
"""The kinds of places in a template; rendering finds them, so no model names a sink of theirs."""
_TABLES = frozenset(("source", "sink", "sanitizer", "propagator", "guard", "ends"))
_KEYS = frozenset(
    (
        "names", "methods", "kind", "kinds", "label", "marks", "undo", "args", "keywords", "check", "confidence", "when", "near",
    )
)  # fmt: skip
_BY_NAME = frozenset(("sql", "nosql"))
"""The kinds of sinks whose libraries are known whole."""
_CONFIDENCES = frozenset(("high", "medium", "low"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a model file."""

    table: str
    names: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    kind: str = ""
    kinds: frozenset[str] = frozenset()
    label: str = ""
    marks: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    args: tuple[int, ...] = (0,)
    keywords: tuple[str, ...] = ()
    check: str = ""
    confidence: str = "high"
    when: bool = True
    near: str = ""


@dataclass(slots=True)
class _Index:
    """Entries of one table, found by name."""

    exact: dict[str, list[Entry]] = field(default_factory=dict)
    patterns: dict[str, list[tuple[tuple[str, ...], Entry]]] = field(default_factory=dict)
    """By the last part of the name, "" where that is open: what stands between the stars."""
    methods: dict[str, list[Entry]] = field(default_factory=dict)
    memo: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
    roots: set[str] = field(default_factory=set)
    """The packages of which objects are known by name, so that their methods need no guessing."""

    def add(self, entry: Entry) -> None:
        for name in entry.names:
            if entry.kind in _BY_NAME and "." in name:
                self.roots.add(name.partition(".")[0].rstrip("*"))
            if "*" in name:
                last = name.rpartition(".")[2]
                parts = tuple(name.split("*"))
                self.patterns.setdefault("" if "*" in last else last, []).append((parts, entry))
            else:
                self.exact.setdefault(name, []).append(entry)
        for method in entry.methods:
            self.methods.setdefault(method, []).append(entry)

    def every(self) -> list[Entry]:
        groups = [*self.exact.values(), *self.methods.values()]
        return [
            *(entry for group in groups for entry in group),
            *(e for pairs in self.patterns.values() for _, e in pairs),
        ]

    def named(self, name: str) -> tuple[Entry, ...]:
        found = self.memo.get(name)
        if found is None:
            found = self.memo[name] = tuple(self._search(name))
        return found

    def _search(self, name: str) -> Iterator[Entry]:
        yield from self.exact.get(name, ())
        last = name.rpartition(".")[2]
        for key in (last, ""):
            yield from (entry for parts, entry in self.patterns.get(key, ()) if _fits(name, parts))


def _fits(name: str, parts: tuple[str, ...]) -> bool:
    """Tell whether a name begins with the first part, ends with the last, and has the others between, in their order."""
    first, *between, last = parts
    reached, end = len(first), len(name) - len(last)
    if reached > end or not (name.startswith(first) and name.endswith(last)):
        return False
    for part in between:
        at = name.find(part, reached, end)
        if at < 0:
            return False
        reached = at + len(part)
    return True


@dataclass(frozen=True, slots=True)
class Models:
    """All models, indexed."""

    tables: dict[str, _Index]
    memo: dict[tuple[str, str, str], tuple[Entry, ...]] = field(default_factory=dict)
    """What has been found, by table, name and method."""

    def find(self, table: str, name: str, method: str = "") -> tuple[Entry, ...]:
        """Return the entries for a full name; failing these, for a method of an unknown receiver."""
        key = (table, name, method)
        found = self.memo.get(key)
        if found is None:
            found = self.memo[key] = self._find(table, name, method)
        return found

    def _find(self, table: str, name: str, method: str) -> tuple[Entry, ...]:
        index = self.tables[table]
        found = index.named(name) if name else ()
        if found:
            return found
        known = name.partition(".")[0] in index.roots
        return tuple(
            entry for entry in index.methods.get(method, ()) if not known or entry.kind not in _BY_NAME
        )


@cache
def load() -> Models:
    """Return the models that Stopper brings."""
    tables = {table: _Index() for table in _TABLES}
    for file in sorted(_FOLDER.glob("*.toml")):
        for entry in _entries(file.name, file.read_text("utf-8"), read_table(file)):
            tables[entry.table].add(entry)
    return Models(tables)


def read(name: str, text: str) -> list[Entry]:
    """Return the entries of one model file.

    Raises:
        ModelError: The file is malformed, or names a table, a key or a kind that does not exist; told with its line.
    """
    import tomllib  # late: Stopper's own models are compiled

    try:
        return _entries(name, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{name}: {error}") from error


def _entries(name: str, text: str, data: dict[str, Any]) -> list[Entry]:
    entries: list[Entry] = []
    for table, items in data.items():
        if table not in _TABLES:
            raise ModelError(
                f"{name}:{_line(text, table)}: there is no table {table!r}; use one of {_listed(_TABLES)}"
            )
        entries += [_entry(name, text, table, item) for item in items]
    return entries


def _entry(name: str, text: str, table: str, item: dict[str, Any]) -> Entry:
    kinds = [item.get("kind", "")] if table == "sink" else [*item.get("kinds", []), *item.get("undo", [])]
    _check(name, text, "key", item, _KEYS)
    _check(name, text, "kind", kinds, KINDS | RENDERED | {ALL})
    _check(name, text, "check", [item["check"]] if "check" in item else [], CHECKS)
    _check(name, text, "confidence", [item["confidence"]] if "confidence" in item else [], _CONFIDENCES)
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in item.items()
    }
    if "kinds" in values:
        values["kinds"] = frozenset(values["kinds"])
    return Entry(table, **values)


def _check(name: str, text: str, what: str, words: Iterable[str], known: frozenset[str]) -> None:
    for word in words:
        if word not in known:
            raise ModelError(
                f"{name}:{_line(text, word)}: there is no {what} {word!r}; use one of {_listed(known)}"
            )


def _line(text: str, word: str) -> int:
    quoted = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
    return next((number for number, line in enumerate(text.splitlines(), 1) if quoted.search(line)), 1)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
