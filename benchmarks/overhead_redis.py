"""Measure what limits in Redis add to a request, beside Flask-Limiter with the same Redis on the same app.

    python benchmarks/overhead_redis.py [--rounds N] [--requests N] [--write]

A Redis of its own is started on a free port of the loopback. The app is that of `overhead.py`; only limits are on. The guard asks Redis once a request
for all limits of a route; Limiter asks once or more for each. Wall-clock time counts here as well, because a request waits for Redis. `--write` writes
benchmarks/overhead_redis.md.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from overhead import Caller, application
from pages import circumstances, write_page

from stopper import Stopper
from stopper.guard.guards import GUARDS

sys.path.insert(0, str(Path(__file__).parents[1]))
loopback = importlib.import_module("tests.loopback")

WIDE = ("1000000 per minute", "9000000 per hour")
"""One limit and two, so wide that none is reached."""


@contextmanager
def redis() -> Iterator[str]:
    """Start a Redis and yield its URL."""
    command = shutil.which("redis-server")
    if command is None:
        sys.exit("redis-server is not installed")
    port = loopback.free_port()
    with tempfile.TemporaryDirectory() as folder:
        words = [command, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        server = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        try:
            if not loopback.wait_for(lambda: loopback.listening(port)):
                sys.exit("redis-server does not answer")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(10)


def limiter(url: str, limits: tuple[str, ...], strategy: str) -> Flask:
    """Return the app with Flask-Limiter; with its headers, as the guard sends them."""
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = application()
    Limiter(
        get_remote_address,
        app=app,
        default_limits=list(limits),
        storage_uri=url,
        strategy=strategy,
        headers_enabled=True,
        key_prefix=strategy,
    )
    return app


def guarded(url: str, limits: tuple[str, ...]) -> Flask:
    """Return the app with the guard's limits alone."""
    app = application()
    app.config["TRUSTED_HOSTS"] = ["shop.example"]
    off = {kind.name: "off" for kind in GUARDS if kind.switch and kind.name != "limits"}
    Stopper(
        app, limits_default="; ".join(limits), limits_refusals=None, limits_login=None, storage=url, **off
    )
    return app


def measure(apps: dict[str, Flask], rounds: int, requests: int) -> dict[str, tuple[float, float]]:
    """Return the CPU time and the wall-clock time of a request in microseconds; the apps take turns."""
    callers = {name: Caller(app, "json") for name, app in apps.items()}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in apps}
    for _ in range(rounds):
        for name, caller in callers.items():
            processor, clock = time.process_time(), time.perf_counter()
            for _ in range(requests):
                caller()
            spent = time.process_time() - processor, time.perf_counter() - clock
            times[name].append((spent[0] / requests * 1e6, spent[1] / requests * 1e6))
    return {
        name: (statistics.median(one[0] for one in all_), statistics.median(one[1] for one in all_))
        for name, all_ in times.items()
    }


def table(url: str, rounds: int, requests: int) -> str:
    """Measure every app with one limit and with two, and return the figures as a Markdown table."""
    makers: dict[str, Callable[[tuple[str, ...]], Flask]] = {
        "bare": lambda _: application(),
        "Stopper, sliding window": lambda limits: guarded(url, limits),
        "Limiter, sliding-window-counter": lambda limits: limiter(url, limits, "sliding-window-counter"),
        "Limiter, moving-window": lambda limits: limiter(url, limits, "moving-window"),
        "Limiter, fixed-window": lambda limits: limiter(url, limits, "fixed-window"),
    }
    lines = [
        "| limits | app | CPU µs | added CPU µs | added wall-clock µs | of Limiter's fixed window |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for limits in (WIDE[:1], WIDE):
        found = measure({name: make(limits) for name, make in makers.items()}, rounds, requests)
        base, peer = found["bare"], found["Limiter, fixed-window"]
        for name, (processor, clock) in found.items():
            added = processor - base[0]
            share = f"{added / (peer[0] - base[0]):.2f}" if name != "bare" else ""
            cells = (name, f"{processor:.0f}", f"{added:.0f}", f"{clock - base[1]:.0f}", share)
            lines.append(f"| {len(limits)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description="Measure what limits in Redis add to a request.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--write", action="store_true", help="write benchmarks/overhead_redis.md")
    options = parser.parse_args()
    logging.disable(logging.ERROR)
    measured = circumstances("flask", "flask-limiter", "redis")
    with redis() as url:
        found = table(url, options.rounds, options.requests)
    text = f"{found}\n\nA request, median of {options.rounds} rounds. {measured}"
    print(text)
    if options.write:
        write_page(__file__, "What limits in Redis add to a request", __doc__, text)


if __name__ == "__main__":
    main()
