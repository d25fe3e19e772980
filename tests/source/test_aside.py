"""A second process gives the answer that this one would have given, and nothing is left of it."""

from __future__ import annotations

import os
import threading

import pytest

from stopper.source.aside import Aside, pays

linux = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


@pytest.mark.parametrize("apart", [False, pytest.param(True, marks=linux)])
def test_the_answer_is_the_same_apart_and_here(apart: bool) -> None:
    aside = Aside(lambda: {"answer": [42] * 100_000}, apart=apart)

    assert aside.result() == {"answer": [42] * 100_000}
    assert aside.result() is aside.result()


@linux
def test_the_work_is_done_in_another_process() -> None:
    assert Aside(os.getpid, apart=True).result() != os.getpid()


@linux
def test_a_process_that_dies_is_replaced_by_working_here() -> None:
    here = os.getpid()

    def die() -> str:
        if os.getpid() != here:
            os._exit(7)
        return "done here"

    assert Aside(die, apart=True).result() == "done here"


@linux
def test_an_error_is_raised_where_the_answer_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        Aside(lambda: 1 // 0, apart=True).result()
    assert capfd.readouterr() == ("", "")


@linux
def test_what_is_dropped_leaves_no_process() -> None:
    aside = Aside(threading.Event().wait, apart=True)
    assert aside._child is not None
    process = aside._child[0]
    aside.drop()
    aside.drop()

    with pytest.raises(ChildProcessError):
        os.waitpid(process, os.WNOHANG)


@linux
def test_a_fork_of_the_owner_leaves_the_pipe_alone() -> None:
    first = Aside(lambda: "first", apart=True)
    second = Aside(first.result, apart=True)

    assert second.result() == "first"
    assert first.result() == "first"


def test_one_process_can_be_demanded_and_threads_forbid_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOPPER_PROCESSES", "1")
    assert not pays()
    monkeypatch.delenv("STOPPER_PROCESSES")
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert not pays()
    finally:
        stop.set()
        thread.join()
