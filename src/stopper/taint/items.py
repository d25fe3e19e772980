"""Items: what a test of every item of a list says of the list, and one of every address of a host of the host."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from stopper.taint import letters
from stopper.taint.change import Change
from stopper.taint.domain import ALL, EACH, SEQUENCES
from stopper.taint.ir import AccessPath, Build, Call, Load, Operand
from stopper.taint.subjects import RESOLVERS

_LISTS = frozenset(("getlist", "split", "rsplit", "splitlines"))
"""The methods that give a list of texts; what comes as JSON may be an object, of which a loop sees the names alone."""
_HOST = frozenset(("ssrf",))


class Guards(letters.Guards, Protocol):
    """The guards of one function, as far as they are asked here."""

    def changes(self, test: Operand, truth: bool, /) -> list[Change]:
        """Return what is known where ``test`` came out as ``truth``."""


class Whole(NamedTuple):
    """What items are walked through of."""

    path: AccessPath
    host: bool
    """Whether the items are the addresses of a host."""

    def settled(self, kinds: frozenset[str]) -> frozenset[str]:
        """Return the kinds that the whole is safe for where each of its items is safe for these."""
        if not self.host:
            return kinds
        return _HOST if kinds & {"ssrf", ALL} else frozenset()


def whole(guards: Guards, walked: Operand) -> Whole | None:
    """Return what a test of each item is a test of; None where more is held than a loop sees, as in a dict."""
    made = guards.op(walked)
    if isinstance(made, Call) and made.last in RESOLVERS:
        path, _ = guards.subject(walked)
        return Whole(path, host=True) if path is not None else None
    if not isinstance(walked, AccessPath):
        return None
    listed = isinstance(made, Call) and made.last in _LISTS
    return Whole(walked, host=False) if listed or guards.read(walked).shape in SEQUENCES else None


def every_changes(guards: Guards, tested: Operand, *, truth: bool) -> list[Change]:
    """Return what ``all(is_name(one) for one in names)`` says, and ``any(is_bad(one) for one in names)`` that is false."""
    found = letters.letter_changes(guards, tested, refused=not truth)
    made = guards.op(tested)
    if found or not isinstance(made, Build) or len(made.items) != 1 or _leaves_out(made):
        return found
    for change in guards.changes(made.items[0][1], truth):
        item = guards.op(change.path)
        about = whole(guards, item.base) if isinstance(item, Load) and item.part == EACH else None
        kinds = about.settled(change.kinds) if about is not None else frozenset[str]()
        if about is not None and kinds:
            found.append(Change(about.path, kinds))
    return found


def _leaves_out(made: Build) -> bool:
    """Tell whether items are passed over: ``all(is_name(one) for one in names if one)``."""
    return any(walk.ifs for walk in getattr(made.at, "generators", ()))
