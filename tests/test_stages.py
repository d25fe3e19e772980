"""Nothing in a report tells which process asked which rule."""

from __future__ import annotations

import gc
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from stopper import stages
from stopper.audit import audit
from stopper.errors import NotFlaskError
from stopper.reports import json as as_json
from stopper.rule import discover

ROOT = Path(__file__).parents[1]
BLOG = ROOT / "examples" / "blog"


def told() -> str:
    report = json.loads(as_json.render(audit(BLOG)))
    del report["stats"]["seconds"]
    return json.dumps(report)


def test_the_report_is_the_same_whoever_asked() -> None:
    """In processes of their own: a fork is only made where no other thread runs, and other tests leave some."""
    code = (
        "import tests.test_stages as here\nfrom stopper import stages\nfrom stopper.source.aside import pays\n"
        "stages.WORTH = 0\nassert pays()\nprint(here.told())\n"
    )
    said = []
    for most in ("", "1"):
        environment = {**os.environ, "STOPPER_PROCESSES": most}
        if most:
            code = code.replace("assert pays()", "assert not pays()")
        run = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if "assert pays()" in run.stderr and len(os.sched_getaffinity(0)) < 2:
            pytest.skip("there is one core")
        assert run.returncode == 0, run.stderr
        said.append(run.stdout)

    assert said[0] == said[1]
    assert "sql-injection" in said[0]


def test_rules_that_follow_data_are_known_from_those_that_do_not() -> None:
    follows = {rule.slug for rule in discover() if stages.follows(rule)}

    assert {"sql-injection", "open-redirect", "server-side-request-forgery"} <= follows
    assert not {"debug-enabled", "dotenv-not-ignored", "csrf-missing", "session-cookie-secure"} & follows


def test_the_garbage_collector_is_on_again_after_a_run(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    gc.enable()
    audit(tmp_path)

    assert gc.isenabled()


def children() -> set[str]:
    """Return the processes that this one has started and not seen the end of."""
    return {
        number for file in Path("/proc/self/task").glob("*/children") for number in file.read_text().split()
    }


def test_an_audit_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1\n")

    before = children()
    with pytest.raises(NotFlaskError):
        audit(tmp_path)

    assert children() <= before


@pytest.mark.parametrize("seed", range(3))
def test_the_report_is_the_same_in_whatever_order_the_disk_lists_files(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    before = told()
    scandir = os.scandir

    def shuffled(place: Path) -> list[os.DirEntry[str]]:
        entries = list(scandir(place))
        random.Random(seed).shuffle(entries)
        return entries

    monkeypatch.setattr("stopper.source.files.os.scandir", shuffled)

    assert told() == before
