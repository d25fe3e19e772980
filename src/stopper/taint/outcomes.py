"""Outcomes: what a function has checked on each way out of it, so that a test of its answer is a test of what it has checked.

``def is_name(text): return text.isalnum()`` with ``if not is_name(x)``; ``return "no name"`` and ``return None`` with
``if problem(x) is None``; ``return False, "no name"`` with ``valid, why = judge(x)``; a list of errors that stays empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from stopper.taint.constants import truth
from stopper.taint.domain import CLEAN, Value
from stopper.taint.steps import common, left_clean


class Exit(NamedTuple):
    """A way out of a function."""

    answer: Value
    state: dict[str, Value]
    tested: tuple[tuple[bool, dict[str, Value]], ...] = ()
    """The state where the answer is true, and where it is not, if that says more of the variables."""


class Outcome(NamedTuple):
    """What a function answers on a way out, and what it has checked there."""

    answer: Value
    truth: bool | None
    """Whether the answer is true, as far as more than the answer itself tells that."""
    clean: dict[str, frozenset[str]]
    """The kinds of sinks that each parameter is safe for."""


class Asked(NamedTuple):
    """A test of a function's answer: whether it is true or, with a constant, whether it equals that."""

    part: str = ""
    """The part of the answer that is tested; "" for the whole."""
    holds: bool = True
    constants: tuple[object, ...] = ()


TRUE = Asked()


def brought(value: Value) -> set[int]:
    """Return the numbers of the taints that a parameter brings in."""
    return {taint.parameter for taint in value.every()}


def outcomes(exits: Iterable[Exit], own: Mapping[str, set[int]]) -> tuple[Outcome, ...]:
    """Return what comes out of a function, by the numbers of the taints that its parameters brought in."""
    return tuple(
        Outcome(one.answer, told, {name: left_clean(state.get(name, CLEAN), own[name]) for name in own})
        for one in exits
        for told, state in one.tested or ((None, one.state),)
    )


def anyway(every: tuple[Outcome, ...]) -> dict[str, frozenset[str]]:
    """Return the kinds of sinks that each parameter is safe for when the function came back."""
    return {name: common([one.clean[name] for one in every]) for name in (every[0].clean if every else ())}


def checked(every: tuple[Outcome, ...], asked: Asked = TRUE) -> dict[str, frozenset[str]]:
    """Return the kinds of sinks that each parameter is safe for where a test of the answer came out so."""
    fitting = [one.clean for one in every if _may(one, asked)]
    return {name: common([one[name] for one in fitting]) for name in (every[0].clean if every else ())}


def _may(one: Outcome, asked: Asked) -> bool:
    """Tell whether a test of this answer may come out so."""
    answer = one.answer.part(asked.part) if asked.part else one.answer
    told = one.truth if one.truth is not None and not asked.part else truth(answer)
    if not asked.constants:
        return told is None or told == asked.holds
    (constant,) = asked.constants
    if answer.known:
        return bool(answer.constant == constant) == asked.holds
    return told is None or told == bool(constant) or not asked.holds
