"""Say a report to a person at a terminal: one line for each area, then the findings, worst first.

Colour and width are the caller's to choose. Everything taken from the audited project is printed as plain text: control
characters are made visible and nothing in it is read as markup.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule as Line
from rich.text import Text

from stopper.finding import Confidence, Finding, Location, Severity, Vantage
from stopper.report import CLOSED, OPEN, AreaState, Report

WIDTH = 100
"""Columns where no terminal says otherwise."""
_MARGIN = 2

_COLOURS = {
    Severity.CRITICAL: "bold white on red",
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
    buffer = io.StringIO()
    console = Console(
        file=buffer, width=max(width, 40), force_terminal=colour, no_color=not colour, highlight=False,
        color_system="standard" if colour else None, legacy_windows=False, emoji=False, markup=False,
    )  # fmt: skip
    for part in _parts(report, verbose=verbose):
        console.print(part)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _parts(report: Report, *, verbose: bool) -> Iterator[Text | Padding | Line]:
    stats = report.stats
    yield Text.assemble(("Stopper", "bold"), f"  {shown(report.target)}")
    read = f"{stats.files} files, {stats.lines:,} lines of Python, {stats.templates} templates, {stats.routes} routes"
    yield Text(f"{read}, {stats.seconds:.1f} s", style="dim")
    yield Text("")
    for state in report.areas:
        yield _area(state)
    yield from _site(report)
    loud = [one for one in report.findings if verbose or one.confidence is not Confidence.LOW]
    quiet = [one for one in report.findings if one not in loud]
    for number, finding in enumerate(loud, start=1):
        yield Text("")
        yield from _finding(number, finding, report)
    yield from _quiet(quiet)
    yield from _unseen(report)
    yield Text("")
    yield _summary(report)


def _area(state: AreaState) -> Text:
    word, style = _STATES.get(state.state, ("unseen", "bold magenta"))
    counts = ", ".join(f"{number} {severity}" for severity, number in state.counts.items() if number)
    detail = counts or ("nothing found" if state.state == CLOSED else "")
    if state.reason:
        detail = f"{detail}; {state.reason}" if detail else state.reason
    return Text.assemble(
        "  ",
        f"{state.area:<13}",
        (f"{word:<8}", style),
        (shown(detail), ""),
        overflow="ellipsis",
        no_wrap=True,
    )


def _site(report: Report) -> Iterator[Text]:
    """Say how the live site scores, and what each lost point is for."""
    if report.site is None:
        return
    yield Text("")
    said = f"{report.site.points} points as the HTTP Observatory counts"
    yield Text.assemble("  site         ", (f"{report.site.letter:<8}", "bold"), said)
    for name, result, points, rule in report.site.tests:
        if points < 0:
            lost = f"{points:>17}    {name}: {result.removeprefix(f'{name}-')} ({rule})"
            yield Text(lost, style="dim", overflow="ellipsis", no_wrap=True)


def _finding(number: int, finding: Finding, report: Report) -> Iterator[Text | Padding | Line]:
    head = Text.assemble(
        (f" {finding.severity} ", _COLOURS[finding.severity]), " ", (finding.rule, "bold"),
        (f"  {finding.confidence} confidence", "dim"),
    )  # fmt: skip
    yield Line(Text.assemble((f"{number} ", "dim"), head), align="left", characters="─", style="dim")
    yield _indented(Text.assemble((shown(str(finding.location)), "bold"), _route(finding)))
    yield _indented(Text(shown(finding.message)))
    yield from _code(finding)
    yield from _flow(finding)
    yield from _evidence(finding)
    info = report.rules.get(finding.rule)
    if info is not None and info.why:
        yield _indented(Text.assemble(("why   ", "dim"), first_sentence(info.why)))
    if finding.remedy:
        yield _indented(Text("write", style="dim"))
        for line in finding.remedy.splitlines():
            yield _indented(Text(shown(line), style="green", overflow="fold"), by=_MARGIN + 6)


def _route(finding: Finding) -> Text:
    if finding.route is None:
        return Text("")
    return Text.assemble("   ", (f"{' '.join(finding.route.methods)} {shown(finding.route.rule)}", "cyan"))


def _evidence(finding: Finding) -> Iterator[Padding]:
    """Say what the vantages beside the source saw."""
    for one in finding.evidence:
        if one.vantage is not Vantage.SOURCE and one.message != finding.message:
            yield _indented(Text.assemble((f"{one.vantage:<6}", "dim"), shown(one.message)))


def _code(finding: Finding) -> Iterator[Padding]:
    code = finding.code
    if not code.strip():
        return
    line = Text(shown(code.strip()), no_wrap=True, overflow="ellipsis")
    yield _indented(Text.assemble((f"{finding.location.line:>5} │ ", "dim"), line), no_wrap=True)
    marked = _marked(finding, code)
    if marked:
        start, length = marked
        yield _indented(
            Text.assemble(("      │ ", "dim"), " " * start, ("^" * length, "bold red")), no_wrap=True
        )


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


def _flow(finding: Finding) -> Iterator[Padding]:
    if not finding.flow:
        return
    for at, step in enumerate(finding.flow):
        mark = "flow  " if at == 0 else "      "
        arrow = "┌ " if at == 0 else "└ " if at == len(finding.flow) - 1 else "│ "
        place = _place(step.location, finding.location)
        yield _indented(Text.assemble((mark, "dim"), arrow, (f"{place:<8} ", "bold"), shown(step.note)))


def _place(where: Location, primary: Location) -> str:
    return f"line {where.line}" if where.path == primary.path else f"{shown(where.path)}:{where.line}"


def _quiet(findings: list[Finding]) -> Iterator[Text | Padding]:
    if not findings:
        return
    yield Text("")
    yield Text(f"{len(findings)} more with low confidence (--verbose tells them whole)", style="bold")
    for finding in findings:
        yield _indented(
            Text.assemble(
                (f"{finding.severity:<9}", _COLOURS[finding.severity]),
                f"{finding.rule}  {shown(str(finding.location))}",
            )
        )


def _unseen(report: Report) -> Iterator[Text | Padding]:
    if report.skipped:
        yield Text("")
        yield Text("Not looked at", style="bold magenta")
        for one in report.skipped:
            yield _indented(Text(f"{shown(one.what)}: {shown(one.reason)}"))
    if report.notes:
        yield Text("")
        yield Text("Notes", style="bold")
        for note in report.notes:
            where = f"{note.location}: " if note.location else ""
            yield _indented(Text(shown(f"{where}{note.message}")))


def _summary(report: Report) -> Text:
    tally = [f"{sum(one.severity is level for one in report.findings)} {level}" for level in Severity]
    counts = ", ".join(part for part in tally if not part.startswith("0 ")) or "nothing found"
    left_out = f"; {report.suppressed} suppressed" if report.suppressed else ""
    style = "bold green" if report.grade.startswith("A") else "bold red"
    more = "\n`stopper explain RULE` prints a rule's page." if report.findings else ""
    told = f"   {len(report.findings)} findings: {counts}{left_out}"
    return Text.assemble("Grade ", (report.grade, style), told, (more, "dim"))


def first_sentence(text: str) -> str:
    """Return the first sentence of a page's prose, on one line."""
    line = " ".join(text.split("\n\n", maxsplit=1)[0].split())
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


def _indented(text: Text, *, by: int = _MARGIN, no_wrap: bool = False) -> Padding:
    text.no_wrap = no_wrap
    if no_wrap:
        text.overflow = "ellipsis"
    return Padding(text, (0, 0, 0, by))
