"""Loops that look at each letter of a text: what is known of the text once no letter is left."""

from __future__ import annotations

from stopper.taint import characters
from stopper.taint.change import Change
from stopper.taint.domain import EACH
from stopper.taint.ir import AccessPath, Call, Edge, Function, Load, Op
from stopper.taint.letters import Guards, letter
from stopper.taint.raising import catching

MAX_WAYS = 32
"""How many ways through the body of a loop are looked at."""
Heads = dict[int, tuple[int, Load]]
"""The blocks that a loop over something begins at: where control goes when nothing is left, and how the loop reads the next."""


def looked_through(guards: Guards, function: Function, number: int, edge: Edge) -> list[Change]:
    """Return what is known where a loop ends: every letter of the text has gone a way that leads on to the next."""
    found = _heads(function).get(number)
    if found is None or found[0] != edge.target:
        return []
    path, ways = guards.subject(found[1].base)
    if path is None or ways:
        return []
    through = _through(guards, function, number, path)
    return [] if through is None else [Change(path, characters.harmless(through))]


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


def _through(guards: Guards, function: Function, head: int, path: AccessPath) -> characters.Characters | None:
    """Return the letters with which the body comes back to the head; None where any may, or where the text becomes another."""
    found: characters.Characters = frozenset()
    start = function.blocks[head].edges[0].target
    waiting: list[tuple[int, characters.Characters | None, tuple[int, ...]]] = [(start, None, ())]
    seen = 0
    while waiting:
        number, letters, behind = waiting.pop()
        seen += 1
        if seen > MAX_WAYS or number in behind or _rewrites(function, number, path):
            return None
        if number not in catching(function) and any(_ends(guards, op) for op in function.blocks[number].ops):
            continue
        for edge in function.blocks[number].edges:
            now = _narrowed(guards, edge, path, letters)
            if edge.target != head:
                waiting.append((edge.target, now, (*behind, number)))
            elif now is None:
                return None
            else:
                found |= now
    return found


def _ends(guards: Guards, op: Op) -> bool:
    """Tell whether nothing behind an operation is reached: ``abort(400)``."""
    return isinstance(op, Call) and bool(op.name and guards.models.find("ends", op.name))


def _rewrites(function: Function, number: int, path: AccessPath) -> bool:
    return any(getattr(op, "target", None) == path for op in function.blocks[number].ops)


def _narrowed(
    guards: Guards, edge: Edge, path: AccessPath, letters: characters.Characters | None
) -> characters.Characters | None:
    """Return the letters that are left behind an edge, of those that were left before it."""
    if edge.test is None:
        return letters
    text, through = letter(guards, edge.test, refused=not edge.truth)
    if text != path:
        return letters
    return through if letters is None else letters & through
