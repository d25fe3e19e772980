"""A window that slides lets through what the limit says, wherever one lays the window, in every memory there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stopper.errors import ConfigurationError
from stopper.guard.rates import STEPS, Rate, parse_rates
from stopper.guard.shared import SETS, WAYS, SharedFile, folder
from stopper.guard.stores import Ask, Memory, Store


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    if request.param == "memory":
        yield Memory(clock=clock)
        return
    shared = SharedFile(tmp_path / "limits", clock=clock)
    yield shared
    shared.close()


def hits(store: Store, rate: Rate, count: int, key: str = "a") -> int:
    return sum(store.take([Ask(key, rate)]).full < 0 for _ in range(count))


def test_ten_a_minute_is_ten_in_any_minute(store: Store, clock: Clock) -> None:
    rate = Rate(10, 60)

    assert hits(store, rate, 3) == 3
    clock.now += 50
    assert hits(store, rate, 30) == 7
    clock.now += 11
    assert hits(store, rate, 30) == 3, "only the first three have left the window"


def test_the_wait_that_is_told_is_the_wait_that_is_needed(store: Store, clock: Clock) -> None:
    rate = Rate(3, 60)
    for _ in range(3):
        hits(store, rate, 1)
        clock.now += 7

    verdict = store.take([Ask("a", rate)])
    clock.now += verdict.wait - 0.01
    assert verdict.full == 0
    assert store.take([Ask("a", rate)]).full == 0
    clock.now += 0.02
    assert store.take([Ask("a", rate)]).full == -1


def test_a_refused_request_does_not_lengthen_the_wait(store: Store, clock: Clock) -> None:
    rate = Rate(2, 10)
    hits(store, rate, 2)

    for _ in range(9):
        clock.now += 1
        assert hits(store, rate, 1) == 0
    clock.now += 1.1
    assert hits(store, rate, 3) == 2


def test_of_several_limits_none_counts_what_another_refuses(store: Store) -> None:
    narrow, wide = Rate(1, 60), Rate(5, 60)

    for _ in range(4):
        store.take([Ask("wide", wide), Ask("narrow", narrow)])

    assert store.take([Ask("wide", wide, 0)]).left == 4


def test_a_window_that_ran_empty_while_another_refused_counts_again(store: Store, clock: Clock) -> None:
    short, long = Ask("short", Rate(2, 1)), Ask("long", Rate(1, 60))
    store.take([short, long])

    clock.now += 2
    assert store.take([short, long]).full == 1
    assert store.take([short]).full == -1


def test_limits_of_one_request_do_not_take_each_others_place(store: Store) -> None:
    asks = [Ask(f"limit {number}", Rate(3, 60)) for number in range(300)]

    for _ in range(3):
        assert store.take(asks).full == -1

    assert {store.take([ask]).full for ask in asks} == {0}


def test_looking_counts_nothing(store: Store) -> None:
    rate = Rate(2, 60)

    for _ in range(5):
        assert store.take([Ask("a", rate, 0)]) == (-1, 0, 2, 60)


def test_the_tightest_limit_is_told(store: Store) -> None:
    asks = [Ask("a", Rate(100, 60)), Ask("b", Rate(4, 3600))]

    verdict = store.take(asks)

    assert (verdict.tightest, verdict.left) == (1, 3)


def test_what_is_forgotten_counts_no_more(store: Store) -> None:
    rate = Rate(2, 60)
    hits(store, rate, 2)

    store.forget(["a", "never seen"])

    assert hits(store, rate, 5) == 2


def test_clients_and_limits_are_kept_apart(store: Store) -> None:
    assert hits(store, Rate(2, 60), 5, "a") == 2
    assert hits(store, Rate(2, 60), 5, "b") == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    amount=st.integers(1, 3 * STEPS),
    steps=st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=200),
    file=st.booleans(),
)
def test_no_window_ever_holds_more_than_the_limit(
    amount: int, steps: list[float], file: bool, tmp_path: Path
) -> None:
    clock, rate = Clock(), Rate(amount, 60)
    store: Store = SharedFile(tmp_path / "property", clock) if file else Memory(clock=clock)
    store.forget(["a"])
    let_through: list[float] = []
    longest = rate.seconds + rate.grain

    for step in steps:
        clock.now += step
        free = amount - sum(at > clock.now - longest for at in let_through)
        accepted = store.take([Ask("a", rate)]).full < 0
        assert accepted or free <= 0, "refused although there was room"
        if accepted:
            let_through.append(clock.now)
        assert sum(at > clock.now - rate.seconds for at in let_through) <= amount
    if isinstance(store, SharedFile):
        store.close()


def test_the_memory_is_bounded_and_keeps_who_did_most() -> None:
    memory = Memory(clients=100, clock=Clock())
    attacker = Rate(5, 60)
    assert hits(memory, attacker, 9, "attacker") == 5

    for number in range(1000):
        memory.take([Ask(f"passer-by {number}", attacker)])

    assert len(memory) <= 101
    assert hits(memory, attacker, 9, "attacker") == 0


def test_what_is_over_makes_room_first() -> None:
    clock = Clock()
    memory = Memory(clients=10, clock=clock)
    for number in range(10):
        hits(memory, Rate(5, 1), 5, f"early {number}")
    clock.now += 2

    memory.take([Ask("late", Rate(5, 60))])

    assert len(memory) == 1


def test_the_file_keeps_its_size_and_who_did_most(tmp_path: Path) -> None:
    store = SharedFile(tmp_path / "limits", Clock())
    size = store.path.stat().st_size
    rate = Rate(5, 60)
    assert hits(store, rate, 9, "attacker") == 5

    for number in range(SETS * WAYS):
        store.take([Ask(f"passer-by {number}", rate)])

    assert hits(store, rate, 9, "attacker") == 0
    assert store.path.stat().st_size == size
    store.close()


def test_two_that_open_the_file_share_it(tmp_path: Path, clock: Clock) -> None:
    rate = Rate(3, 60)
    one, two = SharedFile(tmp_path / "limits", clock), SharedFile(tmp_path / "limits", clock)

    assert hits(one, rate, 2) == 2
    assert hits(two, rate, 2) == 1
    one.close()
    two.close()


def test_a_clock_that_began_anew_locks_nobody_out(tmp_path: Path, clock: Clock) -> None:
    store = SharedFile(tmp_path / "limits", clock)
    assert hits(store, Rate(2, 60), 3) == 2

    clock.now = 5.0

    assert hits(store, Rate(2, 60), 3) == 2
    store.close()


def test_a_file_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "letters"
    path.write_bytes(b"Dear Ann" * 500)
    path.chmod(0o600)

    with pytest.raises(ConfigurationError, match="no file of limits"):
        SharedFile(path)

    assert path.read_bytes() == b"Dear Ann" * 500


def test_a_file_whose_maker_was_killed_is_laid_out_again(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "limits"
    path.write_bytes(bytes(5000))
    path.chmod(0o600)
    store = SharedFile(path, clock)

    assert hits(store, Rate(2, 60), 3) == 2
    store.close()


def test_a_disk_without_room_is_told_at_once_and_kills_nobody_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)

    with pytest.raises(ConfigurationError, match="No space left"):
        SharedFile(tmp_path / "limits")


@pytest.mark.parametrize("spoil", ["writable", "link", "file"])
def test_a_folder_that_others_can_write_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    made = folder()
    assert made.stat().st_mode & 0o777 == 0o700

    if spoil == "writable":
        made.chmod(0o777)
    else:
        made.rmdir()
        made.symlink_to(tmp_path) if spoil == "link" else made.write_text("")

    with pytest.raises((ConfigurationError, OSError)):
        folder()


@pytest.mark.parametrize("spoil", ["readable", "link"])
def test_a_file_that_others_can_write_is_refused(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "limits"
    if spoil == "link":
        (tmp_path / "elsewhere").write_bytes(b"")
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.write_bytes(b"")
        path.chmod(0o666)

    with pytest.raises(ConfigurationError, match="STOPPER_STORAGE"):
        SharedFile(path)


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("10 per minute", ["10 per minute"]),
        ("10/minute", ["10 per minute"]),
        ("100 per hour; 5/second", ["5 per second", "100 per hour"]),
        ("3 per 15 minutes", ["3 per 15 minutes"]),
        ("1 per day", ["1 per day"]),
    ],
)
def test_the_usual_notations_are_read(text: str, rates: list[str]) -> None:
    assert [str(rate) for rate in parse_rates(text, "here")] == rates


@pytest.mark.parametrize(
    "text",
    ["", "10 per minuet", "ten per minute", "10", "0 per minute", "-1 per hour", None, 10, "1/fortnight;"],
)
def test_a_typo_in_a_rate_says_where_and_what_to_write(text: object) -> None:
    with pytest.raises(ConfigurationError, match=r"STOPPER_LIMITS_DEFAULT: .*"):
        parse_rates(text, "STOPPER_LIMITS_DEFAULT")


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader_of_rates(text: str) -> None:
    try:
        rates = parse_rates(text, "here")
    except ConfigurationError:
        return
    assert rates


def test_all_of_a_burst_are_counted_by_threads(store: Store, in_threads: Callable[..., list[int]]) -> None:
    rate = Rate(50, 60)

    accepted = in_threads(8, lambda: hits(store, rate, 25))

    assert sum(accepted) == 50


@pytest.fixture
def in_threads() -> Callable[..., list[int]]:
    from concurrent.futures import ThreadPoolExecutor

    def run(count: int, work: Callable[[], int]) -> list[int]:
        with ThreadPoolExecutor(count) as pool:
            return [one.result(timeout=60) for one in [pool.submit(work) for _ in range(count)]]

    return run
