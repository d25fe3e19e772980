"""A run goes on past a broken rule, and the same input always gives the same report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import stopper.audit as run
from stopper.audit import audit
from stopper.config import Config
from stopper.errors import NotFlaskError
from stopper.finding import Area, Confidence, Finding, Severity, Skipped
from stopper.rule import Rule, discover
from stopper.source.project import Project

APP = """\
import sqlite3
from flask import Flask, request
app = Flask(__name__)
app.secret_key = "hunter2"
@app.get("/a")
def a():
    return str(sqlite3.connect("x").execute("SELECT " + request.args["q"]).fetchall())
app.run(debug=True)
"""
MAIN = "from stopper.cli.main import main; main()"
QUIET = Config(online=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def only(folder: Path, *rules: str, **options: object) -> tuple[Finding, ...]:
    return audit(folder, replace(QUIET, rules=rules or ("sql-injection",), **options)).findings


class _Broken(Rule):
    area = Area.XSS
    severity = Severity.LOW

    @property
    def slug(self) -> str:
        return "broken-rule"

    def source(self, project: Project) -> Iterable[Finding | Skipped]:
        raise RuntimeError("out of ideas")


def test_a_rule_that_raises_is_skipped_with_its_name_and_the_run_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "discover", lambda: (_Broken(), *discover()))
    report = audit(folder, QUIET)
    (one,) = [one for one in report.skipped if one.what == "rule broken-rule"]
    assert "out of ideas" in one.reason
    assert "sql-injection" in {finding.rule for finding in report.findings}
    assert next(one.state for one in report.areas if one.area is Area.XSS) != "closed"


def test_what_a_rule_found_before_it_raised_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = next(rule for rule in discover() if rule.slug == "sql-injection")
    whole = sql.source

    def half(_: Rule, project: Project) -> Iterator[Finding | Skipped]:
        yield from whole(project)
        raise RuntimeError("late")

    monkeypatch.setattr(type(sql), "source", half)
    assert len(only(folder)) == 1


def test_the_order_of_the_rules_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = audit(folder, QUIET)
    monkeypatch.setattr(run, "discover", lambda: tuple(reversed(discover())))
    after = audit(folder, QUIET)
    assert after.findings == before.findings
    assert after.skipped == before.skipped


def test_reports_are_equal_whatever_the_hash_seed(folder: Path) -> None:
    reports = []
    for seed in ("0", "1", "4242"):
        words = [sys.executable, "-c", MAIN, "audit", str(folder), "--format", "json", "--offline"]
        done = subprocess.run(
            words, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=False
        )
        data = json.loads(done.stdout)
        del data["stats"]["seconds"]
        reports.append(data)
    assert reports[0]["findings"]
    assert reports[0] == reports[1] == reports[2]


def test_a_fingerprint_outlives_a_change_of_confidence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (before,) = only(folder)
    sql = next(rule for rule in discover() if rule.slug == "sql-injection")
    whole = sql.source

    def unsure(_: Rule, project: Project) -> Iterator[Finding | Skipped]:
        for one in whole(project):
            yield replace(one, confidence=Confidence.LOW) if isinstance(one, Finding) else one

    monkeypatch.setattr(type(sql), "source", unsure)
    (after,) = only(folder)
    assert after.confidence is not before.confidence
    assert after.fingerprint == before.fingerprint


def test_a_finding_has_its_code_and_its_route(folder: Path) -> None:
    (one,) = only(folder)
    assert "SELECT" in one.code
    assert one.route is not None
    assert one.route.rule == "/a"


def test_what_an_earlier_request_left_behind_is_followed_unless_told_otherwise(folder: Path) -> None:
    (folder / "app.py").write_text(
        "import os\nfrom flask import Flask, request, session\napp = Flask(__name__)\n\n"
        '@app.post("/keep")\ndef keep():\n    session["name"] = request.form["name"]\n    return ""\n\n'
        '@app.get("/run")\ndef run():\n    os.system("echo " + session["name"])\n    return ""\n'
    )

    (finding,) = only(folder, "command-injection")

    assert finding.confidence is Confidence.LOW
    assert only(folder, "command-injection", second_order=False) == ()


def test_a_finding_in_a_template_names_the_route_and_the_line(folder: Path) -> None:
    (folder / "templates").mkdir()
    (folder / "templates/a.html").write_text("<p>\n{{ q|safe }}")
    (folder / "app.py").write_text(
        "from flask import Flask, render_template, request\napp = Flask(__name__)\n"
        '@app.get("/a")\ndef a():\n    return render_template("a.html", q=request.args["q"])\n'
    )

    (finding,) = only(folder, "template-safe-filter", "reflected-xss")

    assert (finding.location.path, finding.location.line, finding.code) == (
        "templates/a.html",
        2,
        "{{ q|safe }}",
    )
    assert finding.route is not None
    assert finding.route.rule == "/a"
    assert [step.code for step in finding.flow][-1] == "{{ q|safe }}"


def test_a_comment_that_answers_a_finding_below_the_threshold_is_not_stale(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "app.py").write_text(
        APP.replace("fetchall())", "fetchall())  # stopper: ignore[sql-injection] a reason")
    )
    config = replace(QUIET, rules=("sql-injection",), per_path_ignores=(("app.py", ("sql-injection",)),))
    report = audit(folder, config)
    assert (report.findings, report.notes, report.suppressed) == ((), (), 1)


def test_excluded_files_are_not_looked_at(folder: Path) -> None:
    (folder / "other.py").write_text(APP)
    assert {one.location.path for one in only(folder, exclude=("other.py",))} == {"app.py"}


def test_a_folder_without_flask_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os\n")
    with pytest.raises(NotFlaskError, match="name the folder"):
        audit(tmp_path, QUIET)
