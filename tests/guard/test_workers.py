"""Limits hold across the worker processes of a real server, with Redis, without it, and while it dies and comes back."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from stopper.guard.shared import LAYOUT, folder

APP = """
import logging
import os
from flask import Flask
from stopper import Stopper

logging.basicConfig(level=logging.INFO)
app = Flask(__name__)
app.config.update(SECRET_KEY="b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9", TRUSTED_HOSTS=["localhost", "127.0.0.1"])
stopper = Stopper(app, https="off", limits_default="10 per minute", {settings})

@app.get("/")
def index():
    return "hello"

@app.get("/pid")
@stopper.exempt("limits")
def pid():
    return str(os.getpid())
"""


@pytest.fixture
def name() -> Iterator[str]:
    """Return a name for storage that no other test has, and take its file away afterwards: it outlives a server on purpose."""
    made = f"test-{os.getpid()}-{time.monotonic_ns()}"
    yield made
    (folder() / f"{made}.{LAYOUT}").unlink(missing_ok=True)


def load(url: str, requests: int, at_once: int = 8) -> list[httpx.Response]:
    """Send so many requests, so many at once, each over a connection of its own, so that every worker gets some."""
    with (
        httpx.Client(timeout=20, trust_env=False, headers={"Connection": "close"}) as client,
        ThreadPoolExecutor(at_once) as pool,
    ):
        return list(pool.map(lambda _: client.get(url), range(requests)))


def awake(url: str, workers: int) -> bool:
    """Wait until every worker has answered."""
    seen: set[str] = set()
    end = time.monotonic() + 30
    while len(seen) < workers and time.monotonic() < end:
        seen |= {answer.text for answer in load(f"{url}/pid", 16)}
    return len(seen) == workers


def codes(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def test_ten_a_minute_is_ten_across_four_workers_with_redis(
    serve: Callable[..., Any], redis: Any, name: str
) -> None:
    server = serve(APP.format(settings=f"storage={redis.url!r}, storage_name={name!r}"), workers=4)
    assert awake(server.url, 4)

    answers = load(server.url, 80)

    assert codes(answers) == {200: 10, 429: 70}
    assert all(int(one.headers["Retry-After"]) <= 60 for one in answers if one.status_code == 429)


def test_ten_a_minute_is_ten_across_four_workers_without_redis(serve: Callable[..., Any], name: str) -> None:
    server = serve(APP.format(settings=f"storage_name={name!r}"), workers=4)
    assert awake(server.url, 4)

    assert codes(load(server.url, 80)) == {200: 10, 429: 70}
    assert "Several processes serve the app: its limits are shared through" in server.log


def test_memory_that_is_asked_for_is_shared_as_well(serve: Callable[..., Any], name: str) -> None:
    server = serve(APP.format(settings=f"storage='memory', storage_name={name!r}"), workers=4)
    assert awake(server.url, 4)

    assert codes(load(server.url, 40)) == {200: 10, 429: 30}


def test_a_file_is_shared_by_whoever_names_it(serve: Callable[..., Any], tmp_path: Any) -> None:
    settings = f"storage='file://{tmp_path}/limits'"
    one, two = serve(APP.format(settings=settings), workers=2), serve(APP.format(settings=settings))

    assert codes(load(one.url, 6) + load(two.url, 20)) == {200: 10, 429: 16}


def test_production_is_not_served_where_workers_can_share_nothing(
    serve: Callable[..., Any], http: httpx.Client
) -> None:
    server = serve(APP.format(settings="storage='file:///proc/no/such/place'"), workers=2)

    assert http.get(server.url).status_code == 503
    assert "STOPPER_STORAGE = " in server.log


def test_two_apps_in_one_process_keep_apart(
    serve: Callable[..., Any], redis: Any, http: httpx.Client
) -> None:
    two = """
    from flask import Flask
    from stopper import Stopper
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    stopper = Stopper()

    def make(name, limit):
        app = Flask(name)
        app.config.update(SECRET_KEY="b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9", TRUSTED_HOSTS=["127.0.0.1"])
        app.add_url_rule("/", "index", lambda: name)
        stopper.init_app(app, https="off", limits_default=limit, {settings})
        return app

    app = DispatcherMiddleware(make("one", "2 per minute"), {{"/two": make("two", "4 per minute")}})
    """
    for settings in ("storage='auto'", f"storage={redis.url!r}"):
        server = serve(two.format(settings=settings), env={"STOPPER_STORAGE_NAME": ""})

        first = [http.get(f"{server.url}/").status_code for _ in range(4)]
        second = [http.get(f"{server.url}/two/").status_code for _ in range(6)]

        assert first == [200, 200, 429, 429]
        assert second == [200] * 4 + [429] * 2


@pytest.mark.parametrize("workers", [1, 4])
def test_redis_dies_under_load_and_comes_back(
    serve: Callable[..., Any], redis: Any, name: str, workers: int
) -> None:
    server = serve(APP.format(settings=f"storage={redis.url!r}, storage_name={name!r}"), workers=workers)
    assert awake(server.url, workers)
    assert codes(load(server.url, 20)) == {200: 10, 429: 10}

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(load, server.url, 120, 6)
        time.sleep(0.1)
        redis.kill()
        during = codes(running.result(60))
    gone = codes(load(server.url, 40))
    redis.start()
    back = wait_until_redis_is_asked(server.url, redis)
    after = codes(load(server.url, 60))

    assert set(during) | set(gone) <= {200, 429}, f"{during} {gone}"
    assert during[200] + gone[200] <= 10, "the memory that workers share has its own ten"
    assert back, "nobody asked Redis again"
    assert set(after) <= {200, 429}
    assert after[200] <= 10
    assert "action=degraded" in server.log
    assert "action=recovered" in server.log


def wait_until_redis_is_asked(url: str, redis: Any) -> bool:
    """Send a request now and then until one of them is counted in Redis; a server that failed is left alone for up to 16 s."""
    end = time.monotonic() + 40
    while time.monotonic() < end:
        load(url, 4)
        if b"stopper" in redis._ask(b"KEYS *\r\n"):
            return True
        time.sleep(0.3)
    return False
