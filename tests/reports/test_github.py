"""GitHub annotations: ten, how many more, and nothing of the project that could be a command."""

from typing import Any

import pytest

from stopper.finding import Location, Severity
from stopper.reports.github import render


def test_ten_are_shown_and_the_rest_is_counted(make: Any) -> None:
    lines = render(make(13)).splitlines()
    assert sum(line.startswith("::error ") for line in lines) == 10
    assert lines[10].startswith("3 more findings")
    assert "more" not in render(make(10)).splitlines()[10]
    assert render(make(11)).splitlines()[10].startswith("1 more finding:")


def test_an_annotation_points_at_its_lines(make: Any) -> None:
    first = render(make()).splitlines()[0]
    place = "file=blog/views.py,line=12,endLine=12,col=16,endColumn=58"
    assert first.startswith(f"::error {place},title=critical%3A sql-injection::What a visitor")


def test_percent_returns_colons_and_commas_are_escaped(make: Any) -> None:
    hostile = make(message="50%\r\n::error::x, y: z", location=Location("a,b:c%\n::set-output.py", 1))
    lines = render(hostile).splitlines()
    assert len(lines) == 2
    head, _, data = lines[0].removeprefix("::").partition("::")
    assert "file=a%2Cb%3Ac%25%0A%3A%3Aset-output.py,line=1," in head
    assert data.startswith("50%25%0D%0A::error::x, y: z%0A")


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        (Severity.HIGH, "error"),
        (Severity.MEDIUM, "warning"),
        (Severity.LOW, "warning"),
        (Severity.INFO, "notice"),
    ],
)
def test_the_level_follows_the_severity(make: Any, severity: Severity, level: str) -> None:
    assert render(make(severity=severity)).startswith(f"::{level} ")
