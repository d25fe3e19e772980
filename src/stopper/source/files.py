"""The files of a project: the tree walked, ignored and vendored folders left out, text decoded."""

from __future__ import annotations

import codecs
import enum
import os
import re
import tokenize
from collections.abc import Iterable, Iterator
from functools import cached_property
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import Generic, TypeVar

from stopper.errors import TargetError
from stopper.finding import Location, Skipped
from stopper.records import dataclass, field
from stopper.source.gitignore import Patterns

_T = TypeVar("_T")
_Specs = tuple[tuple[str, Patterns], ...]
"""The patterns that hold in a folder, each file's with the folder it stands in, outermost first."""

MAX_BYTES = 4_000_000
"""The largest file that is read. A hand-written module of 100,000 lines stays below it."""

MAX_FOLDERS = 100
"""How deep folders may nest."""

_READ = (
    *(
        ".py",
        ".pyw",
        ".html",
        ".htm",
        ".jinja",
        ".jinja2",
        ".j2",
        ".xml",
        ".svg",
        ".txt",
        ".in",
        ".toml",
        ".cfg",
        ".ini",
    ),
    *(".env", ".yml", ".yaml", ".json", ".lock", ".conf", ".sh", ".dockerfile", ".pem", ".key"),
)
"""The endings of files that are read; the walk demands that they can be. Names without an ending are read too."""

LEFT_OUT = frozenset((
    *(".git", ".hg", ".svn", ".tox", ".nox", ".venv", "venv", "virtualenv", "node_modules", "bower_components"),
    *("site-packages", "__pycache__", ".eggs", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".ipynb_checkpoints"),
    *("_vendor", "vendor", "vendored", "third_party", "third-party", "__pypackages__", ".terraform"),
))  # fmt: skip
"""Folder names whose content others wrote or a tool made."""

_TEST = re.compile(
    r"(^|/)([^/]+-tests?|tests?|testing|e2e|functional_tests?|specs?|fixtures?)/|(^|/)(test_[^/]*|[^/]*_tests?|conftest)\.py$"
)
_DOCS = re.compile(r"(^|/)(docs?|documentation|examples?|samples?|demos?)/")
_MIGRATION = re.compile(r"(^|/)(migrations|alembic)/")


def folders_above(path: str) -> Iterator[str]:
    """Yield the folders that hold a file or a folder, the innermost first, "" for the target itself last."""
    while path:
        path = path.rpartition("/")[0]
        yield path


FEW = 3
"""How many things of one name may belong to one application: its own and those of its blueprints."""


class Nearby(Generic[_T]):
    """Things of one name that lie at paths: several applications of one tree may each have its own."""

    def __init__(self, placed: Iterable[tuple[str, _T]]) -> None:
        """Take the things, each with its path."""
        self._below: dict[str, list[_T]] = {}
        for path, thing in placed:
            for folder in folders_above(path):
                self._below.setdefault(folder, []).append(thing)

    def meant(self, path: str) -> list[_T]:
        """Return those that something at a path may mean: all of a few; of more, which belong to several applications, the nearest."""
        every = self._below.get("", [])
        return every if len(every) <= FEW else self.nearest(path)

    def nearest(self, path: str) -> list[_T]:
        """Return the things whose paths have the most folders in common with a path, in the order they were given in."""
        below = self._below
        return next((below[folder] for folder in folders_above(path) if folder in below), below.get("", []))


class Role(enum.StrEnum):
    """What a file is for, read off its path."""

    APP = "app"
    TEST = "test"
    DOCS = "docs"
    """Documentation and examples."""
    MIGRATION = "migration"


def role_of(path: str) -> Role:
    """Return what the file at ``path`` (relative to the target) is for."""
    if _TEST.search(path):
        return Role.TEST
    if _DOCS.search(path):
        return Role.DOCS
    return Role.MIGRATION if _MIGRATION.search(path) else Role.APP


