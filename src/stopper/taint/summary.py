"""What a function does with its data, for those who call it."""

from __future__ import annotations

from typing import Any

from stopper.finding import Location
from stopper.records import dataclass, field
from stopper.source.module import Scope
from stopper.taint.domain import CLEAN, Hop, Taint, Value, joined
from stopper.taint.ir import Place
from stopper.taint.outcomes import Outcome

TOO_LARGE = "too large to follow its data to the end"


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

    def of(self, taint: Taint) -> Hit:
        """Return the hit of another taint at the same sink."""
        return Hit(self.kind, taint, self.at, self.sink, self.confidence, self.scope, self.through)


@dataclass(slots=True, eq=False)
class Trail:
    """What the work on a function has rested on directly, so that it can be told what a change of the code makes void."""

    rests: int = 0
    """The parts of the code that were asked: see ``Names.rested``."""
    called: tuple[int, ...] = ()
    """The functions that it called without using a summary of them, by the identity of their scopes."""
    uses: dict[int, Summary] = field(default_factory=dict)
    """The summaries that it used, by their identity."""
    rendered: tuple[int, ...] = ()
    """The templates that it rendered, by their identity."""
    scope: int = 0
    """The identity of its own scope, where it was called."""
    steps: int = 0
    """How many operations it cost by itself."""
    height: int = 0
    """How deeply calls go from it."""
    passing: bool = False
    """Whether another way to it may give another summary, so that it does not outlive the root on whose way it was worked out."""


@dataclass(slots=True)
class Summary:
    """What a function does with its data."""

    hits: dict[Hit, None] = field(default_factory=dict)
    returns: Value = CLEAN
    after: dict[str, Value] = field(default_factory=dict)
    """What the objects hold at the end that were passed as parameters and written to, by parameter."""
    shares: dict[str, Value] = field(default_factory=dict)
    """What is written to variables of modules and to other cells that outlive the call, by full name."""
    raised: Value = CLEAN
    """The exceptions that carry data out of it, each under the names of its classes: see ``raising``."""
    outer: dict[str, Value] = field(default_factory=dict)
    """What is written to variables of enclosing functions."""
    state: dict[str, Value] = field(default_factory=dict)
    """The variables at the end, of a module or a class body."""
    checked: dict[str, frozenset[str]] = field(default_factory=dict)
    """The kinds each parameter is safe for when the function came back."""
    outcomes: tuple[Outcome, ...] = ()
    """What it answers on each way out, and the kinds each parameter is safe for there."""
    reads: dict[str, int] = field(default_factory=dict, compare=False)
    """The cells that the work on it has read, and when."""
    shown: set[tuple[Location, str]] = field(default_factory=set, compare=False)
    """What came out at places of templates that the function itself renders."""
    cut: str = ""
    """Why the work was not done to the end; empty where it was."""
    ends: bool = False
    """Whether no way leads out of the function but an exception."""
    trail: Trail | None = field(default=None, compare=False, repr=False)
    """What the work on it has rested on; None where it has not ended."""

    def share(self, key: str, value: Value) -> None:
        """Note what is written to a cell; a cell keeps all that was ever written."""
        before = self.shares.get(key)
        self.shares[key] = value if before is None else joined(before, value)


@dataclass(slots=True, eq=False)
class Leaving:
    """What the statements of a module do, as those know it who have asked for a variable of it."""

    scope: Scope
    summary: Summary
    again: bool = False
    """Whether it was worked out again since it was first asked."""


def failure(scope: Any, error: Exception) -> str:
    """Return how it is told that an error of our own ended the work on a function."""
    return f"following {scope.dotted} failed: {type(error).__name__}: {error}; please report it"
