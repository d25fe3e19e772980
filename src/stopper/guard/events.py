"""Tell what the guard did: one event, as a blinker signal and as a line of the log `stopper`.

Connect to a signal as to any of Flask's::

    from stopper.guard import events

    @events.refused.connect_via(app)
    def count(app, event):
        statistics.incr(f"refused.{event.guard}")
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from blinker import Namespace

logger: Final = logging.getLogger("stopper")
"""Where each event becomes a line."""

_signals = Namespace()
refused: Final = _signals.signal("stopper-refused")
"""A request was stopped."""
reported: Final = _signals.signal("stopper-reported")
"""A request would have been stopped, were the mode not `report`."""
degraded: Final = _signals.signal("stopper-degraded")
"""A guard lost something it needs, such as its storage, and goes on with less."""
recovered: Final = _signals.signal("stopper-recovered")
"""What was lost is there again."""
locked: Final = _signals.signal("stopper-locked")
"""An account or an address was locked out."""
told: Final = _signals.signal("stopper-told")
"""Something that the developer should know."""

SIGNALS: Final = {
    "refused": refused,
    "reported": reported,
    "degraded": degraded,
    "recovered": recovered,
    "locked": locked,
    "told": told,
}
LEVELS: Final = {"recovered": logging.INFO, "degraded": logging.ERROR}
FLOODING: Final = frozenset(("refused", "reported"))
"""Events that a client can cause as often as it likes."""

LINES: Final = 20
"""How many lines of such events are written in a second, at most, by one process for one app."""

LONGEST: Final = 400
"""The most characters of one value in a line of the log."""

PLAIN: Final = re.compile(r"[\w./:@%+*-]+", re.ASCII)
UNSEEN: Final = re.compile(r"[^\x20-\x7e]|[\"\\]")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a guard did."""

    guard: str
    """The guard's name, such as `limits`."""
    action: str
    """`refused`, `reported`, `degraded`, `recovered`, `locked` or `told`: the signal's name."""
    endpoint: str = ""
    """The endpoint of the request; empty where no rule matched or no request is served."""
    method: str = ""
    """The request's method."""
    path: str = ""
    """The request's path, without its query."""
    address: str = ""
    """The client's address, as far as the stated number of proxies makes it true."""
    detail: str = ""
    """What happened, in a sentence."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else the guard knows; never a secret, a password or a token."""

    def line(self) -> str:
        """Return the event as `key=value` pairs on one line, whatever a client put into them."""
        known = {
            name: getattr(self, name) for name in ("guard", "action", "endpoint", "method", "path", "address")
        }
        pairs = [*known.items(), *self.facts.items(), ("detail", self.detail)]
        return " ".join(f"{name}={quoted(value)}" for name, value in pairs if value not in {"", None})


def quoted(value: object) -> str:
    """Return a value for a line of the log: no control character, no end of line, no end."""
    text = str(value)
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return text if PLAIN.fullmatch(text) else '"' + UNSEEN.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    """Return a character as Python would write it."""
    character = match.group()
    return f"\\{character}" if character in '"\\' else character.encode("unicode_escape").decode("ascii")


class Throttle:
    """Let so many lines a second into the log, and count the rest: who is refused a thousand times a second does not fill the disk as well."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._second = 0
        self._written = 0
        self._missed = 0
        self._lock = threading.Lock()

    def ask(self) -> int | None:
        """Return how many lines were left out since the last one that was written; None where this one is to be left out."""
        second = int(self._clock())
        with self._lock:
            if second != self._second:
                self._second, self._written = second, 0
            if self._written >= LINES:
                self._missed += 1
                return None
            self._written += 1
            missed, self._missed = self._missed, 0
            return missed


def emit(app: Any, event: Event) -> None:
    """Send an event as a signal and write it to the log; of a flood of refusals, some."""
    SIGNALS[event.action].send(app, event=event)
    gate = app.extensions.get("stopper")
    missed = gate.state.throttle.ask() if gate is not None and event.action in FLOODING else 0
    if missed is None:
        return
    if missed:
        logger.warning(
            'guard=stopper action=told detail="%d more were stopped than are written here"', missed
        )
    logger.log(LEVELS.get(event.action, logging.WARNING), "%s", without_secrets(app, event.line()))


def without_secrets(app: Any, line: str) -> str:
    """Return a line of the log with every value left out that the app's configuration calls a secret."""
    gate = app.extensions.get("stopper")
    for secret in gate.state.hidden if gate is not None else ():
        line = line.replace(secret, "[hidden]")
    return line
