"""What earlier runs found out, kept in the user's cache folder: findings are the same with it and without it.

A report is taken from here only when nothing changed that it depends on (``state``); the secrets of git's history when no
commit was added; a file in which no secret was found is not searched again before it changes; data is followed again only from
functions that rest on what changed (``taint.kept``). Each entry stands behind a line with its version and digest, so that one
which was cut short, altered or written by another version is passed over. It is JSON, or for flows a list of values, of which
``taint.kept.stable`` makes nothing but its own classes: nothing in it can run. Entries are written whole and moved into place: runs
may share the folder. It belongs to the user alone (mode 0700); a folder that others may write to is not used. Secrets are not
kept, only their digests and their first characters.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from stopper import state
from stopper.config import Config
from stopper.finding import Skipped
from stopper.plain import from_plain, to_plain
from stopper.records import dataclass
from stopper.report import Report
from stopper.source.files import Tree, walk

if TYPE_CHECKING:
    from stopper.source.history import History
    from stopper.source.project import Options, Shelf

_T = TypeVar("_T")
_VERSION = "stopper-cache/1"
_ENTRIES = 200
"""How many entries are kept, the newest."""
_PROJECTS = 20
"""Of how many projects the work on flows is kept, the newest."""
_LARGEST = 50_000_000
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder holds what `stopper audit` found out before. It may be deleted.\n"


def user_folder() -> Path | None:
    """Return the folder of the user's cache: ``STOPPER_CACHE_DIR``, else the platform's; None when there is none."""
    asked = os.environ.get("STOPPER_CACHE_DIR")
    if asked:
        return Path(asked)
    base = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    if base and Path(base).is_absolute():
        return Path(base, "stopper")
    with contextlib.suppress(RuntimeError):
        return Path.home() / ".cache" / "stopper"
    return None


@dataclass(frozen=True, slots=True)
class Run:
    """A report, and what it depends on beside the digest that it is found by."""

    report: Report
    asides: tuple[str, ...]
    """Files outside the tree that were looked at."""
    digest: str
    """The digest of their content."""


@dataclass(frozen=True, slots=True)
class Bare:
    """The files of a project in which no secret was found."""

    marks: tuple[str, ...]
    """A digest of the path and the content of each."""


@dataclass(frozen=True, slots=True)
class Cache:
    """The entries of one folder; without a folder it keeps nothing."""

    folder: Path | None

    def report(self, key: str | None, root: Path) -> Report | None:
        """Return the report kept under a key, if nothing that it depends on changed."""
        run = self._load(Run, key)
        if run is None or state.of_files(root, run.asides) != run.digest:
            return None
        return run.report

    def keep_report(self, key: str | None, root: Path, report: Report, asides: tuple[str, ...]) -> None:
        """Keep a report, unless a limit of time had a part in it."""
        if not _was_cut(report.skipped):
            self._store(key, Run(report, asides, state.of_files(root, asides)))

    def history(self, root: Path) -> History:
        """Return what git knows of ``root``, with the secrets of its commits from an earlier run if no commit was added."""
        from stopper.source.history import (  # late: a report that is known needs none of it
            History,
            Known,
            gathered,
        )

        key = state.of_history(root) if self.folder is not None else None
        known = self._load(Known, key)
        if known is not None:
            return History.recalled(root, known)
        history = gathered(root)
        if not _was_cut(history.skipped):
            self._store(key, history.known)
        return history

    def bare(self, root: Path, look: Callable[[set[str] | None], _T]) -> _T:
        """Return what ``look`` finds, which is told the files without secrets of an earlier run and tells those of this one."""
        if self.folder is None:
            return look(None)
        key = state.digest_of("bare", state.of_stopper(), str(root))
        known = self._load(Bare, key) or Bare(())
        marks = set(known.marks)
        found = look(marks)
        if marks != set(known.marks):
            self._store(key, Bare(tuple(sorted(marks))))
        return found

    def shelf(self, root: Path, options: Options) -> Shelf | None:
        """Return where the work on the flows of a project is kept."""
        if self.folder is None:
            return None
        return _Shelf(self, state.digest_of("roots", state.of_stopper(), str(root), options.second_order))

    def _load(self, kind: type[_T], key: str | None) -> _T | None:
        """Return the entry under a key; None when there is none that can be trusted."""
        try:
            body = self.read(f"{key}.json") if key is not None else None
            return from_plain(kind, json.loads(body)) if body is not None else None
        except (ValueError, TypeError, RecursionError, AttributeError):
            return None

    def read(self, name: str) -> bytes | None:
        """Return what a file of the folder holds behind its head; None where it cannot be trusted."""
        if self.folder is None or not _is_own(self.folder):
            return None
        path = self.folder / name
        try:
            if path.stat().st_size > _LARGEST:
                return None
            head, _, body = path.read_bytes().partition(b"\n")
            return body if head.decode("ascii") == _head(path.stem, body) else None
        except (OSError, ValueError):
            return None

    def _store(self, key: str | None, entry: object) -> None:
        """Write an entry beside its place and move it there; where that fails, nothing is kept."""
        if key is not None:
            self.write(f"{key}.json", json.dumps(to_plain(entry), separators=(",", ":")).encode())

    def write(self, name: str, body: bytes) -> None:
        """Write a file of the folder whole, with its head; where that fails, nothing is kept."""
        if self.folder is None:
            return
        key = Path(name).stem
        with contextlib.suppress(OSError):
            _make(self.folder)
            if not _is_own(self.folder):
                return
            new = self.folder / f"new-{os.urandom(8).hex()}"
            try:
                with open(new, "xb", opener=_private) as file:
                    file.write(_head(key, body).encode() + b"\n" + body)
                new.replace(self.folder / name)
            except OSError:
                new.unlink(missing_ok=True)
                raise
            _prune(self.folder)


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What was found out about the flows of one project; read back by ``taint.kept``, which makes nothing but values of it."""

    cache: Cache
    key: str

    def load(self) -> bytes | None:
        """Return what was kept last."""
        return self.cache.read(f"{self.key}.roots")

    def keep(self, raw: bytes) -> None:
        """Keep something for the next run."""
        self.cache.write(f"{self.key}.roots", raw)


