"""What the source says and what the booted app says become one finding; where they disagree the app wins and the report says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from stopper.app.boot import Boot
from stopper.audit import audit
from stopper.finding import Vantage
from stopper.report import Report
from stopper.vantages import Looks

APP = """from flask import Flask, session
app = Flask(__name__)
app.config["SECRET_KEY"] = "k7-winter-night-8812-long"
app.config["SESSION_COOKIE_HTTPONLY"] = False
{more}

@app.get("/")
def index():
    session["seen"] = 1
    return "hello"
"""


def audited(folder: Path, more: str = "", name: str = "app") -> Report:
    (folder / "app.py").write_text(APP.format(more=more))
    return audit(folder, looks=Looks(Boot(name, folder)))


def test_the_same_thing_seen_twice_is_one_finding_with_two_pieces_of_evidence(tmp_path: Path) -> None:
    report = audited(tmp_path)

    (finding,) = [one for one in report.findings if one.rule == "session-cookie-httponly"]
    assert [one.vantage for one in finding.evidence] == [Vantage.SOURCE, Vantage.APP]
    assert (finding.location.path, finding.location.line) == ("app.py", 4)


def test_what_only_the_app_shows_points_at_the_line_that_causes_it(tmp_path: Path) -> None:
    more = "KEYS = {'SESSION_COOKIE' + '_SECURE': False}\napp.config.update(**KEYS)"
    report = audited(tmp_path, more)

    (finding,) = [one for one in report.findings if one.rule == "session-cookie-secure"]
    assert Vantage.APP in {one.vantage for one in finding.evidence}
    assert finding.location.path == "app.py"
    assert finding.fingerprint


def test_where_they_disagree_the_app_wins_and_the_report_says_so(tmp_path: Path) -> None:
    more = "setattr(app, 'config', type(app.config)(app.root_path, {**app.config, 'SESSION_COOKIE_' + 'HTTPONLY': True}))"
    report = audited(tmp_path, more)

    assert "session-cookie-httponly" not in {one.rule for one in report.findings}
    assert any("SESSION_COOKIE_HTTPONLY is True in the booted app" in note.message for note in report.notes)


def test_an_app_that_does_not_boot_is_skipped_and_its_areas_are_not_closed(tmp_path: Path) -> None:
    report = audited(tmp_path, name="nothing_of_that_name")

    (skipped,) = [one for one in report.skipped if one.what.startswith("app ")]
    assert "nothing_of_that_name" in skipped.reason
    assert all(one.state != "closed" for one in report.areas if one.area in skipped.areas)


def test_routes_that_the_source_does_not_show_are_named(tmp_path: Path) -> None:
    more = """exec("app.add_url_rule('/hidden', 'hidden', lambda: 'x')")"""
    report = audited(tmp_path, more)

    assert any("/hidden" in note.message for note in report.notes)


def test_a_development_boot_clears_nothing(tmp_path: Path) -> None:
    more = "app.debug = True\napp.config.update({'SESSION_COOKIE_' + 'HTTPONLY': True})"
    report = audited(tmp_path, more)

    assert "session-cookie-httponly" in {one.rule for one in report.findings}
    assert any("debug or testing mode" in one.reason for one in report.skipped)


def test_the_command_line_boots_the_app_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.format(more=""))
    command = [
        str(Path(sys.executable).with_name("stopper")),
        "audit",
        str(tmp_path),
        "--app",
        "app",
        "--format",
        "json",
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)

    said = json.loads(run.stdout)
    assert {one["vantage"] for finding in said["findings"] for one in finding["evidence"]} == {
        "source",
        "app",
    }
