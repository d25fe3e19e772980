"""Reach: all that the work on a root has rested on, directly and by way of the summaries that it used.

Summaries are worked out once and used by many roots. What a root rests on is put together from all that it used, whoever had
worked that out, so that it is the same for a root that is solved alone.
"""

from __future__ import annotations

from collections import Counter

from stopper.records import dataclass, field
from stopper.taint.engine import MAX_CALLS, MAX_GENERAL, MAX_STEPS
from stopper.taint.pages import Place
from stopper.taint.summary import Summary, Trail


@dataclass(slots=True, eq=False)
class Reach:
    """What a root rests on."""

    rests: int = 0
    """The modules whose code and names were asked: see ``Names.rested``."""
    called: set[int] = field(default_factory=set)
    """The functions that calls reached, by the identity of their scopes."""
    followed: set[int] = field(default_factory=set)
    """Those of them that were followed to their ends."""
    rendered: set[int] = field(default_factory=set)
    """The templates that were rendered, by their identity."""
    shown: set[Place] = field(default_factory=set)
    """What came out at places of templates."""
    bounded: bool = False
    """Whether so much lies on the way that a bound has a part in it, or may have where nothing is known before."""


def reach(trail: Trail) -> Reach:
    """Return all that a root rests on, by the trail of the root itself."""
    found = Reach()
    used = _used(trail, found)
    solved: Counter[int] = Counter()
    steps = 0
    for summary in used.values():
        found.shown |= summary.shown
        one = summary.trail
        if one is not None and one.scope:
            found.followed.add(one.scope)
            solved[one.scope] += 1
            steps += one.steps
    many = max(solved.values(), default=0) >= MAX_GENERAL
    found.bounded = many or steps > MAX_STEPS or trail.height > MAX_CALLS
    return found


def _used(trail: Trail, found: Reach) -> dict[int, Summary]:
    """Return all summaries that were used, by their identity, and note what their trails hold."""
    used: dict[int, Summary] = {}
    waiting = [trail]
    while waiting:
        one = waiting.pop()
        found.rests |= one.rests
        found.called |= one.called
        found.rendered |= one.rendered
        for key, summary in one.uses.items():
            if key not in used:
                used[key] = summary
                if summary.trail is not None:
                    waiting.append(summary.trail)
    return used