NO_CACHE = Cache(None)
"""Keeps nothing and knows nothing."""


def listed(target: Path, config: Config) -> Tree:
    """Return the files of a target that the configuration lets an audit look at.

    Raises:
        TargetError: There is nothing at ``target``.
    """
    tree = walk(target)
    if not config.exclude:
        return tree
    return replace(tree, files=tuple(file for file in tree.files if not config.excludes(file.path)))


def _private(path: str, flags: int) -> int:
    """Open a file that the user alone may read."""
    return os.open(path, flags, mode=0o600)


def _head(key: str, body: bytes) -> str:
    return f"{_VERSION} {key} {hashlib.blake2b(body, digest_size=20).hexdigest()}"


def _was_cut(skipped: tuple[Skipped, ...] | list[Skipped]) -> bool:
    """Tell whether a limit of time had a part in a result: with more time it may be another."""
    return any("second" in one.reason or "time was over" in one.reason for one in skipped)


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    tag = folder / "CACHEDIR.TAG"
    if not tag.exists():
        tag.write_text(_TAG, encoding="ascii")


def _is_own(folder: Path) -> bool:
    """Tell whether a folder is the user's, and nobody else may write to it."""
    try:
        stat = folder.stat()
    except OSError:
        return False
    return not hasattr(os, "getuid") or (stat.st_uid == os.getuid() and not stat.st_mode & 0o022)


def _prune(folder: Path) -> None:
    """Delete the oldest entries above the number that is kept, and what a run that was killed left unfinished."""
    entries = _newest(folder, "*.json")
    flows = _newest(folder, "*.roots")[_PROJECTS:]
    stale = [path for path in folder.glob("new-*") if time.time() - path.stat().st_mtime > 3600]
    for path in (*entries[_ENTRIES:], *flows, *stale):
        path.unlink(missing_ok=True)


def _newest(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)


def audited(
    tree: Tree, target: Path, config: Config, cache: Cache, run: Callable[[], tuple[Report, tuple[str, ...]]]
) -> Report:
    """Return the report that an earlier run kept, or that of ``run``.

    Args:
        tree: The files of the target.
        target: What is audited, as the user names it.
        config: What to look at.
        cache: Where reports are kept.
        run: Audits, and tells which files outside the tree were looked at.
    """
    started = time.perf_counter()
    key = state.of_run(tree, config, target) if cache.folder is not None else None
    known = cache.report(key, tree.root)
    if known is not None:
        return replace(known, stats=replace(known.stats, seconds=round(time.perf_counter() - started, 3)))
    before = _stamps(tree)
    report, asides = run()
    if before is not None and before == _stamps(tree):
        cache.keep_report(key, tree.root, report, asides)
    return report


def _stamps(tree: Tree) -> list[tuple[int, int]] | None:
    try:
        return state.stamps(tree.files)
    except OSError:
        return None
