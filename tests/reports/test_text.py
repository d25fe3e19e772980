"""The text report fits its width, marks the span, and prints a project's words as words."""

from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

from stopper.finding import Confidence, Location, RouteRef, Skipped
from stopper.reports.text import render

NASTY = "a\x1b[31mred\x07 \u202egnp\r\n\x9b2J\x00"
MARKUP = "[red]x[/red] [link=https://x.invalid]y[/link] :smile: [/nope]"


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_asked(make: Any, width: int) -> None:
    long = "kept_together_" * 12
    report = make(
        message=f"{long} is said {'in many words ' * 12}",
        location=Location(f"{'deep/' * 30}views.py", 12, 16, 12, 58),
        code=f"db.execute({long!r})",
        remedy=f"db.execute({long!r}, (1,))",
        route=RouteRef(f"/{long}", ("GET",), "post"),
    )
    report = replace(report, target="/x" * 90, skipped=(Skipped(long, long), *report.skipped))
    wide = [line for line in render(report, width=width).splitlines() if cell_len(line) > width]
    assert wide == []


def test_wide_letters_count_as_two_columns(make: Any) -> None:
    text = render(make(message="漢字" * 60, code="x = '" + "漢字" * 60 + "'"), width=80)
    assert max(cell_len(line) for line in text.splitlines()) <= 80


def test_escape_codes_come_only_with_colour(make: Any) -> None:
    assert "\x1b" not in render(make(), width=80)
    assert "\x1b[" in render(make(), width=80, colour=True)


@pytest.mark.parametrize("colour", [False, True])
def test_control_characters_of_the_project_become_visible(make: Any, colour: bool) -> None:
    report = make(
        message=NASTY,
        code=NASTY,
        remedy=NASTY,
        route=RouteRef(NASTY, ("GET",), "x"),
        location=Location(NASTY, 1, 1),
    )
    low = make(confidence=Confidence.LOW, location=Location(NASTY, 1, 1))
    report = replace(
        report, target=NASTY, findings=report.findings + low.findings, skipped=(Skipped(NASTY, NASTY),)
    )
    text = render(report, width=200, colour=colour)
    assert not set("\x07\u202e\x9b\x00\r") & set(text)
    assert "\x1b[31mred" not in text
    assert "a\\x1b[31mred\\x07 \\u202egnp" in text


def test_markup_of_the_project_is_printed_as_it_stands(make: Any) -> None:
    report = make(message=MARKUP, code=MARKUP, remedy=MARKUP, location=Location(f"{MARKUP}.py", 1, 1))
    text = render(replace(report, target=MARKUP, skipped=(Skipped(MARKUP, MARKUP),)), width=200)
    assert text.count(MARKUP) == 7


def test_the_caret_stands_under_the_span(make: Any) -> None:
    lines = render(make(), width=100).splitlines()
    at = next(number for number, line in enumerate(lines) if "│ db.execute(" in line)
    caret = lines[at + 1]
    start, end = caret.index("^"), caret.rindex("^") + 1
    assert lines[at][start:end] == '"SELECT * FROM post WHERE id = " + post_id'
    assert set(caret[start:end]) == {"^"}


def test_no_caret_where_the_span_is_not_known(make: Any) -> None:
    assert "^" not in render(make(indent=-1), width=100)
    assert "^" not in render(make(location=Location("app.py", 12, 400, 12, 401)), width=100)


def test_low_confidence_is_one_line_until_verbose(make: Any) -> None:
    report = make(confidence=Confidence.LOW)
    assert "1 more with low confidence" in render(report)
    assert "What a visitor sends" not in render(report)
    assert "What a visitor sends" in render(report, verbose=True)


def test_what_was_not_looked_at_is_said(make: Any) -> None:
    text = render(make(), width=100)
    assert "blog/broken.py: this is no Python" in text
    assert "this ignore has no reason" in text
    assert "2 suppressed" in text
