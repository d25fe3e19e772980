"""Remember hits in one file that all worker processes of one machine map into their memory.

A request costs about 10 µs here. A transaction of SQLite on the same memory-backed folder takes 16 µs before anything is packed or judged, and
Redis 140 µs (one core, limits of one request).

The file is a set-associative cache: a keyed hash of limit and client names a set of eight places, and where all eight are taken, what
is over makes room, else who is farthest from a limit. Its size is fixed. Records that a killed process left half-written read as empty.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from stopper.errors import ConfigurationError
from stopper.guard.rates import STEPS, Terms
from stopper.guard.stores import Store, Verdict, judge
from stopper.guard.windows import Window

try:
    import fcntl
except ImportError:  # Windows has no servers that fork
    fcntl = None  # type: ignore[assignment]

LAYOUT: Final = 1
"""The layout of the file. Another one has another number, and by default another name: old workers may still map theirs."""

MAGIC: Final = b"stopper-limits-%d" % LAYOUT
SETS: Final = 4096
WAYS: Final = 8

_KEY: Final = 16
_HEADER: Final = struct.Struct("16s32s16x")
_HEAD: Final = struct.Struct("<dfI")
_CELLS: Final = tuple(struct.Struct(f"<{used}d{used}I") for used in range(STEPS + 1))
_RECORD_SIZE: Final = _HEAD.size + _CELLS[STEPS].size
_SET_SIZE: Final = WAYS * (_KEY + _RECORD_SIZE)
_EMPTY: Final = bytes(_KEY)
_SIZE: Final = _HEADER.size + SETS * _SET_SIZE


class SharedFile(Store):
    """The memory of all workers on one machine."""

    name = "file"

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._process = -1
        self._file = -1
        self._map: mmap.mmap
        self._secret = b""
        self._open()

    def hit(self, keys: Sequence[str], terms: Sequence[Terms]) -> Verdict:
        """Count a request under every key whose limit has room for it, or under none."""
        digests = [self._digest(key) for key in keys]
        with self._lock:
            self._hold()
            try:
                now = self._clock()
                windows = [self._read(digest, term, now) for digest, term in zip(digests, terms, strict=True)]
                verdict = judge(terms, windows, now)
                if verdict.full < 0:
                    for digest, term, window in zip(digests, terms, windows, strict=True):
                        if term.cost:
                            window.add(now)
                            self._write(digest, window, now)
                return verdict
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1)

    def forget(self, keys: Sequence[str]) -> None:
        """Forget the hits of these keys."""
        digests = [self._digest(key) for key in keys]
        with self._lock:
            self._hold()
            try:
                for digest in digests:
                    start, way, _ = self._find(digest)
                    if way >= 0:
                        self._map[start + way * _KEY : start + (way + 1) * _KEY] = _EMPTY
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1)

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        if self._file >= 0 and self._process == os.getpid():
            self._map.close()
            os.close(self._file)
        self._file = self._process = -1

    def _hold(self) -> None:
        """Hold the file against the other processes; a killed holder lets go of it."""
        if self._process != os.getpid():
            self._open()
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1)

    def _open(self) -> None:
        """Open, and where it is new or foreign lay out, the file. A fork opens its own: locks belong to a process."""
        self._file = _open_own(self.path)
        self._process = os.getpid()
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1)
        try:
            _lay_out(self._file, self.path)
            self._map = mmap.mmap(self._file, _SIZE)
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1)
        self._secret = _HEADER.unpack_from(self._map, 0)[1]

    def _digest(self, key: str) -> bytes:
        return hashlib.blake2b(
            key.encode("utf-8", "surrogatepass"), digest_size=_KEY, key=self._secret
        ).digest()

    def _find(self, digest: bytes) -> tuple[int, int, bytes]:
        """Return where the set of a key begins, the number of its place in it (-1 for none), and the keys of the set."""
        start = _HEADER.size + int.from_bytes(digest[:4]) % SETS * _SET_SIZE
        names = self._map[start : start + WAYS * _KEY]
        at = names.find(digest)
        return start, at // _KEY if at >= 0 and at % _KEY == 0 else -1, names

    def _least(self, start: int, names: bytes, now: float) -> int:
        """Return the number of the place that is missed least."""
        ways = range(WAYS)
        for way in ways:
            if names[way * _KEY : (way + 1) * _KEY] == _EMPTY:
                return way
        heads = [_HEAD.unpack_from(self._map, _record(start, way)) for way in ways]
        return min(ways, key=lambda way: (heads[way][0] > now, heads[way][1], heads[way][0]))

    def _read(self, digest: bytes, terms: Terms, now: float) -> Window:
        start, way, _ = self._find(digest)
        if way < 0:
            return Window(terms, [], [])
        record = _record(start, way)
        _, _, used = _HEAD.unpack_from(self._map, record)
        if used > STEPS:
            return Window(terms, [], [])
        cells = _CELLS[used].unpack_from(self._map, record + _HEAD.size)
        window = Window(terms, list(cells[:used]), list(cells[used:]))
        # What a clock that began anew with the machine left behind does not count.
        if used and window.times[-1] > now:
            return Window(terms, [], [])
        window.slide(now)
        return window

    def _write(self, digest: bytes, window: Window, now: float) -> None:
        start, way, names = self._find(digest)
        way = self._least(start, names, now) if way < 0 else way
        record, index = _record(start, way), start + way * _KEY
        times, counts = window.times[-STEPS:], window.counts[-STEPS:]
        used = len(times)
        _HEAD.pack_into(self._map, record, times[-1] + window.seconds, window.share, used)
        _CELLS[used].pack_into(self._map, record + _HEAD.size, *times, *counts)
        self._map[index : index + _KEY] = digest


def _record(start: int, way: int) -> int:
    """Return where the record of a place stands."""
    return start + WAYS * _KEY + way * _RECORD_SIZE


def _lay_out(file: int, path: Path) -> None:
    """Give a new file its size and its secret. Its space is taken now: a page that cannot be had later would kill the process.

    Raises:
        ConfigurationError: There is no room, or the file is something else's.
    """
    size, head = os.fstat(file).st_size, os.pread(file, len(MAGIC), 0)
    if size == _SIZE and head == MAGIC:
        return
    if head.strip(b"\0"):
        raise ConfigurationError(
            f"{path} is no file of limits of this version; remove it, or name another in STOPPER_STORAGE"
        )
    try:
        os.ftruncate(file, 0)
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file, 0, _SIZE)
        else:
            os.ftruncate(file, _SIZE)
    except OSError as error:
        os.ftruncate(file, 0)
        raise ConfigurationError(
            f'{path} needs {_SIZE} bytes: {error}; write STOPPER_STORAGE = "file:///a/path/with/room"'
        ) from error
    os.pwrite(file, _HEADER.pack(MAGIC, os.urandom(32)), 0)


def folder() -> Path:
    """Return where the files of an app's workers belong when no path is set: in memory where there is such a folder.

    Raises:
        ConfigurationError: Somebody else made it first.
    """
    memory = Path("/dev/shm")  # noqa: S108
    base = memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    own = base / f"stopper-{user}"
    own.mkdir(mode=0o700, exist_ok=True)
    found = own.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o022:
        raise ConfigurationError(
            f'{own} is not this user\'s alone; write STOPPER_STORAGE = "file:///a/path/of/your/own"'
        )
    return own


def _open_own(path: Path) -> int:
    """Return a descriptor of a file that only this user can read and write.

    Raises:
        ConfigurationError: It cannot be had, or is another user's, or a link.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f'the file that workers share their limits in cannot be opened: {error}; write STOPPER_STORAGE = "redis://..." '
            'or "file:///a/path/of/your/own"'
        ) from error
    found = os.fstat(file)
    if found.st_uid != os.geteuid() or not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077:
        os.close(file)
        raise ConfigurationError(
            f"{path} is not this user's alone; remove it, or name another in STOPPER_STORAGE"
        )
    return file
