"""Work that a second process does meanwhile, where the machine has a second core.

The second process is a fork of this one, so that it knows all that is known so far and only the answer must travel. Where a fork
is not safe (other threads run, no Linux) or does not pay (one core), the work is done here when its answer is asked for. Either
way the answer is the same.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")


def pays() -> bool:
    """Tell whether a second process may be forked here and has a core to run on; ``STOPPER_PROCESSES=1`` forbids it."""
    if not sys.platform.startswith("linux") or threading.active_count() > 1:
        return False
    asked = os.environ.get("STOPPER_PROCESSES", "")
    return asked != "1" and len(os.sched_getaffinity(0)) > 1


class Aside(Generic[_T]):
    """One computation, in a second process or put off until its answer is asked for."""

    def __init__(self, compute: Callable[[], _T], *, apart: bool) -> None:
        """Start the computation if it may be done ``apart``."""
        self._compute = compute
        self._answer: list[_T] = []
        self._owner = os.getpid()
        self._child: tuple[int, int] | None = _forked(compute) if apart else None

    def result(self) -> _T:
        """Return what the computation gave; a second process that failed is replaced by computing here."""
        if not self._answer:
            child, self._child = self._child, None
            own = (
                child is not None and self._owner == os.getpid()
            )  # a fork of the owner must leave the pipe alone
            told: tuple[_T] | None = _received(*child) if own and child is not None else None
            self._answer.append(self._compute() if told is None else told[0])
        return self._answer[0]

    def drop(self) -> None:
        """End the second process if its answer was not asked for."""
        child, self._child = self._child, None
        if child is not None and self._owner == os.getpid():
            with contextlib.suppress(OSError):
                os.kill(child[0], signal.SIGKILL)
            _received(*child)


class Partner:
    """A second process that works on the same facts and takes and gives words as it goes; ``EOFError`` where it is gone."""

    def __init__(self, work: Callable[[Channel], None]) -> None:
        """Fork, and let the fork ``work``."""
        self._child: int | None = None
        mine, its = os.pipe(), os.pipe()
        process = _fork()
        if process == 0:
            os.close(its[0])
            os.close(mine[1])
            _end_after(lambda: work(Channel(mine[0], its[1])))
        os.close(mine[0])
        os.close(its[1])
        self.channel = Channel(its[0], mine[1])
        self._child = process

    def end(self) -> None:
        """End the second process, whether or not it has finished."""
        child, self._child = self._child, None
        if child is None:
            return
        self.channel.close()
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


class Channel:
    """One end of two pipes, on which whole messages come and go."""

    def __init__(self, reader: int, writer: int) -> None:
        """Take the ends of the pipes."""
        self._reader = os.fdopen(reader, "rb")
        self._writer = os.fdopen(writer, "wb")

    def send(self, message: bytes) -> None:
        """Write one message."""
        self._writer.write(len(message).to_bytes(8, "big") + message)
        self._writer.flush()

    def receive(self) -> bytes:
        """Return the next message, as soon as it is there."""
        head = self._reader.read(8)
        size = int.from_bytes(head, "big")
        message = self._reader.read(size)
        if len(head) < 8 or len(message) < size:
            raise EOFError("the other process is gone")
        return message

    def close(self) -> None:
        """Close both pipes."""
        for end in (self._reader, self._writer):
            with contextlib.suppress(OSError):
                end.close()


def _forked(compute: Callable[[], object]) -> tuple[int, int] | None:
    """Return the new process and the pipe from which its answer can be read; None when there is none."""
    try:
        reader, writer = os.pipe()
    except OSError:
        return None
    try:
        process = _fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        return None
    if process:
        os.close(writer)
        return process, reader
    os.close(reader)
    _end_after(lambda: _answer(compute, writer))
    return None


def _fork() -> int:
    """Return the number of a new process, and 0 in it."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a library's own threads hold no lock of ours
        return os.fork()


def _end_after(work: Callable[[], None]) -> None:
    """Work, and end: nothing of what the parent has open or still plans to do may happen twice."""
    code = 1
    try:
        gc.freeze()
        work()
        code = 0
    finally:
        os._exit(code)  # an error is raised anew where the answer is asked for


def _answer(compute: Callable[[], object], writer: int) -> None:
    import pickle

    answer = pickle.dumps((compute(),), pickle.HIGHEST_PROTOCOL)
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(answer)


def _received(process: int, reader: int) -> tuple[Any] | None:
    """Return what the second process wrote, None when it did not come to its end."""
    import pickle  # the only bytes read are those that our own fork wrote into a pipe nobody else can open

    with os.fdopen(reader, "rb") as pipe:
        raw = pipe.read()
    _, status = os.waitpid(process, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        return None
    told: tuple[Any] = pickle.loads(raw)  # noqa: S301 - see the import
    return told
