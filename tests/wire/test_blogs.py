"""Both example blogs over TLS on loopback: the wire ties what it sees to the source, scores what it should, and is quick."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator

import pytest
from tests.wire.blogs import Blog, served

from stopper.app.boot import Boot
from stopper.audit import audit
from stopper.finding import Finding, Vantage
from stopper.grade import counts
from stopper.report import Report
from stopper.reports import json as json_report
from stopper.reports import text as text_report
from stopper.rule import discover
from stopper.source.files import walk
from stopper.source.project import Project
from stopper.vantages import Looks, look
from stopper.wire.survey import Plan, survey

CPU_SECONDS = 3.0
"""What a look at twelve pages may take of this process's own time; the clock also counts what other processes took."""
SECONDS = 10.0


@pytest.fixture(scope="module")
def soft(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blog]:
    with served("blog", tmp_path_factory.mktemp("soft")) as blog:
        yield blog


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blog]:
    pytest.importorskip("PIL.Image")
    with served("guarded-blog", tmp_path_factory.mktemp("guarded")) as blog:
        yield blog


def plan(blog: Blog) -> Plan:
    return Plan(blog.url, blog.http, blog.ca)


def seen(blog: Blog) -> Report:
    """Audit a blog from all three vantages."""
    return audit(blog.home, looks=Looks(Boot("wsgi", blog.home), plan(blog)))


@pytest.fixture(scope="module")
def soft_report(soft: Blog) -> Report:
    return seen(soft)


@pytest.fixture(scope="module")
def guarded_report(guarded: Blog) -> Report:
    return seen(guarded)


def vantages(finding: Finding) -> set[Vantage]:
    return {one.vantage for one in finding.evidence}


def line_of(blog: Blog, finding: Finding) -> str:
    """Return the line of source that a finding points at; empty where it points at none."""
    file = blog.home / finding.location.path
    if not file.is_file():
        return ""
    return file.read_text(encoding="utf-8").splitlines()[finding.location.line - 1].strip()


def test_the_wire_alone_ties_ten_findings_of_the_soft_blog_to_their_lines(soft: Blog) -> None:
    alone = look(Looks(site=plan(soft)), discover(), Project(walk(soft.home)), ())
    tied = {(one.rule, line_of(soft, one)) for one in alone.findings if line_of(soft, one)}

    assert all(vantages(one) == {Vantage.WIRE} for one in alone.findings)
    assert len(tied) >= 10
    assert {
        ("form-without-csrf-token", "def register():"),
        ("form-without-csrf-token", "def login():"),
        ("form-without-csrf-token", "def show(post_id):"),
        ("form-without-csrf-token", "def contact():"),
        ("csp-unsafe-inline", 'response.headers["Content-Security-Policy"] = ('),
        ("csp-bypassable", 'response.headers["Content-Security-Policy"] = ('),
        ("security-headers-missing", "app = Flask(__name__, instance_relative_config=True)"),
    } <= tied


def test_what_only_the_wire_sees_stands_beside_what_the_source_says(soft: Blog, soft_report: Report) -> None:
    from_wire = [one for one in soft_report.findings if Vantage.WIRE in vantages(one)]

    assert len(from_wire) >= 10
    assert all(line_of(soft, one) for one in from_wire)
    assert any(vantages(one) == set(Vantage) for one in from_wire), "one finding that all three vantages saw"
    assert {one.route.rule for one in from_wire if one.route} >= {"/login", "/register", "/contact"}


def test_the_three_vantages_stand_in_the_text_and_in_the_json(soft: Blog, soft_report: Report) -> None:
    text = text_report.render(soft_report, width=100)
    said = json.loads(json_report.render(soft_report))

    assert soft.url in text
    assert "Grade F" in text
    assert {one["vantage"] for finding in said["findings"] for one in finding["evidence"]} == {
        "source",
        "app",
        "wire",
    }


def test_the_soft_site_fails_and_the_guarded_one_scores_a_plus(
    soft_report: Report, guarded_report: Report
) -> None:
    assert soft_report.site is not None
    assert (soft_report.site.letter, soft_report.grade) == ("F", "F")
    assert guarded_report.site is not None
    assert guarded_report.site.letter == "A+"
    assert guarded_report.site.points >= 130
    assert [one for one in guarded_report.site.tests if one[2] < 0] == []


def test_the_wire_finds_nothing_that_counts_at_the_guarded_blog(guarded_report: Report) -> None:
    from_wire = [one for one in guarded_report.findings if Vantage.WIRE in vantages(one)]

    assert [one.message for one in from_wire if counts(one)] == []
    assert [
        one.what for one in guarded_report.skipped if one.what.startswith(("rule ", "site ", "app "))
    ] == []


@pytest.mark.parametrize("name", ["soft", "guarded"])
def test_twelve_pages_are_quick_and_no_more_is_sent_than_allowed(
    name: str, request: pytest.FixtureRequest
) -> None:
    blog = request.getfixturevalue(name)
    began = time.process_time()
    site = survey(plan(blog))
    spent = time.process_time() - began

    assert len(site.of("page")) == 12
    assert spent < CPU_SECONDS
    assert site.seconds < SECONDS * (1 + os.getloadavg()[0]), (
        "the clock, with as much patience as the load asks for"
    )
    assert site.requests <= plan(blog).budget.requests


def test_the_report_says_how_many_requests_were_sent(soft: Blog, soft_report: Report) -> None:
    (note,) = [one.message for one in soft_report.notes if "was asked" in one.message]
    told = re.fullmatch(rf"{re.escape(soft.url)} was asked (\d+) times in [\d.]+ s; 12 pages were read", note)

    assert told
    assert 12 < int(told[1]) <= plan(soft).budget.requests
    assert note in text_report.render(soft_report, width=200)
    assert note in json_report.render(soft_report)
