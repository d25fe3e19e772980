"""Say a report to a person at a terminal."""

from __future__ import annotations

from textwrap import wrap

from stopper.finding import Confidence, Finding
from stopper.report import Report


def render(report: Report, *, width: int = 80, verbose: bool = False) -> str:
    """Return the report as plain text, areas first and then findings worst first."""
    lines = [f"Stopper audited {_safe(report.target)}: grade {report.grade}", ""]
    for state in report.areas:
        counts = ", ".join(f"{number} {severity}" for severity, number in state.counts.items() if number)
        lines.append(f"  {state.state:7} {state.area:13} {counts or state.reason}".rstrip())
    for finding in report.findings:
        folded = finding.confidence == Confidence.LOW and not verbose
        lines.extend(_folded(finding) if folded else _whole(finding, report, width))
    if report.skipped:
        lines += ["", "Not looked at:"]
        lines += [f"  {_safe(one.what)}: {_safe(one.reason)}" for one in report.skipped]
    lines += ["", *(f"note: {one.location or ''} {_safe(one.message)}" for one in report.notes)]
    lines.append(f"Grade {report.grade}: {len(report.findings)} found, {report.suppressed} suppressed")
    return "\n".join(lines) + "\n"


def _folded(finding: Finding) -> list[str]:
    return [f"? {finding.severity} {finding.rule} {_safe(str(finding.location))}: {_safe(finding.message)}"]


def _whole(finding: Finding, report: Report, width: int) -> list[str]:
    lines = ["", f"{finding.severity.upper()} {finding.rule}  {_safe(str(finding.location))}"]
    if finding.route is not None:
        lines.append(f"  {' '.join(finding.route.methods)} {_safe(finding.route.rule)}")
    lines += wrap(_safe(finding.message), width, initial_indent="  ", subsequent_indent="  ")
    lines += _marked(finding)
    lines += [f"    {n}. {_safe(str(one.location))} {_safe(one.note)}" for n, one in enumerate(finding.flow, 1)]
    info = report.rules.get(finding.rule)
    if info is not None and info.why:
        why = " ".join(info.why.split()).partition(". ")[0].rstrip(".") + "."
        lines += wrap(f"Why: {why}", width, initial_indent="  ", subsequent_indent="  ")
    if finding.remedy:
        lines.append("  Write instead:")
        lines += [f"    {_safe(line)}" for line in finding.remedy.splitlines()]
    return lines


def _marked(finding: Finding) -> list[str]:
    code, place = finding.code.split("\n", 1)[0].replace("\t", " "), finding.location
    if not code.strip():
        return []
    gone = len(code) - len(code.lstrip())
    start = max(0, place.column - 1 - gone)
    shown = code.strip()
    end = place.end_column - 1 - gone if place.end_line == place.line and place.end_column else len(shown)
    if not start < end <= len(shown):
        return [f"    | {_safe(shown)}"]
    return [f"    | {_safe(shown)}", f"    | {' ' * start}{'^' * (end - start)}"]


def _safe(text: str) -> str:
    """Make control characters visible, so that no file can write to the terminal."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
