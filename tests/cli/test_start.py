"""What a run does not need it does not load: each test is a process of its own that tells what it loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LOOSE = "from flask import Flask\napp = Flask(__name__)\napp.run(debug=True)\n"
NOT_FOR_SOURCE = {
    *("asyncio", "concurrent.futures", "configparser", "difflib", "email", "ftplib", "html.parser", "http"),
    *("importlib.metadata", "importlib.resources", "multiprocessing", "smtplib", "ssl"),
    *("tomllib", "unittest", "urllib.request", "xml", "zipfile"),
    *("flask", "httpx", "hypothesis", "limits", "nh3", "rich", "tree_sitter", "werkzeug"),
    *(
        "stopper.app",
        "stopper.certs",
        "stopper.guard",
        "stopper.wire.client",
        "stopper.wire.page",
        "stopper.wire.survey",
    ),
}
"""What an audit of a small project's source has no use for; a name stands for the package too."""
HEAVY = {"jinja2", "packaging", "shutil", "stopper.rules", "stopper.taint", "subprocess", "tempfile"}
"""What makes an audit, and nothing else should wait for."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text(LOOSE)
    (project / "requirements.txt").write_text("flask==3.1.2\n")
    return project


def loaded(*words: str, cache: Path) -> set[str]:
    """Return the modules that a command of `python -m stopper` has loaded at its end, and the packages they are in."""
    code = "import atexit, sys\natexit.register(lambda: print('\\nLOADED', *sys.modules))\nimport stopper.__main__ as it\nit.main()"
    told = subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "STOPPER_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in told.stderr
    names = told.stdout.rpartition("\nLOADED")[2].split()
    return {".".join(name.split(".")[:end]) for name in names for end in range(1, name.count(".") + 2)}


def test_an_audit_loads_nothing_of_the_other_vantages_and_verbs(folder: Path, tmp_path: Path) -> None:
    loaded("audit", str(folder), cache=tmp_path / "first")  # may compile what is not compiled yet
    names = loaded("audit", str(folder), "--format", "json", cache=tmp_path / "second")

    assert "stopper.rules.secrets.debug_enabled" in names
    assert names & NOT_FOR_SOURCE == set()


def test_an_audit_of_what_did_not_change_loads_no_rule_and_no_parser(folder: Path, tmp_path: Path) -> None:
    loaded("audit", str(folder), "--format", "json", cache=tmp_path / "cache")
    names = loaded("audit", str(folder), "--format", "json", cache=tmp_path / "cache")

    assert "stopper.cache" in names
    assert names & (HEAVY | NOT_FOR_SOURCE) == set()


def test_the_version_and_the_help_load_no_verb(tmp_path: Path) -> None:
    unwanted = (HEAVY | NOT_FOR_SOURCE | {"stopper.cli.audit", "stopper.finding"}) - {"shutil"}
    for word in ("--version", "--help"):
        assert loaded(word, cache=tmp_path / "cache") & unwanted == set()


def test_a_page_is_printed_without_the_other_rules(tmp_path: Path) -> None:
    names = loaded("explain", "debug-enabled", cache=tmp_path / "cache")
    files = {name for name in names if name.startswith("stopper.rules.") and name.count(".") == 3}

    assert {name for name in files if "._" not in name} == {"stopper.rules.secrets.debug_enabled"}


def test_flasks_own_command_line_loads_no_verb_before_it_is_asked() -> None:
    code = (
        "import sys, stopper.cli.main\nprint(*(name for name in sys.modules if name.startswith('stopper')))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert set(told.stdout.split()) == {"stopper", "stopper.cli", "stopper.cli.main", "stopper.errors"}
