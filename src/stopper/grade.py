"""Give one letter for a whole report, by a table that is written down.

Points. A report starts with 100. Each rule that is broken costs once, by its worst finding, and one point
more for each further finding of the same rule:

========  ===============  =================
severity  high confidence  medium confidence
========  ===============  =================
critical  40               20
high      20               10
medium    8                4
low       2                1
========  ===============  =================

Findings of low confidence and of severity info cost nothing.

Letters. 90 points and more are an A, 75 a B, 60 a C, 40 a D; less is an F. An A with nothing found at all,
nothing skipped and no area unseen is an A+.

Caps. However many points are left, the worst finding sets the best letter there can be:

========  ===============  =================
severity  high confidence  medium confidence
========  ===============  =================
critical  F                D
high      D                C
medium    B                B
low       A                A
========  ===============  =================

An area that could not be seen caps the grade at B: what nobody looked at is not a pass.

A live site. Where ``--url`` names one, its answers are scored as MDN's HTTP Observatory scores them (:mod:`stopper.wire.observatory`), and its
letter caps the grade: A- counts as an A, B+ and B- as a B, and so on. A top header grade over an injectable login is a lie; so is clean code
behind a site without headers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stopper.finding import Confidence, Finding, Severity

LETTERS = ("A+", "A", "B", "C", "D", "F")
"""The grades, best first."""

COST = {
    (Severity.CRITICAL, Confidence.HIGH): 40,
    (Severity.CRITICAL, Confidence.MEDIUM): 20,
    (Severity.HIGH, Confidence.HIGH): 20,
    (Severity.HIGH, Confidence.MEDIUM): 10,
    (Severity.MEDIUM, Confidence.HIGH): 8,
    (Severity.MEDIUM, Confidence.MEDIUM): 4,
    (Severity.LOW, Confidence.HIGH): 2,
    (Severity.LOW, Confidence.MEDIUM): 1,
}
"""Points that the worst finding of a rule costs."""

CAP = {
    (Severity.CRITICAL, Confidence.HIGH): "F",
    (Severity.CRITICAL, Confidence.MEDIUM): "D",
    (Severity.HIGH, Confidence.HIGH): "D",
    (Severity.HIGH, Confidence.MEDIUM): "C",
    (Severity.MEDIUM, Confidence.HIGH): "B",
    (Severity.MEDIUM, Confidence.MEDIUM): "B",
    (Severity.LOW, Confidence.HIGH): "A",
    (Severity.LOW, Confidence.MEDIUM): "A",
}
"""The best letter that a finding leaves."""

BOUNDS = ((90, "A"), (75, "B"), (60, "C"), (40, "D"))
"""The least points for each letter."""


def counts(finding: Finding) -> bool:
    """Tell whether a finding opens its area and costs points: low severity and medium confidence at least."""
    return (finding.severity, finding.confidence) in COST


def points(findings: Iterable[Finding]) -> int:
    """Return what is left of 100 points."""
    worst: dict[str, int] = {}
    further = 0
    for finding in filter(counts, findings):
        cost = COST[finding.severity, finding.confidence]
        further += finding.rule in worst
        worst[finding.rule] = max(cost, worst.get(finding.rule, 0))
    return max(0, 100 - sum(worst.values()) - further)


def grade(
    findings: Sequence[Finding], *, skipped: bool = False, unseen: bool = False, site: str = "A+"
) -> str:
    """Return the letter for these findings.

    Args:
        findings: Everything the report shows.
        skipped: Something could not be looked at.
        unseen: A whole area could not be looked at.
        site: The letter of the live site, as the Observatory gives it.
    """
    letters = [_letter(points(findings)), site if site == "A+" else site.rstrip("+-")]
    letters.extend(CAP[finding.severity, finding.confidence] for finding in findings if counts(finding))
    if unseen:
        letters.append("B")
    worst = max(letters, key=LETTERS.index)
    perfect = worst == "A" and not findings and not skipped
    return "A+" if perfect else worst


def _letter(left: int) -> str:
    for bound, letter in BOUNDS:
        if left >= bound:
            return letter
    return "F"
