"""Say a report to a person at a terminal: one line for each area, then the findings, worst first.

Colour and width are the caller's to choose. Everything taken from the audited project is printed as plain text: control
characters are made visible and nothing in it is read as markup.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from stopper.finding import Confidence, Finding, Location, Severity, Vantage
from stopper.report import CLOSED, OPEN, AreaState, Report
from stopper.reports.layout import Block, Span, block, drawn

WIDTH = 100
"""Columns where no terminal says otherwise."""
_MARGIN = 2

_COLOURS = {
    Severity.CRITICAL: "bold white on-red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_STATES = {OPEN: ("open", "bold red"), CLOSED: ("closed", "green")}


def render(report: Report, *, width: int = WIDTH, colour: bool = False, verbose: bool = False) -> str:
    """Return the report as text.

    Args:
        report: What to say.
        width: Columns to fill.
        colour: Whether to write ANSI colours and links.
        verbose: Whether findings of low confidence are told whole as well.
    """
    return drawn(_parts(report, verbose=verbose), max(width, 40), colour=colour)


def _parts(report: Report, *, verbose: bool) -> Iterator[Block]:
    stats = report.stats
    yield block(("Stopper", "bold"), f"  {shown(report.target)}")
    read = f"{stats.files} files, {stats.lines:,} lines of Python, {stats.templates} templates, {stats.routes} routes"
    yield block(f"{read}, {stats.seconds:.1f} s", style="dim")
    yield block("")
    for state in report.areas:
        yield _area(state)
    yield from _site(report)
    told: list[Finding] = []
    quiet: list[Finding] = []
    for finding in report.findings:
        (told if verbose or finding.confidence is not Confidence.LOW else quiet).append(finding)
    for number, finding in enumerate(told, start=1):
        yield block("")
        yield from _finding(number, finding, report)
    yield from _quiet(quiet)
    yield from _unseen(report)
    yield block("")
    yield from _summary(report)


def _area(state: AreaState) -> Block:
    word, style = _STATES.get(state.state, ("unseen", "bold magenta"))
    counts = ", ".join(f"{number} {severity}" for severity, number in state.counts.items() if number)
    detail = counts or ("nothing found" if state.state == CLOSED else "")
    if state.reason:
        detail = f"{detail}; {state.reason}" if detail else state.reason
    return block("  ", f"{state.area:<13}", (f"{word:<8}", style), shown(detail))


def _site(report: Report) -> Iterator[Block]:
    """Say how the live site scores, and what each lost point is for."""
    if report.site is None:
        return
    yield block("")
    said = f"{report.site.points} points as the HTTP Observatory counts"
    yield block("  site         ", (f"{report.site.letter:<8}", "bold"), said)
    for name, result, points, rule in report.site.tests:
        if points < 0:
            lost = f"{points:>17}    {name}: {result.removeprefix(f'{name}-')} ({rule})"
            yield block(lost, style="dim", cut=True)


def _finding(number: int, finding: Finding, report: Report) -> Iterator[Block]:
    yield block(
        (f"{number} ", "dim"), (f" {finding.severity} ", _COLOURS[finding.severity]), " ", (finding.rule, "bold"),
        (f"  {finding.confidence} confidence", "dim"), ruled=True,
    )  # fmt: skip
    yield _indented((shown(str(finding.location)), "bold"), *_route(finding))
    yield _indented(shown(finding.message))
    yield from _code(finding)
    yield from _flow(finding)
    yield from _evidence(finding)
    info = report.rules.get(finding.rule)
    if info is not None and info.why:
        yield _indented(("why   ", "dim"), first_sentence(info.why))
    if finding.remedy:
        yield _indented(("write", "dim"))
        for line in finding.remedy.splitlines():
            yield _indented((shown(line), "green"), by=_MARGIN + 6)


def _route(finding: Finding) -> tuple[str | Span, ...]:
    if finding.route is None:
        return ()
    return "   ", (f"{' '.join(finding.route.methods)} {shown(finding.route.rule)}", "cyan")


def _evidence(finding: Finding) -> Iterator[Block]:
    """Say what the vantages beside the source saw."""
    for one in finding.evidence:
        if one.vantage is not Vantage.SOURCE and one.message != finding.message:
            yield _indented((f"{one.vantage:<6}", "dim"), shown(one.message))


def _code(finding: Finding) -> Iterator[Block]:
    code = finding.code
    if not code.strip():
        return
    yield _indented((f"{finding.location.line:>5} │ ", "dim"), shown(code.strip()), cut=True)
    marked = _marked(finding, code)
    if marked:
        start, length = marked
        yield _indented(("      │ ", "dim"), " " * start, ("^" * length, "bold red"), cut=True)


def _marked(finding: Finding, code: str) -> tuple[int, int] | None:
    """Return where the marked span starts in the stripped line, and its length; None where it is not known."""
    place = finding.location
    start = place.column - 1 - finding.indent
    stripped = code.strip()
    if finding.indent < 0 or "\t" in code or not 0 <= start < len(stripped):
        return None
    whole = len(stripped) - start
    same_line = place.end_line == place.line and place.end_column > place.column
    return start, max(1, min(place.end_column - place.column if same_line else whole, whole))


def _flow(finding: Finding) -> Iterator[Block]:
    if not finding.flow:
        return
    for at, step in enumerate(finding.flow):
        mark = "flow  " if at == 0 else "      "
        arrow = "┌ " if at == 0 else "└ " if at == len(finding.flow) - 1 else "│ "
        place = _place(step.location, finding.location)
        yield _indented((mark, "dim"), arrow, (f"{place:<8} ", "bold"), shown(step.note))


def _place(where: Location, primary: Location) -> str:
    return f"line {where.line}" if where.path == primary.path else f"{shown(where.path)}:{where.line}"


def _quiet(findings: list[Finding]) -> Iterator[Block]:
    if not findings:
        return
    yield block("")
    yield block(f"{len(findings)} more with low confidence (--verbose tells them whole)", style="bold")
    for finding in findings:
        where = f"{finding.rule}  {shown(str(finding.location))}"
        yield _indented((f"{finding.severity:<9}", _COLOURS[finding.severity]), where)


def _unseen(report: Report) -> Iterator[Block]:
    if report.skipped:
        yield block("")
        yield block("Not looked at", style="bold magenta")
        for told in dict.fromkeys(f"{shown(one.what)}: {shown(one.reason)}" for one in report.skipped):
            yield _indented(told)
    if report.notes:
        yield block("")
        yield block("Notes", style="bold")
        for note in report.notes:
            where = f"{note.location}: " if note.location else ""
            yield _indented(shown(f"{where}{note.message}"))


def _summary(report: Report) -> Iterator[Block]:
    tally = [f"{sum(one.severity is level for one in report.findings)} {level}" for level in Severity]
    counts = ", ".join(part for part in tally if not part.startswith("0 ")) or "nothing found"
    left_out = f"; {report.suppressed} suppressed" if report.suppressed else ""
    style = "bold green" if report.grade.startswith("A") else "bold red"
    told = f"   {len(report.findings)} findings: {counts}{left_out}"
    yield block("Grade ", (report.grade, style), told)
    if report.findings:
        yield block("`stopper explain RULE` prints a rule's page.", style="dim")


def first_sentence(text: str) -> str:
    """Return the first sentence of a page's prose, on one line, its code between single backticks as people write it."""
    line = " ".join(text.split("\n\n", maxsplit=1)[0].split()).replace("``", "`")
    end = line.find(". ")
    return line if end < 0 else line[: end + 1]


def shown(text: str) -> str:
    """Return text of the project as it may be printed: control and direction characters become visible escapes."""
    return "".join(
        char if char.isprintable() or char == " " else _escaped(char) for char in text.expandtabs(4)
    )


def _escaped(char: str) -> str:
    return (
        char.encode("unicode_escape").decode("ascii") if unicodedata.category(char).startswith("C") else " "
    )


def _indented(*parts: str | Span, by: int = _MARGIN, cut: bool = False) -> Block:
    return block(*parts, indent=by, cut=cut)
