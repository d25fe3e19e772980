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


def _forked(compute: Callable[[], object]) -> tuple[int, int] | None:
    """Return the new process and the pipe from which its answer can be read; None when there is none."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()
    try:
        reader, writer = os.pipe()
    except OSError:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # a library's own threads hold no lock of ours
            process = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        return None
    if process:
        os.close(writer)
        return process, reader
    os.close(reader)
    _work(compute, writer)
    return None


def _work(compute: Callable[[], object], writer: int) -> None:
    """Compute, write the answer, and end: nothing of what the parent has open or still plans to do may happen twice."""
    import pickle

    code = 1
    try:
        gc.freeze()
        answer = pickle.dumps((compute(),), pickle.HIGHEST_PROTOCOL)
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(answer)
        code = 0
    finally:
        os._exit(code)  # an error is raised anew where the answer is asked for


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
