"""What a function does with its data, for those who call it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from stopper.taint.domain import CLEAN, Hop, Taint, Value
from stopper.taint.ir import Place


@dataclass(frozen=True, slots=True)
class Hit:
    """A taint that reached a sink."""

    kind: str
    taint: Taint
    at: Place
    sink: str
    confidence: str
    scope: Any = field(compare=False, default=None)
    """The function that holds the sink."""
    through: tuple[Hop, ...] = field(compare=False, default=())
    """The hops inside called functions."""


@dataclass(slots=True)
class Summary:
    """What a function does with its data."""

    hits: dict[Hit, None] = field(default_factory=dict)
    returns: Value = CLEAN
    checked: dict[int, frozenset[str]] = field(default_factory=dict)
    """The kinds each parameter is safe for when the function came back."""
    approved: dict[int, frozenset[str]] = field(default_factory=dict)
    """The kinds each parameter is safe for when the answer was true."""
    cut: bool = False
    """Whether the step bound stopped the work."""
