"""`stopper audit`: exit codes, files, baselines, and what is told when the words are wrong."""

import contextlib
import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stopper.cli.main import main

OPEN = """\
import sqlite3
from flask import Flask, request

app = Flask(__name__)


@app.get("/post")
def post():
    db = sqlite3.connect("blog.db")
    return str(db.execute("SELECT * FROM post WHERE id = " + request.args["id"]).fetchall())
"""


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run without the tester's wishes for colour, and switch the garbage collector, which a run stops, on again."""
    for name in ("FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    yield
    gc.enable()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "blog"
    folder.mkdir()
    (folder / "app.py").write_text(OPEN)
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["audit", *map(str, words)])


def start(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "from stopper.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **environment},
    )


def test_1_when_something_is_found_and_0_when_it_is_not_severe_enough(project: Path) -> None:
    found = run(project, "--rule", "sql-injection")
    assert (found.exit_code, found.stderr) == (1, "")
    assert "app.py:10" in found.stdout
    (project / "app.py").write_text("from flask import Flask\n\napp = Flask(__name__)\n")
    assert run(project, "--rule", "sql-injection").exit_code == 0


def test_fail_on_decides_what_ends_with_1(project: Path) -> None:
    words = (
        project,
        "--rule",
        "unpinned-requirement",
        "--rule",
        "request-size-unlimited",
        "--format",
        "json",
    )
    levels = {one["severity"] for one in json.loads(run(*words).stdout)["findings"]}
    assert levels
    assert not levels & {"critical"}
    assert run(*words, "--fail-on", "critical").exit_code == 0
    assert run(*words, "--fail-on", "info").exit_code == 1


@pytest.mark.parametrize(
    "words", [["--nonsense"], ["--format", "yaml"], ["--area", "nowhere"], ["--fail-on", "awful"]]
)
def test_2_when_the_words_are_wrong(project: Path, words: list[str]) -> None:
    assert run(project, *words).exit_code == 2


