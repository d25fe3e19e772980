"""`stopper debug` prints how the taint engine reads a file, stage by stage."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from stopper.cli.debug import STAGES
from stopper.cli.main import main
from stopper.taint import printing

SOURCE = """
import os
from flask import Flask, request

app = Flask(__name__)

def run(command):
    os.system(command)

@app.post("/")
def view():
    run(request.form["c"])
    return "done"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "app.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return Path("app.py")


@pytest.mark.parametrize(
    ("stage", "line"),
    [
        ("ir", "    %1 = call os.system(command)"),
        ("calls", "  -> app.run"),
        ("summaries", "  command reaches command at system() (high)"),
    ],
)
def test_each_stage_is_printed(file: Path, stage: str, line: str) -> None:
    result = CliRunner().invoke(main, ["debug", stage, str(file)])

    assert result.exit_code == 0
    assert line in result.output.splitlines()


def test_a_file_outside_of_the_folder_is_read_as_part_of_its_own(
    file: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file.resolve()
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))

    assert "app.run" in CliRunner().invoke(main, ["debug", "calls", str(path)]).output


def test_a_file_that_is_not_there_is_told(file: Path) -> None:
    del file
    result = CliRunner().invoke(main, ["debug", "ir", "nowhere.py"])

    assert result.exit_code == 2
    assert "there is no file nowhere.py" in result.output


def test_a_file_that_is_no_python_is_told(file: Path) -> None:
    file.with_name("notes.txt").write_text("hello", encoding="utf-8")
    result = CliRunner().invoke(main, ["debug", "ir", "notes.txt"])

    assert result.exit_code == 2
    assert "ends in .py" in result.output


def test_the_verb_knows_the_stages_of_the_engine() -> None:
    assert STAGES == printing.STAGES
