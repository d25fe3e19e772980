"""A flood of refusals reaches whoever listens, and does not fill the log."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from stopper import Stopper
from stopper.guard import events
from stopper.guard.events import LINES, Throttle

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"


def test_so_many_lines_a_second_are_written_and_the_rest_counted() -> None:
    now = 100.0
    throttle = Throttle(lambda: now)

    first = [throttle.ask() for _ in range(LINES + 7)]
    now += 1

    assert first == [0] * LINES + [None] * 7
    assert [throttle.ask(), throttle.ask()] == [7, 0]


def test_every_refusal_is_a_signal_and_few_are_lines(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Flask("flooded")
    app.config.update(SECRET_KEY=KEY, TRUSTED_HOSTS=["localhost"])
    Stopper(app, https="off", limits_default="1 per minute")
    app.add_url_rule("/", "index", lambda: "hello")
    client = app.test_client()
    client.get("/")
    now = 100.0
    monkeypatch.setattr(app.extensions["stopper"].state.throttle, "_clock", lambda: now)
    seen: list[Any] = []

    def note(_: Any, event: Any) -> None:
        seen.append(event)

    with events.refused.connected_to(note, sender=app):
        for _ in range(5 * LINES):
            client.get("/")
        now += 1
        client.get("/")

    assert len(seen) == 5 * LINES + 1
    assert caplog.text.count("action=refused") == LINES + 1
    assert f"{4 * LINES} more were stopped than are written here" in caplog.text
