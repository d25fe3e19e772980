"""Nothing in a report tells which process asked which rule."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stopper import stages
from stopper.audit import audit
from stopper.errors import NotFlaskError
from stopper.reports import json as as_json
from stopper.rule import discover
from stopper.source.aside import pays

BLOG = Path(__file__).parents[1] / "examples" / "blog"


def told() -> str:
    report = json.loads(as_json.render(audit(BLOG)))
    del report["stats"]["seconds"]
    return json.dumps(report)


def test_the_report_is_the_same_whoever_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "WORTH", 0)
    if not pays():
        pytest.skip("there is one core, or a fork is not safe here")
    together = told()
    monkeypatch.setenv("STOPPER_PROCESSES", "1")

    assert told() == together


def test_rules_that_follow_data_are_known_from_those_that_do_not() -> None:
    follows = {rule.slug for rule in discover() if stages.follows(rule)}

    assert {"sql-injection", "open-redirect", "server-side-request-forgery"} <= follows
    assert not {"debug-enabled", "dotenv-not-ignored", "csrf-missing", "session-cookie-secure"} & follows


def test_an_audit_of_source_loads_no_client_no_terminal_and_no_framework() -> None:
    command = "import sys, stopper.audit; from stopper.rule import discover; discover(); print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)

    assert not {"httpx", "asyncio", "rich", "flask", "ssl", "tree_sitter"} & set(told.stdout.split())


def test_the_garbage_collector_is_on_again_after_a_run(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    gc.enable()
    audit(tmp_path)

    assert gc.isenabled()


def test_an_audit_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1\n")

    with pytest.raises(NotFlaskError):
        audit(tmp_path)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
