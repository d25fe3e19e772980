"""What an audit says: findings worst first, the state of each area, the grade, and what was not seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from stopper.finding import Area, Finding, Location, Severity, Skipped
from stopper.grade import counts as opens
from stopper.grade import grade
from stopper.records import dataclass, field

OPEN, CLOSED, UNSEEN = "open", "closed", "unseen"


@dataclass(frozen=True, slots=True)
class AreaState:
    """One of the eight areas, and how it stands.

    An area is *open* when a finding of low severity or worse has medium confidence or better. It is
    *unseen* when it is not open and something that it needs was skipped, or when it was not asked for.
    It is *closed* otherwise; what was found there with low confidence is still counted and listed.
    """

    area: Area
    state: str
    """``open``, ``closed`` or ``unseen``."""
    counts: Mapping[Severity, int] = field(default_factory=dict)
    """How many findings of each severity; every severity is there, worst first."""
    reason: str = ""
    """Why the area is unseen."""

    @property
    def total(self) -> int:
        """Return the number of findings in the area."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Stats:
    """How much was looked at, and how long it took."""

    files: int = 0
    lines: int = 0
    templates: int = 0
    routes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What a report prints of a rule, taken from the rule's own page."""

    title: str
    """The first sentence of the page: what an app must not do."""
    why: str = ""
    """Why it matters: the paragraphs between the title and the first example."""
    area: Area = Area.INPUTS
    severity: Severity = Severity.MEDIUM
    cwe: tuple[int, ...] = ()
    good: str = ""
    """The first good example."""
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something about the run that its reader should mend: an ignore without a reason, a stale one."""

    message: str
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class SiteScore:
    """How the HTTP Observatory would score the live site."""

    url: str
    points: int
    letter: str
    tests: tuple[tuple[str, str, int, str], ...]
    """The name of each test, its result, its points, and the rule that mends it."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one audit says; each module of ``reports`` renders it."""

    target: str
    areas: tuple[AreaState, ...]
    """All eight, in the order of the checklist."""
    grade: str
    findings: tuple[Finding, ...]
    """Worst first."""
    skipped: tuple[Skipped, ...] = ()
    stats: Stats = Stats()
    rules: Mapping[str, RuleInfo] = field(default_factory=dict)
    """By slug: at least each rule that a finding names."""
    suppressed: int = 0
    """Findings left out by an ignore comment, the baseline or a path in the configuration."""
    notes: tuple[Note, ...] = ()
    site: SiteScore | None = None
    """None where no live site was asked, or where it answered with an error."""

    def at_least(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of this severity or worse."""
        return tuple(finding for finding in self.findings if finding.severity.at_least(severity))


_NO_STATS = Stats()


def assemble(
    *,
    target: str,
    findings: Iterable[Finding],
    skipped: Iterable[Skipped] = (),
    stats: Stats = _NO_STATS,
    rules: Mapping[str, RuleInfo] | None = None,
    suppressed: int = 0,
    notes: Iterable[Note] = (),
    asked: Collection[Area] = tuple(Area),
    site: SiteScore | None = None,
) -> Report:
    """Return the report: findings sorted, the state of each area and the grade worked out.

    Args:
        target: The folder or file that was audited, as the user named it.
        findings: Those to show, in any order.
        skipped: What could not be looked at, in any order.
        stats: How much was looked at.
        rules: The page of each rule, by slug.
        suppressed: How many findings were left out.
        notes: What the reader should mend.
        asked: The areas that were looked at; the others are unseen.
        site: How the live site scores.
    """
    ordered = tuple(sorted(findings, key=worst_first))
    left_out = tuple(sorted(skipped, key=lambda one: (one.what, one.reason)))
    areas = tuple(_state(area, ordered, left_out, asked=area in asked) for area in Area)
    unseen = any(one.state == UNSEEN for one in areas)
    return Report(
        target=target,
        areas=areas,
        grade=grade(ordered, skipped=bool(left_out), unseen=unseen, site=site.letter if site else "A+"),
        findings=ordered,
        skipped=left_out,
        stats=stats,
        rules=dict(rules or {}),
        suppressed=suppressed,
        notes=tuple(notes),
        site=site,
    )


def worst_first(finding: Finding) -> tuple[object, ...]:
    """Return the key by which findings are sorted; it leaves no two apart findings in doubt."""
    return (
        -finding.severity.rank,
        -finding.confidence.rank,
        list(Area).index(finding.area),
        finding.location,
        finding.rule,
        finding.message,
        finding.fingerprint,
    )


def _state(
    area: Area, findings: tuple[Finding, ...], skipped: tuple[Skipped, ...], *, asked: bool
) -> AreaState:
    own = [finding for finding in findings if finding.area == area]
    tally = Counter(finding.severity for finding in own)
    numbers = {severity: tally[severity] for severity in Severity}
    if any(opens(finding) for finding in own):
        return AreaState(area, OPEN, numbers)
    if not asked:
        return AreaState(area, UNSEEN, numbers, "not asked for")
    for one in skipped:
        if area in one.areas:
            return AreaState(area, UNSEEN, numbers, f"{one.what}: {one.reason}")
    return AreaState(area, CLOSED, numbers)
