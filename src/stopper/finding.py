"""The words of the product: area, vantage, severity, confidence, and what a finding is made of."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from stopper.fix import Fix
from stopper.records import dataclass, field


class Area(enum.StrEnum):
    """One of the eight areas of the checklist, in its order."""

    SECRETS = "secrets"
    HEADERS = "headers"
    SQL = "sql"
    XSS = "xss"
    LIMITS = "limits"
    TRANSPORT = "transport"
    INPUTS = "inputs"
    DEPENDENCIES = "dependencies"


class Vantage(enum.StrEnum):
    """Where one looks from."""

    SOURCE = "source"
    """Code, templates, configuration files, history, pinned packages."""
    APP = "app"
    """The booted Flask object."""
    WIRE = "wire"
    """The answers of a live URL."""


class _Ranked(enum.StrEnum):
    """A word with a rank: the first member of the enumeration is the highest."""

    @property
    def rank(self) -> int:
        """Return 0 for the lowest member, one more for each member above it."""
        members = list(type(self))
        return len(members) - 1 - members.index(self)

    def at_least(self, other: _Ranked) -> bool:
        """Tell whether this word ranks as high as ``other`` or higher."""
        return self.rank >= other.rank


class Severity(_Ranked):
    """What an attacker gains when the finding is true."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Confidence(_Ranked):
    """How sure Stopper is that the finding is true here."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A span of one file. Lines and columns count from 1; the end column is exclusive."""

    path: str
    """Relative to the target, with forward slashes."""
    line: int = 1
    column: int = 1
    end_line: int = 0
    """Equal to ``line`` when it was not given."""
    end_column: int = 0
    """0 when the span's end is not known: it then reaches to the end of the line."""

    def __post_init__(self) -> None:
        if not self.end_line:
            object.__setattr__(self, "end_line", self.line)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Step:
    """One hop of a flow from source to sink."""

    location: Location
    note: str
    """What happens here, in a few words: "request.args is read", "joined into a string"."""
    code: str = ""
    """The line of code, stripped."""


@dataclass(frozen=True, slots=True)
class RouteRef:
    """The route that reaches a finding, as a report prints it."""

    rule: str
    """The URL rule, ``/post/<int:id>``."""
    methods: tuple[str, ...]
    endpoint: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one vantage saw."""

    vantage: Vantage
    message: str
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a vantage nearer to the world saw to be right, whatever the source seems to say."""

    rule: str
    """The rule's slug."""
    context: str
    """The context of the findings that are answered; "" for every finding of the rule."""
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule broken at a place."""

    rule: str
    """The rule's slug."""
    area: Area
    severity: Severity
    confidence: Confidence
    message: str
    """One sentence: what is wrong *here*, with the names of here."""
    location: Location
    cwe: tuple[int, ...] = ()
    remedy: str = ""
    """The exact code to write instead; may have several lines."""
    flow: tuple[Step, ...] = ()
    route: RouteRef | None = None
    evidence: tuple[Evidence, ...] = ()
    code: str = ""
    """The marked line of code as it may be shown: secrets are already masked."""
    context: str = ""
    """What tells this finding from others of its rule in the same file, line numbers aside: usually the qualified
    name of the function plus the code. Part of the fingerprint."""
    fingerprint: str = ""
    """Given by the audit; stable when lines move and when severity or confidence change."""
    fix: Fix | None = None
    proof: str | None = None
    related: tuple[Location, ...] = field(default=())
    """Other places that belong to the finding (the setting that causes it, the template that shows it)."""
    subject: str = ""
    """What the booted app or the live site saw it at, as ``kind:name``: ``setting:DEBUG``, ``header:Server``, ``cookie:session``,
    ``endpoint:auth.login``. The audit looks for the line of source that causes it."""
    indent: int = -1
    """How many characters stand before ``code`` in its line, so that the span can be marked; -1 when it is not known."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that could not be looked at. Never a pass."""

    what: str
    """A path, a rule, or a service."""
    reason: str
    areas: tuple[Area, ...] = ()
    """The areas that cannot be called closed because of it; empty for a single file among many."""


def few(words: Sequence[str], most: int) -> str:
    """Return the first words, and how many more there are: ``a, b and 3 more``."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more
