"""Limits in Redis: one round trip a request, the same verdicts as in memory, and the site stays up without it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.loopback import wait_for

from stopper.errors import ConfigurationError
from stopper.guard.rates import STEPS, Rate
from stopper.guard.remote import PAUSES, TIMEOUT, Remote
from stopper.guard.shared import SharedFile
from stopper.guard.stores import Ask, Memory


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def remote(redis: Any, told: list[tuple[str, str]], clock: Clock) -> Iterator[Remote]:
    local = Memory()
    made = Remote(redis.url, "test", lambda: local, lambda *what: told.append(what), clock)
    yield made
    made.close()


def hits(store: Remote | Memory, rate: Rate, count: int, key: str = "a") -> int:
    return sum(store.take([Ask(key, rate)]).full < 0 for _ in range(count))


def test_the_limit_holds(remote: Remote) -> None:
    assert hits(remote, Rate(10, 60), 30) == 10
    assert hits(remote, Rate(10 * STEPS, 60), 12 * STEPS, "many") == 10 * STEPS


def test_the_window_slides(remote: Remote) -> None:
    rate = Rate(3, 3)

    assert hits(remote, rate, 2) == 2
    time.sleep(1.7)
    assert hits(remote, rate, 5) == 1
    time.sleep(1.7)
    assert hits(remote, rate, 5) == 2, "the first two have left the window, the third has not"


def test_verdicts_are_those_of_memory(remote: Remote) -> None:
    memory = Memory()
    asks = [Ask("a", Rate(7, 60)), Ask("b", Rate(3, 3600)), Ask("c", Rate(100, 60), 0)]

    for _ in range(5):
        far, near = remote.take(asks), memory.take(asks)
        assert far[:3] == near[:3]
        assert far.wait == pytest.approx(near.wait, abs=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    requests=st.lists(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.integers(0, 1)),
            min_size=1,
            max_size=3,
            unique_by=lambda one: one[0],
        ),
        max_size=40,
    ),
    amounts=st.tuples(st.integers(1, 6), st.integers(1, 12), st.integers(30, 60)),
)
def test_whatever_is_asked_redis_the_file_and_memory_agree(
    remote: Remote, tmp_path: Path, requests: list[list[tuple[str, int]]], amounts: tuple[int, int, int]
) -> None:
    memory, file = Memory(), SharedFile(tmp_path / "limits")
    for store in (remote, file):
        store.forget(["a", "b", "c"])
    rates = {key: Rate(amount, 3600) for key, amount in zip("abc", amounts, strict=True)}

    for request in requests:
        asks = [Ask(key, rates[key], cost) for key, cost in request]
        assert remote.take(asks)[:3] == memory.take(asks)[:3] == file.take(asks)[:3]
    file.close()


def test_several_limits_are_one_round_trip(remote: Remote, redis: Any) -> None:
    asks = [Ask(f"limit {number}", Rate(1000, 60)) for number in range(4)]
    remote.take(asks)
    before = redis.commands()

    for _ in range(10):
        remote.take(asks)

    # A script counts what it calls: TIME once, GET and SET once a limit; the rest are the ten calls and this question.
    assert redis.commands() - before == 10 * (1 + 1 + 2 * len(asks)) + 1


def test_what_is_forgotten_counts_no_more(remote: Remote) -> None:
    hits(remote, Rate(2, 60), 2)

    remote.forget(["a"])

    assert hits(remote, Rate(2, 60), 3) == 2


def test_two_apps_on_one_server_keep_apart(redis: Any) -> None:
    one = Remote(redis.url, "one", Memory, lambda *_: None)
    two = Remote(redis.url, "two", Memory, lambda *_: None)

    assert hits(one, Rate(2, 60), 5) == 2
    assert hits(two, Rate(2, 60), 5) == 2
    one.close()
    two.close()


def test_limits_go_on_in_memory_when_the_server_is_gone_and_come_back_by_themselves(
    remote: Remote, redis: Any, told: list[tuple[str, str]], clock: Clock
) -> None:
    rate = Rate(10, 60)
    assert hits(remote, rate, 4) == 4

    redis.kill()
    assert hits(remote, rate, 30) == 10, (
        "the memory of this process counts anew, and no further than the limit"
    )
    assert [action for action, _ in told] == ["degraded"]

    redis.start()
    clock.now += PAUSES[1] + 1
    assert hits(remote, rate, 30) == 10
    assert [action for action, _ in told] == ["degraded", "recovered"]


def test_a_server_that_is_gone_is_asked_less_and_less(
    remote: Remote, redis: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis.kill()
    asked = []
    script = remote._script
    monkeypatch.setattr(remote, "_script", lambda *given: (asked.append(clock.now), script(*given)))

    for _ in range(600):
        remote.take([Ask("a", Rate(5, 60))])
        clock.now += 0.1

    assert len(asked) == 7, asked
    assert asked[-1] - asked[-2] == pytest.approx(PAUSES[1], abs=0.2)


def test_a_server_that_does_not_answer_holds_up_one_request_for_a_moment(told: list[tuple[str, str]]) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        remote = Remote(url, "test", Memory, lambda *what: told.append(what))

        began = time.monotonic()
        remote.take([Ask("a", Rate(5, 60))])
        first = time.monotonic() - began
        began = time.monotonic()
        for _ in range(20):
            remote.take([Ask("a", Rate(5, 60))])

        assert first < 10 * TIMEOUT
        assert time.monotonic() - began < 10 * TIMEOUT, "while it is left alone, nobody waits"
        remote.close()


def test_a_restarted_server_does_not_make_one_request_fail(
    remote: Remote, redis: Any, told: list[tuple[str, str]]
) -> None:
    hits(remote, Rate(5, 60), 1)

    redis.kill()
    redis.start()

    assert hits(remote, Rate(5, 60), 9) == 5
    assert told == [], "a connection that has gone stale is replaced at once"


def test_a_key_of_something_else_does_not_stop_the_site(remote: Remote, told: list[tuple[str, str]]) -> None:
    remote._client.lpush("test:a", "not ours")

    assert hits(remote, Rate(2, 60), 5) == 2
    assert told[0][0] == "degraded"


def other(redis: Any, folder: Path, *more: str) -> Any:
    """Return a second server, started with more words."""
    folder.mkdir()
    server = type(redis)(folder, *more)
    server.start()
    return server


@pytest.mark.parametrize("kind", ["valkey", "sentinel", "cluster"])
def test_its_relatives_are_served_too(
    redis: Any, tmp_path: Path, told: list[tuple[str, str]], kind: str
) -> None:
    second, url = redis, redis.url
    if kind == "valkey":
        pytest.importorskip("valkey", reason="the client of Valkey is not installed")
        url = redis.url.replace("redis", "valkey")
    elif kind == "sentinel":
        settings = tmp_path / "sentinel.conf"
        settings.write_text(f"sentinel monitor shop 127.0.0.1 {redis.port} 1\n")
        second = other(redis, tmp_path / "other", str(settings), "--sentinel")
        url = f"redis+sentinel://127.0.0.1:{second.port}/shop"
    else:
        second = other(redis, tmp_path / "other", "--cluster-enabled", "yes")
        second._ask(b"CLUSTER ADDSLOTSRANGE 0 16383\r\n")
        assert wait_for(lambda: b"cluster_state:ok" in second._ask(b"CLUSTER INFO\r\n"))
        url = f"redis+cluster://127.0.0.1:{second.port}"
    remote = Remote(url, "test", Memory, lambda *what: told.append(what))

    asks = [Ask("one", Rate(3, 60)), Ask("two", Rate(50, 3600))]
    verdicts = [remote.take(asks).full for _ in range(5)]
    remote.close()
    second.kill()

    assert verdicts == [-1, -1, -1, 0, 0]
    assert told == []


@pytest.mark.parametrize("url", ["redis://localhost:port/0", "redis+nonsense://localhost"])
def test_a_url_that_cannot_be_used_is_an_error_at_start_up(url: str) -> None:
    with pytest.raises(ConfigurationError, match="STOPPER_STORAGE"):
        Remote(url, "test", Memory, lambda *_: None)


def test_the_password_in_a_url_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Remote("redis://user:hunter2@localhost:port/0", "test", Memory, lambda *_: None)

    assert "hunter2" not in str(caught.value)
