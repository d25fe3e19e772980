"""A baseline knows findings by what they are, not by where they stand, and counts them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from stopper.audit import audit
from stopper.baseline import Baseline
from stopper.cli.main import main
from stopper.config import Config
from stopper.errors import ConfigError
from stopper.finding import Area, Confidence, Finding, Location, Severity

APP = """\
import sqlite3
from flask import Flask, request
app = Flask(__name__)
@app.get("/a")
def a():
    return str(sqlite3.connect("x").execute("SELECT " + request.args["q"]).fetchall())
"""
SECOND = APP.partition("@app")[2].replace("/a", "/b").replace("def a", "def b")
ONE = Finding("r", Area.SQL, Severity.HIGH, Confidence.HIGH, "m", Location("a.py", 3), fingerprint="f")


def project(folder: Path, text: str = APP) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "app.py").write_text(text)
    return folder


def seen(folder: Path, **options: object) -> tuple[Finding, ...]:
    return audit(folder, Config(rules=("sql-injection",), online=False).override(**options)).findings


def test_a_second_equal_finding_is_new() -> None:
    sifted = Baseline.of([ONE]).sift([ONE, replace(ONE, location=Location("a.py", 9))])
    assert [one.location.line for one in sifted.known] == [3]
    assert [one.location.line for one in sifted.new] == [9]


def test_what_was_mended_is_told_so_that_the_baseline_can_shrink() -> None:
    sifted = Baseline.of([ONE, ONE]).sift([ONE])
    assert [(one.fingerprint, one.count) for one in sifted.gone] == [("f", 1)]


def test_it_is_read_as_it_was_written_and_the_order_of_findings_does_not_matter(tmp_path: Path) -> None:
    other = replace(ONE, fingerprint="g", rule="q")
    (tmp_path / "b.json").write_text(Baseline.of([ONE, other]).dump())
    assert Baseline.load(tmp_path / "b.json") == Baseline.of([other, ONE])


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": "stopper-baseline/1", "findings": [{"count": 0}]}']
)
def test_a_file_that_is_no_baseline_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(ConfigError, match=r"b\.json"):
        Baseline.load(tmp_path / "b.json")


def test_lines_may_move(tmp_path: Path) -> None:
    (before,) = seen(project(tmp_path / "p"))
    (after,) = seen(project(tmp_path / "p", "# a comment\n\n" + APP))
    assert after.location.line == before.location.line + 2
    assert after.fingerprint == before.fingerprint


def test_a_copy_of_a_known_mistake_is_a_new_finding(tmp_path: Path) -> None:
    folder = project(tmp_path / "p")
    file = tmp_path / "b.json"
    file.write_text(Baseline.of(seen(folder)).dump())
    assert seen(folder, baseline=file) == ()
    project(folder, APP + "@app" + SECOND)
    assert [one.route.rule for one in seen(folder, baseline=file) if one.route] == ["/b"]


def test_a_baseline_written_beside_a_configured_one_holds_all_findings(tmp_path: Path) -> None:
    folder = project(tmp_path / "p")
    file = folder / "b.json"
    (folder / "pyproject.toml").write_text(
        '[tool.stopper]\nbaseline = "b.json"\nrules = ["sql-injection"]\nonline = false\n'
    )
    words = ["audit", str(folder), "-q", "--write-baseline", str(file)]
    assert CliRunner().invoke(main, words).exit_code in (0, 1)
    first = file.read_text()
    assert len(json.loads(first)["findings"]) == 1
    CliRunner().invoke(main, words)
    assert file.read_text() == first
    assert CliRunner().invoke(main, words[:3]).exit_code == 0
