"""Say a report as GitHub workflow commands, which become annotations on the changed lines.

GitHub shows ten annotations of a kind a step and drops the rest in silence: the ten worst are printed, and a
last line says how many more there are.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from stopper.finding import Finding, Severity
from stopper.report import Report

SHOWN = 10


def render(report: Report) -> str:
    """Return the ten worst findings as annotations, and a summary."""
    lines = [_annotation(finding) for finding in report.findings[:SHOWN]]
    more = len(report.findings) - SHOWN
    if more > 0:
        lines.append(f"{more} more {'finding' if more == 1 else 'findings'}: stopper audit shows them")
    skipped = f", {len(report.skipped)} not looked at" if report.skipped else ""
    lines.append(f"Stopper: grade {report.grade}, {len(report.findings)} found{skipped}")
    return "\n".join(lines) + "\n"


def _annotation(finding: Finding) -> str:
    level = "error" if finding.severity.at_least(Severity.HIGH) else "warning"
    if not finding.severity.at_least(Severity.LOW):
        level = "notice"
    place = finding.location
    properties = {"file": place.path, "line": str(place.line), "endLine": str(place.end_line)}
    if place.end_column and place.end_line == place.line:
        properties |= {"col": str(place.column), "endColumn": str(place.end_column)}
    properties["title"] = f"{finding.severity}: {finding.rule}"
    parts = [finding.message]
    if finding.remedy:
        parts.append(f"Write instead:\n{finding.remedy}")
    parts.append(f"More: stopper explain {finding.rule}")
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{level} {listed}::{_data(chr(10).join(parts))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
