"""Use Stopper's public names as a program of a user would; mypy checks this file, nothing runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stopper import fix
from stopper.audit import audit
from stopper.config import Config, load
from stopper.finding import Area, Confidence, Finding, Location, Severity, Skipped
from stopper.report import Report
from stopper.rule import Rule, discover
from stopper.source.project import Project


class NoNightlyDeploy(Rule):
    """Stand for a rule that a team writes for itself."""

    area = Area.SECRETS
    severity = Severity.LOW
    cwe = (1,)

    def source(self, project: Project) -> Iterator[Finding | Skipped]:
        """Yield one finding with every keyword that a rule may give."""
        place = Location("app.py", 1, 1)
        yield self.found(place, "wrong here", confidence=Confidence.LOW, remedy="right", context="app")
        yield Skipped("app.py", "not read", (Area.SECRETS,))

    def fix(self, finding: Finding, project: Project) -> fix.Fix | None:
        """Return one edit."""
        return fix.Fix("Right it", (fix.Edit(finding.location.path, 0, 1, "x"),), fix.Safety.SAFE)


def look(folder: Path) -> list[tuple[str, int, str]]:
    """Return what an audit finds, as plain tuples."""
    config: Config = load(folder).override(online=False, areas=(Area.SQL,))
    report: Report = audit(folder, config)
    worst: tuple[Finding, ...] = report.at_least(Severity.HIGH)
    return [(one.rule, one.location.line, one.message) for one in worst]


names: list[str] = [rule.slug for rule in discover()]
