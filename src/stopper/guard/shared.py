"""Remember hits in one file that all worker processes of one machine map into their memory.

Measured per request on one core (benchmarks/overhead.py): the file 6 µs, an SQLite table in memory-backed files 62 µs, Redis 90 µs and more.

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
from stopper.guard.rates import STEPS, Rate
from stopper.guard.stores import Ask, Store, Verdict, judge
from stopper.guard.windows import Window

try:
    import fcntl
except ImportError:  # Windows has no servers that fork
    fcntl = None  # type: ignore[assignment]

MAGIC: Final = b"stopper-limits-1"
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

    def take(self, asks: Sequence[Ask]) -> Verdict:
        """Count a request in every limit that has room for it, or in none."""
        digests = [self._digest(ask.key) for ask in asks]
        with self._lock:
            self._hold()
            try:
                now = self._clock()
                places = [self._place(digest, now) for digest in digests]
                windows = [self._read(place, ask.rate, now) for ask, place in zip(asks, places, strict=True)]
                verdict = judge(asks, windows, now)
                if verdict.full < 0:
                    for ask, digest, place, window in zip(asks, digests, places, windows, strict=True):
                        if ask.cost:
                            window.add(now)
                            self._write(place, digest, window)
                return verdict
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1)

    def forget(self, keys: Sequence[str]) -> None:
        """Forget the hits of these keys."""
        with self._lock:
            self._hold()
            try:
                for key in keys:
                    index, _ = self._place(self._digest(key), self._clock())
                    self._map[index : index + _KEY] = _EMPTY
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
            size = os.fstat(self._file).st_size
            if size != _SIZE or os.pread(self._file, len(MAGIC), 0) != MAGIC:
                os.ftruncate(self._file, 0)
                os.ftruncate(self._file, _SIZE)
                os.pwrite(self._file, _HEADER.pack(MAGIC, os.urandom(32)), 0)
            self._map = mmap.mmap(self._file, _SIZE)
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1)
        self._secret = _HEADER.unpack_from(self._map, 0)[1]

    def _digest(self, key: str) -> bytes:
        return hashlib.blake2b(
            key.encode("utf-8", "surrogatepass"), digest_size=_KEY, key=self._secret
        ).digest()

    def _place(self, digest: bytes, now: float) -> tuple[int, int]:
        """Return where the key and the record of a client stand, or should stand."""
        start = _HEADER.size + int.from_bytes(digest[:4]) % SETS * _SET_SIZE
        names = self._map[start : start + WAYS * _KEY]
        at = names.find(digest)
        way = at // _KEY if at >= 0 and at % _KEY == 0 else self._least(start, names, now)
        return start + way * _KEY, start + WAYS * _KEY + way * _RECORD_SIZE

    def _least(self, start: int, names: bytes, now: float) -> int:
        """Empty the place that is missed least, and return its number."""
        ways = range(WAYS)
        for way in ways:
            if names[way * _KEY : (way + 1) * _KEY] == _EMPTY:
                return way
        heads = [_HEAD.unpack_from(self._map, start + WAYS * _KEY + way * _RECORD_SIZE) for way in ways]
        way = min(ways, key=lambda way: (heads[way][0] > now, heads[way][1], heads[way][0]))
        self._map[start + way * _KEY : start + (way + 1) * _KEY] = _EMPTY
        return way

    def _read(self, place: tuple[int, int], rate: Rate, now: float) -> Window:
        index, record = place
        if self._map[index : index + _KEY] == _EMPTY:
            return Window(rate)
        _, _, used = _HEAD.unpack_from(self._map, record)
        if used > STEPS:
            return Window(rate)
        cells = _CELLS[used].unpack_from(self._map, record + _HEAD.size)
        window = Window(rate, list(cells[:used]), list(cells[used:]))
        # What a clock that began anew with the machine left behind does not count.
        if used and window.times[-1] > now:
            return Window(rate)
        window.slide(now)
        return window

    def _write(self, place: tuple[int, int], digest: bytes, window: Window) -> None:
        index, record = place
        times = window.times
        used = len(times)
        _HEAD.pack_into(self._map, record, times[-1] + window.seconds, window.share, used)
        _CELLS[used].pack_into(self._map, record + _HEAD.size, *times, *window.counts)
        self._map[index : index + _KEY] = digest


def folder() -> Path:
    """Return where the files of an app's workers belong when no path is set: in memory where there is such a folder."""
    memory = Path("/dev/shm")  # noqa: S108
    base = memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
    return base / f"stopper-{os.geteuid() if hasattr(os, 'geteuid') else 0}"


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
