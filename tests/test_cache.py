"""With the cache or without it, whatever happened to it: the findings are the same."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stopper import cache as caching
from stopper import state
from stopper.audit import audit_tree
from stopper.cache import Cache, audited, listed
from stopper.config import Config
from stopper.plain import from_plain, to_plain
from stopper.report import Report, Stats
from stopper.rules.secrets import _text
from stopper.source.credentials import Credential
from stopper.source.files import SourceFile

APP = """\
import sqlite3
from flask import Flask, request
app = Flask(__name__)
app.secret_key = "hunter2"
@app.get("/a")
def a():
    return str(sqlite3.connect("x").execute("SELECT " + request.args["q"]).fetchall())
"""
MORE = """\
@app.get("/b")
def b():
    return request.args["q"]
"""
CONFIG = Config(rules=("sql-injection", "reflected-xss", "dotenv-not-ignored", "hardcoded-credential"))
TOKEN = "gh" + "p_" + "aB3dE5gH7jK9mN1pQ4rS6tU8vW0xY2zC5fG8"


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text(APP)
    return project


class Runs:
    """Audits of one folder that share a cache, and how many of them had to look."""

    def __init__(self, folder: Path, place: Path, config: Config = CONFIG) -> None:
        self.folder, self.cache, self.config = folder, Cache(place), config
        self.looked = 0

    def report(self) -> Report:
        tree = listed(self.folder, self.config)

        def run() -> tuple[Report, tuple[str, ...]]:
            self.looked += 1
            return audit_tree(tree, self.folder, self.config, cache=self.cache)

        return replace(audited(tree, self.folder, self.config, self.cache, run), stats=Stats())

    def fresh(self) -> Report:
        tree = listed(self.folder, self.config)
        return replace(audit_tree(tree, self.folder, self.config)[0], stats=Stats())


@pytest.fixture
def runs(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    monkeypatch.setattr(state, "of_stopper", lambda: "the code of this test run")
    return Runs(folder, tmp_path / "cache")


def test_an_audit_of_what_did_not_change_is_not_done_twice(runs: Runs) -> None:
    first = runs.report()

    assert runs.report() == first == runs.fresh()
    assert runs.looked == 1
    assert first.findings


@pytest.mark.parametrize("change", ["code", "file", "env", "ignore", "config"])
def test_whatever_changes_is_looked_at(runs: Runs, change: str) -> None:
    git(runs.folder, "init", "-q")
    before = runs.report()
    if change == "code":
        (runs.folder / "app.py").write_text(APP + MORE)
    elif change == "file":
        (runs.folder / "new.py").write_text("x = 1\n")
    elif change == "env":
        (runs.folder / ".env").write_text("SECRET_KEY=k7-winter\n")
    elif change == "ignore":
        (runs.folder / ".gitignore").write_text(".env\n")
    else:
        runs.config = replace(CONFIG, rules=("sql-injection",))
    after = runs.report()

    assert runs.looked == 2
    assert after == runs.fresh()
    assert (after.findings != before.findings) == (change in {"code", "env"})


def test_a_commit_is_seen_and_what_it_added_is_remembered(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(runs.folder, "init", "-q")
    (runs.folder / "old.py").write_text(f'TOKEN = "{TOKEN}"\n')
    git(runs.folder, "add", ".")
    git(runs.folder, "commit", "-qm", "first")
    (runs.folder / "old.py").write_text("TOKEN = None\n")
    git(runs.folder, "commit", "-qam", "second")
    first = runs.report()
    monkeypatch.setenv("STOPPER_PROCESSES", "1")
    monkeypatch.setattr("stopper.source.history.brought", lambda *_, **__: pytest.fail("git was asked again"))
    (runs.folder / "app.py").write_text(APP + MORE)
    second = runs.report()

    assert any("added GitHub token" in one.message for one in first.findings)
    assert any("added GitHub token" in one.message for one in second.findings)
    assert not any(TOKEN in path.read_text("latin-1") for path in runs.cache.folder.iterdir())  # type: ignore[union-attr]


def test_only_files_that_changed_or_hold_secrets_are_searched_again(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOPPER_PROCESSES", "1")
    for name in ("one", "two", "three"):
        (runs.folder / f"{name}.py").write_text(f"x = {name!r}\n")
    (runs.folder / "held.py").write_text(f'TOKEN = "{TOKEN}"\n')
    runs.report()
    searched = []
    read = _text._read

    def noted(file: SourceFile) -> list[Credential]:
        searched.append(file.path)
        return read(file)

    monkeypatch.setattr(_text, "_read", noted)
    (runs.folder / "two.py").write_text(f'TOKEN = "{TOKEN}"\n')
    second = runs.report()

    assert searched == ["held.py", "two.py"]
    assert second == runs.fresh()
    assert any(one.location.path == "two.py" for one in second.findings)


TEXTS = ("x = 1\n", f'TOKEN = "{TOKEN}"\n', APP, APP + MORE, 'PASSWORD = "k7-winter-Tr4in"\n', None)
EDITS = st.lists(
    st.tuples(st.sampled_from(("app.py", "b.py", ".env", "docs/c.py")), st.sampled_from(TEXTS)),
    min_size=1,
    max_size=5,
)


@given(edits=EDITS)
@settings(max_examples=25, deadline=None)
def test_after_any_edits_the_report_is_that_of_a_fresh_run(edits: list[tuple[str, str | None]]) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "of_stopper", lambda: "the code of this test run")
        runs = Runs(Path(name, "project"), Path(name, "cache"))
        (runs.folder / "docs").mkdir(parents=True)
        (runs.folder / "main.py").write_text(APP)
        for path, text in edits:
            if text is None:
                (runs.folder / path).unlink(missing_ok=True)
            else:
                (runs.folder / path).write_text(text)

            assert runs.report() == runs.fresh()


def test_a_file_that_git_hides_from_the_tree_is_watched(runs: Runs) -> None:
    git(runs.folder, "init", "-q")
    (runs.folder / ".env").write_text("PORT=1\n")
    git(runs.folder, "add", ".")
    git(runs.folder, "commit", "-qm", "first")
    (runs.folder / ".gitignore").write_text(".env\n")
    runs.report()
    (runs.folder / ".env").write_text("SECRET_KEY=k7-winter\n")

    assert runs.report() == runs.fresh()
    assert runs.looked == 2


def test_other_code_another_day_and_the_network_are_other_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = listed(folder, CONFIG)
    key = state.of_run(tree, CONFIG, folder)
    monkeypatch.setattr(state, "of_stopper", lambda: "other code")

    assert key is not None
    assert state.of_run(tree, CONFIG, folder) != key
    assert state.of_run(tree, replace(CONFIG, online=True), folder) is None


def test_what_a_limit_of_time_cut_is_not_kept(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "_was_cut", lambda _: True)
    runs.report()
    runs.report()

    assert runs.looked == 2


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="modes are of POSIX")
def test_the_folder_is_the_users_alone(runs: Runs) -> None:
    runs.report()
    place = runs.cache.folder
    assert place is not None

    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    place.chmod(0o777)
    assert runs.report() == runs.fresh()
    assert runs.looked == 2


def test_a_folder_that_cannot_be_written_is_done_without(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    runs = Runs(folder, tmp_path / "file" / "cache")

    assert runs.report() == runs.report() == runs.fresh()


def test_old_entries_go(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "_ENTRIES", 3)
    for number in range(6):
        (runs.folder / "app.py").write_text(f"{APP}# {number}\n")
        runs.report()
    place = runs.cache.folder
    assert place is not None

    assert len(list(place.glob("*.json"))) == 3


@pytest.fixture(scope="module")
def kept() -> Iterator[tuple[Runs, Report, Path]]:
    """A run whose cache holds its report; the copy of the cache is put back before each example."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        (top / "project").mkdir()
        (top / "project" / "app.py").write_text(APP)
        runs = Runs(top / "project", top / "cache")
        report = runs.report()
        shutil.copytree(top / "cache", top / "saved")
        yield runs, report, top / "saved"


