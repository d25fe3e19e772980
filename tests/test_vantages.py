"""What the source says and what the booted app says become one finding; where they disagree the app wins and the report says so."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stopper.app.boot import Boot
from stopper.audit import audit
from stopper.finding import Vantage
from stopper.report import Report
from stopper.source.causes import cause
from stopper.source.files import walk
from stopper.source.project import Project
from stopper.vantages import Looks
from stopper.wire.survey import Plan

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


BLOG = """import time
from flask import Flask, make_response, redirect, request, session
app = Flask(__name__)
app.config.update(SECRET_KEY="secret", SESSION_COOKIE_NAME="blog")

@app.after_request
def headers(response):
    response.headers["Content-Security-Policy"] = "script-src 'unsafe-inline'"
    response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
    response.headers["Access-Control-Allow-Credentials"] = "true"
    return response

@app.get("/")
def index():
    session["seen"] = 1
    response = make_response("<a href='/login'>log in</a><a href='/old'>old</a>")
    response.set_cookie("remember_me", "abc")
    return response

@app.route("/login", methods=["GET", "POST"])
def login():
    return "<form method=post><input name=user><input type=password name=password></form>"

@app.get("/old")
def old():
    return redirect(f"http://{request.host}/")

@app.get("/.env")
def leak():
    return "SECRET_KEY=secret", {"Content-Type": "text/plain"}

@app.errorhandler(404)
def missing(error):
    return "Traceback (most recent call last):", 404
"""


SERVE = """import socket, waitress, app
listening = socket.socket()
listening.bind(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
waitress.serve(app.app, sockets=[listening])
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    (tmp_path / "app.py").write_text(BLOG)
    server = tmp_path / "serve.py"
    server.write_text(SERVE)
    process = subprocess.Popen([sys.executable, str(server)], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = int(process.stdout.readline())
    server.unlink()
    yield tmp_path, f"http://127.0.0.1:{port}/"
    process.terminate()
    process.wait(10)
    process.stdout.close()


def test_what_the_wire_shows_points_at_the_line_of_source_that_causes_it(site: tuple[Path, str]) -> None:
    folder, url = site
    report = audit(folder, looks=Looks(site=Plan(url)))
    lines = BLOG.splitlines()
    shown = {
        finding.rule: lines[finding.location.line - 1].strip()
        for finding in report.findings
        if Vantage.WIRE in {one.vantage for one in finding.evidence}
    }

    assert shown["csp-unsafe-inline"].startswith('response.headers["Content-Security-Policy"]')
    assert shown["cors-any-origin"].startswith('response.headers["Access-Control-Allow-Origin"]')
    assert shown["cookie-without-flags"].startswith("response.set_cookie(")
    assert shown["secret-key-weak"].startswith("app.config.update(SECRET_KEY=")
    assert shown["session-cookie-secure"].startswith(("app = Flask", "app.config"))
    assert shown["form-without-csrf-token"] == "def login():"
    assert shown["file-exposed"] == "def leak():"
    assert {"error-details-exposed", "security-headers-missing", "version-banner"} & set(shown)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("Stopper(app)", "Stopper(app)"),
        ("guard = Stopper()\nguard.init_app(app)", "guard.init_app(app)"),
        ("Stopper(\n    app,\n    hsts_seconds=300,\n)", "hsts_seconds=300,"),
        (
            "app.config['STOPPER_HSTS_SECONDS'] = 300\nStopper(app)",
            "app.config['STOPPER_HSTS_SECONDS'] = 300",
        ),
        (
            "Stopper(app)\n@app.after_request\ndef add(answer):\n    answer.headers['Strict-Transport-Security'] = age",
            "answer.headers['Strict-Transport-Security'] = age",
        ),
    ],
)
def test_a_header_that_the_guard_sets_points_at_what_told_the_guard(
    tmp_path: Path, source: str, line: str
) -> None:
    (tmp_path / "app.py").write_text(
        f"from flask import Flask\nfrom stopper import Stopper\napp = Flask(__name__)\n{source}\n"
    )
    place = cause(Project(walk(tmp_path)), "header:Strict-Transport-Security")

    assert place is not None
    assert (tmp_path / place.path).read_text().splitlines()[place.line - 1].strip() == line


def test_a_header_that_the_guard_does_not_set_points_at_the_app(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "from flask import Flask\nfrom stopper import Stopper\napp = Flask(__name__)\nStopper(app)\n"
    )
    place = cause(Project(walk(tmp_path)), "header:Server")

    assert place is not None
    assert place.line == 3


def test_the_site_is_scored_and_the_grade_is_the_worse_of_both(site: tuple[Path, str]) -> None:
    folder, url = site
    report = audit(folder, looks=Looks(site=Plan(url)))

    assert report.site is not None
    assert report.site.letter == "F"
    assert report.grade == "F"
    assert any("was asked" in note.message for note in report.notes)


def test_a_site_without_source_is_looked_at_all_the_same(site: tuple[Path, str], tmp_path: Path) -> None:
    _, url = site
    empty = tmp_path / "empty"
    empty.mkdir()
    report = audit(empty, looks=Looks(site=Plan(url)))

    assert report.findings
    assert {finding.location.path for finding in report.findings} == {url}


def test_a_site_that_does_not_answer_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.format(more=""))
    report = audit(tmp_path, looks=Looks(site=Plan("http://127.0.0.1:9/")))

    (skipped,) = [one for one in report.skipped if one.what.startswith("site ")]
    assert "no connection" in skipped.reason


def test_an_active_look_counts_the_logins_until_one_is_refused(site: tuple[Path, str]) -> None:
    folder, url = site
    report = audit(folder, looks=Looks(site=Plan(url, active=True)))

    (finding,) = [one for one in report.findings if one.rule == "login-without-limit"]
    assert [one.vantage for one in finding.evidence] == [Vantage.SOURCE, Vantage.WIRE]
    assert "15 wrong logins" in finding.evidence[1].message
