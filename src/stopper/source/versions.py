"""Every version of every file that the commits of a repository hold, and the lines that each brought.

``git log -p`` compares each version with the one before it, line by line, and that is most of what it costs. Here git only lists
the versions and hands them out whole; what two versions of a file share at both ends is passed over by comparing memory, and a
line that any version held before is not given again. Measured on ten repositories: a fourth of the time.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import filterfalse
from pathlib import Path
from typing import IO, NamedTuple, Self

from stopper.source.git import SAFE, environment

LARGEST = 4_000_000
"""Versions above this are data; they are not read."""

MOST = 600_000_000
"""How many bytes of versions are read, the versions of the oldest files first: some five seconds' worth."""

LONGEST = 2_000
"""Lines above this are data or minified code; they are not given."""

SHORTEST = 10
"""Lines below this hold no secret: the shortest password in a URL is longer."""

_MARK = b"\x01"
_KEY = b"PRIVATE KEY"
_PLAIN_FILES = (b"100",)
_NEAR = 64
"""How near the end of what two contents share is looked for; below it a line more costs less."""
_SHORT = 10
"""How much of a commit's id is told. Git's own short ids grow with the repository; these stay what they are."""


class Version(NamedTuple):
    """What a file was in the first commit that gave it this content."""

    path: str
    """Relative to the folder asked about."""
    blob: str
    """Git's id of the content."""
    commit: str
    """The commit's short id."""
    date: str
    """The day of the commit, ``2024-05-31``."""


class Brought(NamedTuple):
    """The lines that a version holds and no version before it held."""

    version: Version
    text: str
    whole: bytes
    """The version itself where it speaks of a private key, which spans lines; else nothing."""


def listed(root: Path, *, inside: bool, seconds: float) -> tuple[list[Version], bool]:
    """Return the versions that commits added or changed, the oldest first, and whether git told all of them.

    Args:
        root: The folder asked about.
        inside: Whether it lies below the top of its work tree.
        seconds: How long git may take.

    Raises:
        OSError: Git cannot be run.
    """
    where = ("--relative", "--", ".") if inside else ()
    command = (
        *SAFE, "log", "--all", "--raw", "-z", "--no-abbrev", "--no-renames", "--diff-filter=AM",
        f"--format={_MARK.decode()}%H %cs", *where,
    )  # fmt: skip
    with _Asked(command, root, seconds) as git:
        answer = git.output.read()
        complete = git.process.wait() == 0
    found: dict[tuple[bytes, bytes], bytes] = {}
    for path, blob, line in reversed(list(_parsed(answer))):
        found.setdefault((path, blob), line)
    commits = {line: _commit(line) for line in set(found.values())}
    return [
        Version(path.decode("utf-8", "replace"), blob.decode(), *commits[line])
        for (path, blob), line in found.items()
    ], complete