def test_a_folder_without_flask_and_one_that_is_not_there_end_with_2(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("print('hello')\n")
    without = run(tmp_path)
    assert without.exit_code == 2
    assert "imports Flask" in without.stderr
    missing = run(tmp_path / "nowhere")
    assert missing.exit_code == 2
    assert "nowhere" in missing.stderr
    assert "Traceback" not in missing.output


@pytest.mark.parametrize("option", ["--rule", "--skip"])
def test_an_unknown_rule_suggests_the_nearest(project: Path, option: str) -> None:
    result = run(project, option, "sql-injektion")
    assert result.exit_code == 2
    assert "'sql-injektion'" in result.stderr
    assert "'sql-injection'" in result.stderr


def test_the_ending_of_an_output_picks_its_format(project: Path, tmp_path: Path) -> None:
    files = {kind: tmp_path / f"report{kind}" for kind in (".txt", ".json", ".sarif", ".github")}
    words = [word for file in files.values() for word in ("-o", file)]
    result = run(project, "--rule", "sql-injection", "-q", *words)
    assert (result.exit_code, result.output) == (1, "")
    assert files[".txt"].read_text().startswith("Stopper")
    assert json.loads(files[".json"].read_text())["schema"] == "stopper-report/1"
    assert json.loads(files[".sarif"].read_text())["version"] == "2.1.0"
    assert files[".github"].read_text().startswith("::error file=app.py,line=10,")


def test_an_output_that_cannot_be_is_told(project: Path, tmp_path: Path) -> None:
    missing = run(project, "--rule", "sql-injection", "-o", tmp_path / "nowhere" / "report.json")
    assert missing.exit_code == 2
    assert "nowhere" in missing.stderr
    assert "folder that exists" in missing.stderr
    odd = run(project, "-o", tmp_path / "report.docx")
    assert odd.exit_code == 2
    assert ".sarif" in odd.stderr


def test_a_written_baseline_leaves_nothing_to_find(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    first = run(project, "--write-baseline", file, "--format", "json")
    count = len(json.loads(first.stdout)["findings"])
    assert count > 0
    second = run(project, "--baseline", file, "--format", "json")
    said = json.loads(second.stdout)
    assert (second.exit_code, said["findings"], said["suppressed"]) == (0, [], count)
    (project / "app.py").write_text(f"# moved down\n\n{OPEN}")
    assert json.loads(run(project, "--baseline", file, "--format", "json").stdout)["findings"] == []
    assert run(project, "--baseline", tmp_path / "none.json").exit_code == 2


def test_two_runs_say_the_same_bytes_but_for_the_time(project: Path) -> None:
    def said() -> str:
        document = json.loads(run(project, "--format", "json").stdout)
        del document["stats"]["seconds"]
        return json.dumps(document)

    assert said() == said()


def test_help_imports_neither_rich_nor_the_audit() -> None:
    result = start("--help")
    assert result.returncode == 0
    assert "audit" in result.stdout
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert "stopper.cli.main" in imported
    assert not {name for name in imported if name.split(".")[0] in {"rich", "httpx", "jinja2", "tree_sitter"}}
    assert not imported & {"stopper.audit", "stopper.rule", "stopper.source.project", "stopper.cli.audit"}


def test_a_pipe_gets_no_progress_and_no_colour(project: Path) -> None:
    result = start("audit", project, "--rule", "sql-injection", FORCE_COLOR="", COLUMNS="")
    assert result.returncode == 1
    told = [line for line in result.stderr.splitlines() if not line.startswith("import time:")]
    assert told == []
    assert "\x1b" not in result.stdout + result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 100


@pytest.mark.parametrize(("columns", "widest"), [("60", 60), ("wide", 100), ("0", 100)])
def test_columns_set_the_width_in_a_pipe(project: Path, columns: str, widest: int) -> None:
    result = start("audit", project, "--rule", "sql-injection", COLUMNS=columns, FORCE_COLOR="")
    assert result.returncode == 1
    assert widest - 20 < max(map(len, result.stdout.splitlines())) <= widest


def on_a_terminal(*words: object) -> tuple[str, str]:
    """Return what `stopper` prints, and what it shows on standard error where that is a terminal of 100 columns."""
    import pty
    import termios

    reader, writer = pty.openpty()
    termios.tcsetwinsize(writer, (24, 100))
    done = subprocess.Popen(
        [sys.executable, "-m", "stopper", *map(str, words)], stdout=subprocess.PIPE, stderr=writer, text=True,
        env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(writer)
    printed, _ = done.communicate(timeout=120)
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while piece := os.read(reader, 65536):
            shown += piece
    os.close(reader)
    return printed, shown.decode("utf-8", "replace")


def test_a_terminal_shows_a_bar_that_goes_away(project: Path) -> None:
    printed, shown = on_a_terminal("audit", project, "--no-cache", "--area", "sql")

    assert "━" in shown
    assert "sql-injection" in shown
    assert shown.endswith(("\x1b[2K", "\x1b[?25h"))
    assert "━" not in printed


@pytest.mark.parametrize("word", ["--no-progress", "--quiet"])
def test_no_bar_where_none_is_wanted(project: Path, word: str) -> None:
    assert on_a_terminal("audit", project, "--no-cache", "--area", "sql", word)[1] == ""


def test_a_pipe_needs_no_library_for_screens(project: Path) -> None:
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('rich' in sys.modules, file=sys.stderr))\n"
        "from stopper.cli.main import main\n"
        "main(['audit', sys.argv[1], '--no-cache', '--area', 'sql'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(project)], capture_output=True, text=True, check=False
    )

    assert done.stderr == "False\n"


def test_a_warm_run_prints_what_the_cold_run_printed(project: Path, tmp_path: Path) -> None:
    views = "".join(
        f'@app.get("/{at}")\ndef view{at}():\n    return sqlite3.connect("x").execute("SELECT " + request.args["q"])\n'
        for at in range(150)
    )
    with (project / "app.py").open("a") as file:
        file.write(views)
    place = {"STOPPER_CACHE_DIR": str(tmp_path / "kept")}
    words = ("audit", project, "--rule", "sql-injection")
    cold, warm = start(*words, **place), start(*words, **place)

    assert len(cold.stdout) > 1 << 16, "more than a pipe holds"
    assert warm.stdout.splitlines()[2:] == cold.stdout.splitlines()[2:]
    assert warm.returncode == cold.returncode == 1
