"""What several vantages saw of one thing becomes one finding with several pieces of evidence; where they disagree, the one nearer to the world wins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from stopper.finding import Cleared, Confidence, Finding, Location
from stopper.records import dataclass
from stopper.report import Note


@dataclass(frozen=True, slots=True)
class Merged:
    """The findings of all vantages, and what was said of the differences."""

    findings: tuple[Finding, ...]
    notes: tuple[Note, ...]


def merge(
    findings: Iterable[Finding],
    seen: Iterable[Finding | Cleared],
    cause: Callable[[str], Location | None],
    elsewhere: str,
) -> Merged:
    """Return one list of findings.

    Args:
        findings: What the source says, or what was merged before.
        seen: What a vantage nearer to the world saw.
        cause: Returns the line of source behind a subject, or None.
        elsewhere: What stands as the path of a finding that no line of source causes: the app's name, the site's address.
    """
    kept = list(findings)
    notes: list[Note] = []
    for item in seen:
        if isinstance(item, Cleared):
            kept = _without(kept, item, notes)
        else:
            _add(kept, item, cause, elsewhere)
    return Merged(tuple(kept), tuple(notes))


def _without(findings: list[Finding], cleared: Cleared, notes: list[Note]) -> list[Finding]:
    """Leave out what is answered, and say so of each."""
    kept = []
    for finding in findings:
        if finding.rule == cleared.rule and cleared.context in ("", finding.context):
            said = f"{finding.rule} is not reported here: the {cleared.evidence.vantage} vantage says otherwise: {cleared.evidence.message}"
            notes.append(Note(said, finding.location))
        else:
            kept.append(finding)
    return kept


def _add(
    findings: list[Finding], item: Finding, cause: Callable[[str], Location | None], elsewhere: str
) -> None:
    """Add the evidence to the finding that says the same of the same thing or line, or the finding itself at the line that causes it."""
    place = cause(item.subject) or Location(elsewhere)
    for at, finding in enumerate(findings):
        same_line = (finding.location.path, finding.location.line) == (place.path, place.line)
        if finding.rule == item.rule and (finding.context == item.context or same_line):
            findings[at] = replace(
                finding, evidence=(*finding.evidence, *item.evidence), confidence=Confidence.HIGH
            )
            return
    findings.append(
        replace(item, location=place, evidence=tuple(replace(one, location=place) for one in item.evidence))
    )
