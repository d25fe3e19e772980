"""One report with everything in it, and the same words for a hostile project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from stopper.finding import (
    Area,
    Confidence,
    Evidence,
    Finding,
    Location,
    RouteRef,
    Severity,
    Skipped,
    Step,
    Vantage,
)
from stopper.fix import Edit, Fix
from stopper.report import Note, Report, RuleInfo, Stats, assemble

LINE = '    db.execute("SELECT * FROM post WHERE id = " + post_id)'
FINDING = Finding(
    rule="sql-injection",
    area=Area.SQL,
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    message="What a visitor sends as `id` becomes part of the statement.",
    location=Location("blog/views.py", 12, 16, 12, 58),
    cwe=(89,),
    remedy='db.execute("SELECT * FROM post WHERE id = ?", (post_id,))',
    flow=(
        Step(Location("blog/views.py", 10, 15), "request.args is read"),
        Step(Location("blog/views.py", 12, 16), "and handed to execute"),
    ),
    route=RouteRef("/post", ("GET",), "post"),
    evidence=(Evidence(Vantage.SOURCE, "a flow", Location("blog/views.py", 12, 16)),),
    code=LINE.strip(),
    indent=4,
    fingerprint="0123456789abcdef",
    fix=Fix("Bind the value", (Edit("blog/views.py", 200, 240, "?"),)),
    related=(Location("blog/db.py", 3, 1, 3, 9),),
)
INFO = RuleInfo(
    title="A statement must not be built from what a visitor sends.",
    why="The visitor writes the statement. Then the data is theirs.",
    area=Area.SQL,
    severity=Severity.CRITICAL,
    cwe=(89,),
    good='db.execute("SELECT ?", (value,))\n',
    references=("CWE-89",),
)

Make = Callable[..., Report]


@pytest.fixture
def make() -> Make:
    """Return what builds a report of one finding, with changes, as many times as wanted."""

    def build(copies: int = 1, **changes: object) -> Report:
        one = replace(FINDING, **changes)  # type: ignore[arg-type]
        findings = [replace(one, fingerprint=f"{number:016x}") for number in range(copies)]
        return assemble(
            target="blog",
            findings=findings,
            skipped=[Skipped("blog/broken.py", "this is no Python", (Area.XSS,))],
            stats=Stats(3, 120, 2, 5, 0.25),
            rules={FINDING.rule: INFO},
            suppressed=2,
            notes=[Note("this ignore has no reason", Location("blog/db.py", 3, 1))],
        )

    return build
