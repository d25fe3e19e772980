"""Reach: all that the work on a root has rested on, directly and by way of the summaries that it used.

Summaries are worked out once and used by many roots. What a root rests on is put together from all that it used, whoever had
worked that out, so that it is the same for a root that is solved alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from operator import or_

from stopper.records import dataclass, field
from stopper.taint.engine import MAX_CALLS, MAX_GENERAL, MAX_STEPS
from stopper.taint.pages import Place
from stopper.taint.summary import Summary, Trail


@dataclass(slots=True, eq=False)
class Reach:
    """What a root rests on."""

    rests: int = 0
    """The parts of the code that were asked: see ``Names.rested``."""
    called: tuple[int, ...] = ()
    """The functions that calls reached, by the identity of their scopes; as a set it would take eight times the memory."""
    followed: tuple[int, ...] = ()
    """Those of them that were followed to their ends."""
    rendered: set[int] = field(default_factory=set)
    """The templates that were rendered, by their identity."""
    shown: set[Place] = field(default_factory=set)
    """What came out at places of templates."""
    bounded: bool = False
    """Whether so much lies on the way that a bound has a part in it, or may have where nothing is known before."""


def reach(trail: Trail) -> Reach:
    """Return all that a root rests on, by the trail of the root itself."""
    used = _used(trail)
    trails = [one.trail for one in used if one.trail is not None]
    rests = reduce(or_, [one.rests for one in trails], trail.rests)
    found = Reach(rests, rendered=set(trail.rendered))
    called = {one.scope for one in trails}
    followed = {one.trail.scope for one in used if one.trail is not None and not one.cut}
    called.update(trail.called, *[one.called for one in trails if one.called])
    found.called, found.followed = tuple(called), tuple(followed)
    found.rendered.update(*[one.rendered for one in trails if one.rendered])
    found.shown = set().union(*[one.shown for one in used if one.shown])
    found.bounded = _is_bounded(trail, trails)
    return found


def merged(reaches: Sequence[Reach]) -> Reach:
    """Return all that any of some roots or modules rests on; bounded where the first one is."""
    return Reach(
        reduce(or_, [one.rests for one in reaches]),
        tuple(set().union(*[one.called for one in reaches])),
        tuple(set().union(*[one.followed for one in reaches])),
        set().union(*[one.rendered for one in reaches]),
        set().union(*[one.shown for one in reaches]),
        reaches[0].bounded,
    )


def _is_bounded(root: Trail, trails: list[Trail]) -> bool:
    """Tell whether so much was worked out, by whomever, that a root alone may come to a bound."""
    if root.height > MAX_CALLS or sum([one.steps for one in trails]) > MAX_STEPS:
        return True
    if len(trails) < MAX_GENERAL:
        return False
    counts = Counter(one.scope for one in trails if one.scope)
    return max(counts.values(), default=0) >= MAX_GENERAL


def _used(trail: Trail) -> list[Summary]:
    """Return all summaries that were used."""
    used: dict[int, Summary] = {}
    waiting = [trail.uses]
    while waiting:
        for key, summary in waiting.pop().items():
            if key not in used:
                used[key] = summary
                inner = summary.trail
                if inner is not None and inner.uses:
                    waiting.append(inner.uses)
    return list(used.values())
