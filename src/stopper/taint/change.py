"""Changes: what a test that came out one way makes of a variable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

from stopper.taint.domain import ALL, Taint, Value
from stopper.taint.ir import AccessPath, Op, Operand

_NOTHING: Mapping[str, Iterable[str]] = {}
_PLACED = frozenset(("html", "markup"))
"""The kinds of which the text around decides whether an escape fits."""


class Change(NamedTuple):
    """What is known of a variable from here on."""

    path: AccessPath
    kinds: frozenset[str] = frozenset()
    """The kinds of sinks it is now safe for."""
    near: str = ""
    """Why the test does not count, where it does not."""
    marks: frozenset[str] = frozenset()
    """The state it is now in."""


class Reader(Protocol):
    """Answers questions about one function at one point."""

    def read(self, operand: Operand, /) -> Value:
        """Return what is known of an operand."""

    def op(self, operand: Operand, /) -> Op | None:
        """Return the operation that made a value."""

    def joined_last(self, operand: Operand, /) -> Operand | None:
        """Return the last part of a string that is joined."""


def apply(
    state: dict[str, Value],
    changes: Iterable[tuple[object, ...]],
    made: Mapping[str, Iterable[str]] = _NOTHING,
) -> None:
    """Change ``state`` as the guards say; ``made`` tells what was made before of what they look at."""
    for change in changes:
        path, kinds, near, marks = Change(*change)  # type: ignore[arg-type] # plain tuples are welcome
        value = state.get(path.base)
        if value is None or not (value.taints or value.fields):
            continue
        state[path.base] = value.refined(_changed(kinds, near, marks))
        carried = kinds if ALL in kinds else kinds - _PLACED
        for name in made.get(path.base, ()) if carried else ():
            held = state.get(name)
            if held is not None and (held.taints or held.fields):
                state[name] = held.refined(_inside(value, carried))


def _inside(tested: Value, kinds: frozenset[str]) -> Callable[[Taint], Taint]:
    """Return what becomes of a taint of something that a value was built into."""
    same = {(taint.source, taint.kind, taint.parameter) for taint in tested.every()}
    return lambda taint: (
        taint.cleaned(kinds) if (taint.source, taint.kind, taint.parameter) in same else taint
    )


def _changed(kinds: frozenset[str], near: str, marks: frozenset[str]) -> Callable[[Taint], Taint | None]:
    def change(taint: Taint) -> Taint | None:
        if ALL in kinds:
            return taint.cleaned(kinds)
        found = taint.cleaned(kinds).marked(*marks)
        return found if found.near or not near else found.doubted(near)

    return change
