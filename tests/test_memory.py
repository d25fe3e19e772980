"""What a run needs of Python's memory: the collector off, and room for its frames."""

import gc
import sys

import pytest

from stopper.memory import uninterrupted

DEEP = 300
"""How deeply the test calls: far enough for its frames to cross the end of a chunk."""


def test_the_collector_is_off_meanwhile_and_on_again_after_an_error():
    @uninterrupted
    def work(number: int, *, fails: bool) -> int:
        """Say what there is."""
        assert not gc.isenabled()
        if fails:
            raise ValueError(number)
        return number + 1

    assert gc.isenabled()
    assert work(1, fails=False) == 2
    with pytest.raises(ValueError, match="1"):
        work(1, fails=True)
    assert gc.isenabled()
    assert work.__doc__ == "Say what there is."


def test_the_collector_stays_off_for_who_had_it_off():
    gc.disable()
    try:
        uninterrupted(lambda: None)()
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count page faults")
def test_calls_at_any_depth_ask_for_no_memory_again_and_again():
    import resource

    def leaf() -> None:
        return None

    def descend(left: int) -> None:
        for _ in range(50):
            leaf()
        if left:
            descend(left - 1)

    def faults() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        descend(DEEP)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    assert uninterrupted(faults)() < 100


def test_an_endless_recursion_still_ends():
    def endless() -> None:
        endless()

    with pytest.raises(RecursionError):
        uninterrupted(endless)()