HARM = st.one_of(
    st.tuples(st.just("delete"), st.just(0), st.just(b"")),
    st.tuples(st.just("truncate"), st.integers(0, 4000), st.just(b"")),
    st.tuples(st.just("overwrite"), st.integers(0, 4000), st.binary(min_size=1, max_size=30)),
    st.tuples(st.just("append"), st.just(0), st.binary(min_size=1, max_size=30)),
    st.tuples(st.just("replace"), st.just(0), st.binary(max_size=300)),
    st.tuples(st.just("folder"), st.just(0), st.just(b"")),
    st.tuples(st.just("version"), st.just(0), st.just(b"stopper-cache/0")),
)


@given(harm=HARM)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_harm_to_the_cache_changes_the_report(
    kept: tuple[Runs, Report, Path], harm: tuple[str, int, bytes]
) -> None:
    runs, report, saved = kept
    place = runs.cache.folder
    assert place is not None
    shutil.rmtree(place)
    shutil.copytree(saved, place)
    place.chmod(0o700)
    for entry in place.glob("*.json"):
        _harm(entry, *harm)

    assert runs.report() == report
    assert runs.report() == report


def _harm(entry: Path, how: str, at: int, data: bytes) -> None:
    raw = entry.read_bytes()
    entry.unlink()
    if how == "folder":
        entry.mkdir()
    elif how != "delete":
        changed = {
            "truncate": raw[:at],
            "overwrite": raw[:at] + data + raw[at + len(data) :],
            "append": raw + data,
            "replace": data,
            "version": data + raw[len(data) :],
        }
        entry.write_bytes(changed[how])


def test_an_entry_with_a_true_digest_and_a_false_shape_is_passed_over(runs: Runs) -> None:
    report = runs.report()
    place = runs.cache.folder
    assert place is not None
    for entry in place.glob("*.json"):
        for body in (b"[]", b"{}", b'{"report": 1, "asides": [], "digest": ""}', b"[" * 100_000):
            entry.write_bytes(caching._head(entry.stem, body).encode() + b"\n" + body)

            assert runs.report() == report


def test_runs_at_once_share_the_folder(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stopper", "audit", str(folder), "--format", "json"]
    quiet = {**os.environ, "STOPPER_CACHE_DIR": str(tmp_path / "cache")}

    def told() -> dict[str, object]:
        done = subprocess.run(command, env=quiet, capture_output=True, check=False)
        report: dict[str, object] = json.loads(done.stdout)
        return {**report, "stats": None}

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: told(), range(8)))

    assert all(report == reports[0] for report in reports)
    assert not list((tmp_path / "cache").glob("new-*"))


def test_a_report_comes_back_as_it_was(runs: Runs) -> None:
    report = runs.fresh()

    assert from_plain(Report, json.loads(json.dumps(to_plain(report)))) == report
