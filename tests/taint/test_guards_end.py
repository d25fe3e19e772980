"""Guards come to an end, whatever a function assigns to what."""

from __future__ import annotations

from pathlib import Path

from stopper.source.files import walk
from stopper.source.project import Project
from stopper.taint.flows import every

CODE = """
import os
from flask import Flask, request
app = Flask(__name__)

@app.get("/")
def view():
    here = there = ""
    if request.args.get("far"):
        there = "far"
    for part in request.args.getlist("part"):
        here = there.strip()
        there = here.strip()
        if here and part:
            os.system(part)
    return "done"
"""


def test_variables_that_are_made_of_each_other_are_followed_back_a_bounded_way(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CODE, encoding="utf-8")

    found = every(Project(walk(tmp_path))).by_kind

    assert "command" in found
