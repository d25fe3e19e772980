"""All that the result of an audit of source code depends on, as one digest: the files, git, the configuration, Stopper itself, the day."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from stopper.config import Config
from stopper.plain import to_plain
from stopper.source.files import SourceFile, Tree

_HOME = Path(__file__).parent
_LIBRARIES = ("jinja2", "packaging", "tree_sitter", "tree_sitter_python")
"""Other people's code that has a say in what is found."""
_MANY = 20_000
"""More files of refs than any hand-kept repository has; above it nothing is remembered."""


def digest_of(*parts: object) -> str:
    """Return a digest of the parts; each is told from the next by its length."""
    total = hashlib.blake2b(digest_size=20)
    for part in parts:
        raw = part if isinstance(part, bytes) else repr(part).encode("utf-8", "surrogatepass")
        total.update(len(raw).to_bytes(8, "big"))
        total.update(raw)
    return total.hexdigest()


def of_run(tree: Tree, config: Config, target: Path) -> str | None:
    """Return the digest of everything that a run's report depends on, or None when that cannot be told."""
    if config.online:
        return None
    try:
        files = [(file.path, digest_of(file.read())) for file in tree.files]
        git = of_git(tree.root)
        return digest_of(
            "run", of_stopper(), str(target), str(tree.root), dt.datetime.now(dt.UTC).date().isoformat(),
            to_plain(config), files, to_plain(tree.skipped), git, _index(tree.root), _ignores(tree.root), _advisories(config),
            _content(config.baseline) if config.baseline else "",
        )  # fmt: skip
    except OSError:
        return None


def of_history(root: Path) -> str | None:
    """Return the digest of everything that the secrets in the history of ``root`` depend on, or None."""
    try:
        git = of_git(root)
    except OSError:
        return None
    return digest_of("history", of_stopper(), str(root), git) if git else None


@cache
@functools.cache
def of_stopper() -> str:
    """Return the digest of the code, rules and models that run, of Python and of the libraries with a say."""
    versions = [_version(name) for name in _LIBRARIES]
    return digest_of(*(part for pair in _own() for part in pair), sys.version, sys.platform, versions)


def _own() -> Iterator[tuple[str, bytes]]:
    """Yield each file of Stopper's that has a say, with its content; ``pathlib`` would take three times as long."""
    for place, folders, names in os.walk(_HOME):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            if name.endswith((".py", ".toml", ".json")):
                path = f"{place}{os.sep}{name}"
                with open(path, "rb") as file:  # noqa: PTH123 - see above
                    yield path.removeprefix(str(_HOME)), file.read()


def _version(name: str) -> list[str]:
    """Return what stands beside a library's code for its version; asking its metadata would take ten times as long."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        return []
    start = f"{name.replace('_', '-')}-"
    entries = _installed(os.path.dirname(os.path.dirname(found.origin)))  # noqa: PTH120 - text in, text out
    return [entry for entry in entries if entry.lower().startswith(start)]


@cache
def _installed(folder: str) -> list[str]:
    """Return what tells the versions of the libraries in a folder, all spelt with hyphens."""
    return sorted(entry.replace("_", "-") for entry in os.listdir(folder) if entry.endswith(".dist-info"))  # noqa: PTH208


def of_git(root: Path) -> str:
    """Return the digest of the commits that the repository around ``root`` can reach, "" where there is none.

    Raises:
        OSError: A file of git's cannot be read.
    """
    folder = _git_folder(root)
    if folder is None:
        return ""
    shared = _common(folder)
    names = (
        "HEAD",
        "config",
        "packed-refs",
        "shallow",
        "info/exclude",
        "info/grafts",
        "reftable/tables.list",
    )
    parts = [_content(place / name) for place in dict.fromkeys((folder, shared)) for name in names]
    return digest_of(_git(), str(folder), parts, list(_refs(shared)), list(_refs(folder)))


def _git() -> str:
    """Return where git is, as ``shutil.which`` finds it, whose import would take longer than the search."""
    name = "git.exe" if sys.platform == "win32" else "git"
    places = (os.path.join(folder, name) for folder in os.get_exec_path())  # noqa: PTH118 - text in, text out
    return next((place for place in places if os.access(place, os.X_OK)), "")


def _git_folder(root: Path) -> Path | None:
    for folder in (root, *root.parents):
        place = folder / ".git"
        if place.is_dir():
            return place
        if place.is_file():
            return folder / place.read_text("utf-8", "replace").removeprefix("gitdir:").strip()
    return None


def _common(folder: Path) -> Path:
    """Return the folder that the work trees of a repository share."""
    told = folder / "commondir"
    return folder / told.read_text("utf-8", "replace").strip() if told.is_file() else folder


def _refs(folder: Path) -> Iterator[tuple[str, bytes]]:
    count = 0
    for place, folders, names in os.walk(folder / "refs"):
        folders.sort()
        for name in sorted(names):
            count += 1
            if count > _MANY:
                raise OSError("too many refs to look at each time")
            path = Path(place, name)
            yield str(path), _content(path)


def _index(root: Path) -> str:
    """Return the digest of what git tracks."""
    folder = _git_folder(root)
    return digest_of(_content(folder / "index")) if folder is not None else ""


def _ignores(root: Path) -> str:
    """Return the digest of what tells git to ignore, outside the tree's own files and in them."""
    home = Path.home()
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config", "git")
    own = [home / ".gitconfig", settings / "config", settings / "ignore", Path("/etc/gitconfig")]
    return digest_of(
        [_content(path) for path in (*own, *(folder / ".gitignore" for folder in (root, *root.parents)))]
    )


def _advisories(config: Config) -> str:
    place = config.advisories
    if place is None:
        return ""
    if place.is_file():
        return digest_of(_content(place))
    found = [(path, path.stat()) for path in sorted(place.rglob("*"))]
    return digest_of([(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in found])


def _content(path: Path) -> bytes:
    """Return the content of a file, empty where there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return b""


def of_files(root: Path, paths: Iterable[str]) -> str:
    """Return the digest of files below ``root`` that need not be in the tree nor exist."""
    return digest_of([(path, _content(root / path)) for path in sorted(paths)])


def stamps(files: Iterable[SourceFile]) -> list[tuple[int, int]]:
    """Return the size and the time of change of each file, to tell that none changed meanwhile.

    Raises:
        OSError: A file is gone.
    """
    return [(stat.st_size, stat.st_mtime_ns) for stat in (file.absolute.stat() for file in files)]
