"""Loops that look at each letter of a text, or each item of a list: what is known of the whole once nothing is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from stopper.taint import characters
from stopper.taint.change import Change
from stopper.taint.domain import EACH, Value
from stopper.taint.ir import AccessPath, Assign, Call, Edge, Function, Load, Op
from stopper.taint.items import Guards, whole
from stopper.taint.letters import letter
from stopper.taint.raising import catching

MAX_WAYS = 32
"""How many ways through the body of a loop are looked at."""
_MAPPINGS = frozenset(
    f"request.{name}" for name in ("form", "args", "values", "cookies", "headers", "files", "json")
)
Heads = dict[int, tuple[int, Load]]
"""The blocks that a loop over something begins at: where control goes when nothing is left, and how the loop reads the next."""
_Known = TypeVar("_Known")
_Along = Callable[[Edge, _Known | None], _Known | None]
"""Tells what is known behind an edge, of what was known before it."""


def looked_through(guards: Guards, function: Function, number: int, edge: Edge) -> list[Change]:
    """Return what is known where a loop ends: every letter, or every item, has gone a way that leads on to the next."""
    found = _heads(function).get(number)
    if found is None or found[0] != edge.target:
        return []
    path, ways = guards.subject(found[1].base)
    if path is not None and not ways and not _has_names(guards.read(path)):
        through = list(_through(guards, function, number, path, _letters(guards, path)))
        if None not in through:
            passed = frozenset[int]().union(*(one for one in through if one is not None))
            return [Change(path, characters.harmless(passed))]
    return _item_changes(guards, function, number, found[1])


def _item_changes(guards: Guards, function: Function, number: int, first: Load) -> list[Change]:
    about = whole(guards, first.base)
    if about is None:
        return []
    through = list(
        _through(guards, function, number, about.path, _items(guards, _names(function, number, first)))
    )
    known = [one or frozenset[str]() for one in through]
    kinds = about.settled(frozenset.intersection(*known)) if known else frozenset[str]()
    return [Change(about.path, kinds)] if kinds else []


def _has_names(value: Value) -> bool:
    """Tell whether a loop sees names, and not what stands behind them."""
    return value.shape == "dict" or any(
        "object" in taint.marks or taint.source in _MAPPINGS for taint in value.taints
    )


def _heads(function: Function) -> Heads:
    found: Heads = function.once("loops", lambda: dict(_looked_up(function)))
    return found


def _looked_up(function: Function) -> list[tuple[int, tuple[int, Load]]]:
    found = []
    for number in function.order:
        ways = function.blocks[number].edges
        if len(ways) != 2 or any(edge.test is not None for edge in ways):
            continue
        first = next(iter(function.blocks[ways[0].target].ops), None)
        if isinstance(first, Load) and first.part == EACH and isinstance(first.base, AccessPath):
            found.append((number, (ways[1].target, first)))
    return found


def _through(
    guards: Guards, function: Function, head: int, path: AccessPath, along: _Along[_Known]
) -> Iterator[_Known | None]:
    """Yield what is known on each way on which the body comes back to the head; None where the whole becomes another."""
    waiting: list[tuple[int, _Known | None, tuple[int, ...]]] = [
        (function.blocks[head].edges[0].target, None, ())
    ]
    seen = 0
    while waiting:
        number, known, behind = waiting.pop()
        seen += 1
        if seen > MAX_WAYS or number in behind or _rewrites(function, number, path):
            yield None
            return
        if number not in catching(function) and any(_ends(guards, op) for op in function.blocks[number].ops):
            continue
        for edge in function.blocks[number].edges:
            now = along(edge, known)
            if edge.target != head:
                waiting.append((edge.target, now, (*behind, number)))
            else:
                yield now


def _ends(guards: Guards, op: Op) -> bool:
    """Tell whether nothing behind an operation is reached: ``abort(400)``."""
    return isinstance(op, Call) and bool(op.name and guards.models.find("ends", op.name))


def _rewrites(function: Function, number: int, path: AccessPath) -> bool:
    return any(getattr(op, "target", None) == path for op in function.blocks[number].ops)


def _letters(guards: Guards, path: AccessPath) -> _Along[characters.Characters]:
    """Return how an edge narrows the letters that are left, of those that were left before it."""

    def along(edge: Edge, letters: characters.Characters | None) -> characters.Characters | None:
        if edge.test is None:
            return letters
        text, through = letter(guards, edge.test, refused=not edge.truth)
        if text != path:
            return letters
        return through if letters is None else letters & through

    return along


def _names(function: Function, head: int, first: Load) -> set[AccessPath]:
    """Return the variables that an item is given to where the body begins."""
    body = function.blocks[function.blocks[head].edges[0].target].ops
    return {first.target} | {op.target for op in body if isinstance(op, Assign) and op.source == first.target}


def _items(guards: Guards, names: set[AccessPath]) -> _Along[frozenset[str]]:
    """Return how an edge adds to what an item is safe for."""

    def along(edge: Edge, kinds: frozenset[str] | None) -> frozenset[str] | None:
        if edge.test is None:
            return kinds
        told = [change.kinds for change in guards.changes(edge.test, edge.truth) if change.path in names]
        return (kinds or frozenset[str]()).union(*told)

    return along
