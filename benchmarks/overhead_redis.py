"""Measure what limits in Redis add to a request, beside Flask-Limiter with the same Redis on the same app.

    python benchmarks/overhead_redis.py [--rounds N] [--requests N]

A Redis of its own is started on a free port of the loopback. The app is that of `overhead.py`; only limits are on. The guard asks Redis once a request
for all limits of a route; Limiter asks once or more for each. Wall-clock time counts here as well, because a request waits for Redis.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask
from overhead import Caller, application

from stopper import Stopper
from stopper.guard.guards import GUARDS

WIDE = ("1000000 per minute", "9000000 per hour")
"""One limit and two, so wide that none is reached."""


@contextmanager
def redis() -> Iterator[str]:
    """Start a Redis and yield its URL."""
    command = shutil.which("redis-server")
    if command is None:
        sys.exit("redis-server is not installed")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        words = [command, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        server = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 20
            while time.monotonic() < end:
                with socket.socket() as one:
                    if one.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
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


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description="Measure what limits in Redis add to a request.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=200)
    options = parser.parse_args()
    logging.disable(logging.ERROR)
    with redis() as url:
        makers: dict[str, Callable[[tuple[str, ...]], Flask]] = {
            "bare": lambda _: application(),
            "Stopper, sliding window": lambda limits: guarded(url, limits),
            "Limiter, sliding-window-counter": lambda limits: limiter(url, limits, "sliding-window-counter"),
            "Limiter, moving-window": lambda limits: limiter(url, limits, "moving-window"),
            "Limiter, fixed-window": lambda limits: limiter(url, limits, "fixed-window"),
        }
        print(
            "| limits | app | CPU µs | added CPU µs | added wall-clock µs | of Limiter's fixed window |\n|---|---|---:|---:|---:|---:|"
        )
        for limits in (WIDE[:1], WIDE):
            found = measure(
                {name: make(limits) for name, make in makers.items()}, options.rounds, options.requests
            )
            base, peer = found["bare"], found["Limiter, fixed-window"]
            for name, (processor, clock) in found.items():
                share = f"{(processor - base[0]) / (peer[0] - base[0]):.2f}" if name != "bare" else ""
                print(
                    f"| {len(limits)} | {name} | {processor:.0f} | {processor - base[0]:.0f} | {clock - base[1]:.0f} | {share} |"
                )


if __name__ == "__main__":
    main()