@dataclass(frozen=True)
class Text:
    """Decoded text that knows its lines, and where a parser's line and byte column stand in it."""

    content: str

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """The character offset at which each line starts; lines are cut as Python does: at LF, CR LF and CR, at nothing else."""
        if "\r" in self.content:
            return (0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", self.content)))
        ends = accumulate(len(line) + 1 for line in self.content.split("\n"))
        return (0, *ends)[:-1]

    @cached_property
    def lowered(self) -> str:
        """The content in lower case, to look for words before anything finer is asked."""
        return self.content.lower()

    @cached_property
    def line_count(self) -> int:
        """The number of lines; a last line without an end counts."""
        ends = self.content.count("\n") + self.content.count("\r") - self.content.count("\r\n")
        return ends + (not self.content.endswith(("\n", "\r")) if self.content else 0)

    def line(self, number: int) -> str:
        """Return line ``number`` (from 1) without its end, or "" past the file's end."""
        if not 1 <= number <= len(self.starts):
            return ""
        end = self.starts[number] if number < len(self.starts) else len(self.content)
        return self.content[self.starts[number - 1] : end].rstrip("\r\n")

    def column(self, line: int, byte_column: int) -> int:
        """Turn a UTF-8 byte column (from 0) into a character column (from 1)."""
        if self.content.isascii() or (text := self.line(line)).isascii():
            return byte_column + 1
        return len(text.encode("utf-8", "surrogatepass")[:byte_column].decode("utf-8", "ignore")) + 1

    def offset(self, line: int, column: int) -> int:
        """Return the character offset of a line and a character column, both from 1."""
        return self.starts[line - 1] + column - 1

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and character column, both from 1, of a character offset."""
        import bisect

        line = bisect.bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def location(self, path: str, start: int, end: int) -> Location:
        """Return the location of the characters ``start`` to ``end`` (exclusive) in the file ``path``."""
        return Location(path, *self.position(start), *self.position(end))


def decode(raw: bytes) -> str:
    """Decode a text file: by its byte order mark or PEP 263 cookie, else as UTF-8, else as Latin-1."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    head = raw.find(b"\n", raw.find(b"\n") + 1)
    try:
        if raw.find(b"coding", 0, head if head >= 0 else len(raw)) < 0:
            return raw.removeprefix(codecs.BOM_UTF8).decode()
        encoding, _ = tokenize.detect_encoding(BytesIO(raw).readline)
        return raw.decode(encoding)
    except (SyntaxError, ValueError, LookupError):
        return raw.removeprefix(codecs.BOM_UTF8).decode("latin-1")


@dataclass(frozen=True)
class SourceFile:
    """One file of the tree. Its content is read when it is first asked for."""

    path: str
    """Relative to the target, with forward slashes."""
    absolute: Path
    size: int

    @cached_property
    def role(self) -> Role:
        """What the file is for."""
        return role_of(self.path)

    @property
    def name(self) -> str:
        """Return the last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """Return the path without its last part, "" at the root."""
        return self.path.rpartition("/")[0]

    def read(self) -> bytes:
        """Return the content.

        Raises:
            OSError: The file cannot be read.
        """
        return self.absolute.read_bytes()

    @cached_property
    def text(self) -> Text:
        """The decoded content; empty when the file cannot be read (the walk has listed it as skipped)."""
        try:
            return Text(decode(self.read()))
        except OSError:
            return Text("")


@dataclass(frozen=True)
class Tree:
    """The files of a target that an audit looks at."""

    root: Path
    files: tuple[SourceFile, ...]
    """In the order of their paths."""
    skipped: tuple[Skipped, ...] = ()

    @cached_property
    def by_path(self) -> dict[str, SourceFile]:
        """The files by their path."""
        return {file.path: file for file in self.files}

    def named(self, *patterns: str) -> Iterator[SourceFile]:
        """Yield the files whose *name* matches one of the shell patterns, case ignored."""
        from fnmatch import translate

        wanted = re.compile("|".join(translate(pattern) for pattern in patterns), re.IGNORECASE)
        return (file for file in self.files if wanted.match(file.name))


def walk(target: Path) -> Tree:
    """List the files under ``target``, which may also be one single file.

    Left out: what ``.gitignore`` files name, virtual environments, vendored trees, tools' folders; links to folders are not
    followed. What cannot be read or is too large is in ``skipped``, with the reason.

    Raises:
        TargetError: There is nothing at ``target``.
    """
    if target.is_file():
        walker = _Walker(target.resolve().parent)
        walker.add(target.name, target.resolve(), target.stat().st_size)
        return Tree(walker.root, tuple(walker.files), tuple(walker.skipped))
    if not target.is_dir():
        raise TargetError(
            f"there is no folder or file {str(target)!r}; name the folder that holds the Flask project"
        )
    walker = _Walker(target.resolve())
    walker.enter("", ())
    return Tree(walker.root, tuple(sorted(walker.files, key=lambda file: file.path)), tuple(walker.skipped))


@dataclass
class _Walker:
    root: Path
    files: list[SourceFile] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def enter(self, folder: str, specs: _Specs) -> None:
        if folder.count("/") >= MAX_FOLDERS:
            self.skipped.append(
                Skipped(folder, f"folders that nest deeper than {MAX_FOLDERS} are not entered")
            )
            return
        try:
            entries = sorted(os.scandir(self.root / folder), key=lambda entry: entry.name)
        except OSError as error:
            self.skipped.append(Skipped(folder or ".", f"the folder cannot be read: {error.strerror}"))
            return
        names = {entry.name for entry in entries}
        if "pyvenv.cfg" in names or "conda-meta" in names:
            return
        if ".gitignore" in names:
            specs = (*specs, *self._spec(folder))
        for entry in entries:
            self._take(entry, f"{folder}/{entry.name}" if folder else entry.name, specs)

    def _spec(self, folder: str) -> _Specs:
        path = f"{folder}/.gitignore".lstrip("/")
        try:
            lines = decode((self.root / path).read_bytes()).splitlines()
        except OSError as error:
            self.skipped.append(Skipped(path, f"not respected: {error.strerror}"))
            return ()
        patterns = Patterns(lines)
        if patterns.senseless:
            self.skipped.append(Skipped(path, f"{patterns.senseless} lines are no patterns: not respected"))
        return ((folder, patterns),)

    def _take(self, entry: os.DirEntry[str], path: str, specs: _Specs) -> None:
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder:
                if (
                    entry.name not in LEFT_OUT
                    and not entry.name.endswith(".egg-info")
                    and not _ignored(path + "/", specs)
                ):
                    self.enter(path, specs)
                return
            if not entry.is_file() or _ignored(path, specs):
                if entry.is_symlink() and not _ignored(path, specs):
                    self._linked(entry, path)
                return
            size = entry.stat().st_size
        except OSError as error:
            self.skipped.append(Skipped(path, f"cannot be read: {error.strerror or error}"))
            return
        self.add(path, Path(entry.path), size)

    def _linked(self, entry: os.DirEntry[str], path: str) -> None:
        goal = Path(os.path.realpath(entry.path))
        if goal.is_dir():
            inside = goal.is_relative_to(self.root)
            if not inside:
                self.skipped.append(Skipped(path, "a link to a folder outside the project: not followed"))
        else:
            self.skipped.append(Skipped(path, "a link that leads nowhere"))

    def add(self, path: str, absolute: Path, size: int) -> None:
        name = path.rpartition("/")[2]
        readable = name.startswith(".") or "." not in name or name.lower().endswith(_READ)
        if readable and size > MAX_BYTES:
            self.skipped.append(Skipped(path, f"{size:,} bytes; files above {MAX_BYTES:,} are not read"))
        elif readable and not os.access(absolute, os.R_OK):
            self.skipped.append(Skipped(path, "cannot be read: permission denied"))
        else:
            self.files.append(SourceFile(path, absolute, size))


def _ignored(path: str, specs: _Specs) -> bool:
    """Tell whether git ignores ``path``: of all patterns that match, the innermost file's last one decides."""
    for folder, patterns in reversed(specs):
        verdict = patterns.verdict(path[len(folder) + 1 :] if folder else path)
        if verdict is not None:
            return verdict
    return False