def _parsed(answer: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield the path and blob of each version that git's raw log names and its commit's line, the newest commit first."""
    parts = iter(answer.split(b"\0"))
    commit = b""
    for part in parts:
        if part.startswith((b":", b"\n:")):  # git puts a line's end before the first entry of a commit
            words, path = part.split(b" "), next(parts, b"")
            if len(words) == 5 and words[1].startswith(_PLAIN_FILES) and path:
                yield path, words[3], commit
        elif (line := part.lstrip(b"\n")).startswith(_MARK):
            commit = line


def _commit(line: bytes) -> tuple[str, str]:
    """Return a commit's short id and its day."""
    name, _, date = line.removeprefix(_MARK).decode("utf-8", "replace").strip().partition(" ")
    return name[:_SHORT], date


def brought(
    root: Path, versions: Iterable[Version], *, seconds: float, missed: Callable[[int, str], None]
) -> Iterator[Brought]:
    """Yield what each version brought, file by file, each file's oldest version first.

    Args:
        root: The folder asked about.
        versions: Those to read, the oldest first.
        seconds: How long git may take.
        missed: Is told how many versions were not read, and why.

    Raises:
        OSError: Git cannot be run.
    """
    wanted = _by_file(versions)
    command = (*SAFE, "cat-file", "--batch", "--buffer")
    seen: set[bytes] = set()
    path, before, keyed, total = "", b"", False, 0
    with _Asked(command, root, seconds, [one.blob for one in wanted]) as git:
        for done, version in enumerate(wanted):
            if git.is_late or total > MOST:
                why = "the time was over" if git.is_late else f"{MOST // 1_000_000} MB of history were read"
                missed(len(wanted) - done, why)
                return
            whole = _content(git.output)
            if whole is None:
                continue
            total += len(whole)
            if version.path != path:
                path, before, keyed = version.path, b"", False
            changed = _changed(before, whole)
            keyed = _KEY in changed or (keyed and _KEY in whole)
            before = whole
            fresh = _fresh(changed, seen)
            if fresh:
                text = b"\n".join(fresh).decode("utf-8", "replace")
                yield Brought(version, text, whole if keyed else b"")


def _by_file(versions: Iterable[Version]) -> list[Version]:
    """Return each content once, the versions of a file together, in the order in which the files came to be."""
    files: dict[str, list[Version]] = {}
    known: set[str] = set()
    for version in versions:
        if version.blob not in known:
            known.add(version.blob)
            files.setdefault(version.path, []).append(version)
    return [version for file in files.values() for version in file]


def _content(output: IO[bytes]) -> bytes | None:
    """Return the next content that git hands out; None when it is missing, too large or no text."""
    words = output.readline().split()
    if len(words) != 3 or not words[2].isdigit():
        return None
    left = int(words[2]) + 1
    if left > LARGEST:
        while left > 0 and (piece := output.read(min(left, 1 << 20))):
            left -= len(piece)
        return None
    whole = output.read(left)[:-1]
    return None if b"\0" in whole[:8000] else whole


def _changed(before: bytes, whole: bytes) -> bytes:
    """Return the lines of ``whole`` from the first to the last that it does not share with ``before`` at its start or end."""
    if not before:
        return whole
    start = _shared(before, whole)
    start = whole.rfind(b"\n", 0, start) + 1
    end = len(whole) - _shared_at_end(before, whole, start)
    end = whole.find(b"\n", end) if end < len(whole) else -1
    return whole[start : end if end >= 0 else len(whole)]


def _fresh(changed: bytes, seen: set[bytes]) -> list[bytes]:
    """Return the lines that were not seen yet, and remember them."""
    fresh = list(filterfalse(seen.__contains__, changed.split(b"\n")))
    seen.update(fresh)
    return [line for line in fresh if SHORTEST <= len(line) <= LONGEST]


def _shared(one: bytes, other: bytes) -> int:
    """Return how many bytes two contents surely share at their start: the most, less at most 64."""
    low, high = 0, min(len(one), len(other))
    while high - low > _NEAR:
        middle = (low + high + 1) // 2
        if other.startswith(one[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low


def _shared_at_end(one: bytes, other: bytes, start: int) -> int:
    """Return how many bytes two contents surely share at their end, what lies before ``start`` left aside."""
    low, high = 0, min(len(one), len(other)) - start
    while high - low > _NEAR:
        middle = (low + high + 1) // 2
        if other.startswith(one[len(one) - middle : len(one) - low], len(other) - middle):
            low = middle
        else:
            high = middle - 1
    return low


class _Asked:
    """A running git that is killed when its time is over."""

    def __init__(
        self, command: tuple[str, ...], root: Path, seconds: float, words: Iterable[str] = ()
    ) -> None:
        self.process = subprocess.Popen(  # noqa: S603  # the words are ours
            command,
            cwd=root,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=1 << 20,
        )
        assert self.process.stdout is not None
        self.output: IO[bytes] = self.process.stdout
        self.deadline = time.monotonic() + seconds
        self.timer = threading.Timer(max(0.1, seconds), self.process.kill)
        self.timer.daemon = True
        text = "".join(f"{word}\n" for word in words).encode()
        self.feeder = threading.Thread(target=self._feed, args=(text,), daemon=True)

    def __enter__(self) -> Self:
        self.timer.start()
        self.feeder.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.output.close()
        self.process.kill()
        self.process.wait()
        self.timer.cancel()
        self.feeder.join()

    @property
    def is_late(self) -> bool:
        """Tell whether the time is over."""
        return time.monotonic() >= self.deadline

    def _feed(self, text: bytes) -> None:
        assert self.process.stdin is not None
        try:
            with self.process.stdin as stdin:
                stdin.write(text)
        except OSError:
            return  # git was killed, and the reader knows
