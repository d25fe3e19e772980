"""Liveness: what a state gives up behind a block, and that no flow depends on it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from stopper.source.files import walk
from stopper.source.project import Project
from stopper.taint import propagate
from stopper.taint.flow import Flow
from stopper.taint.flows import every
from stopper.taint.ir import Function
from stopper.taint.liveness import dead_behind
from stopper.taint.lower import lower

APP = """
import os
from flask import Flask, redirect, request
from urllib.parse import urlparse
app = Flask(__name__)

@app.route("/a")
def view():
    url = request.args["url"]
    name = request.args["name"]
    seen = {"name": name}
    inner = seen["name"]
    host = urlparse(url).hostname
    for letter in name:
        if letter == "/":
            break
    if host == "example.com":
        return redirect(url)
    items = []
    while len(items) < 3:
        items.append(inner)
    os.system(" ".join(items))
    path = os.path.realpath("/data/" + name)
    if not path.startswith("/data/"):
        return "no"
    try:
        return open(path).read()
    except OSError as error:
        return str(error)

@app.route("/b")
def everything():
    word = request.args["word"]
    if len(word) > 3:
        word = word.strip()
    return "<p>%(word)s</p>" % locals()

@app.route("/c")
def outer():
    word = request.args["word"]
    def inside():
        return "<b>" + word
    return inside() if word else ""
"""


def project(folder: Path, code: str) -> Project:
    (folder / "app.py").write_text(textwrap.dedent(code), encoding="utf-8")
    return Project(walk(folder))


def lowered(folder: Path, code: str) -> Function:
    found = project(folder, code)
    return lower(found.modules[0].scope.children[0], found.code.names)


def flows(found: Project) -> list[Flow]:
    return [flow for group in every(found).by_kind.values() for flow in group]


def test_a_variable_that_nothing_reads_any_more_is_given_up(tmp_path: Path) -> None:
    function = lowered(tmp_path, "def f(a):\n    b = a.x\n    if b:\n        c = 1\n    return c\n")
    assert "b" in dead_behind(function)[0]


def test_a_variable_that_is_read_later_is_kept(tmp_path: Path) -> None:
    function = lowered(tmp_path, "def f(a):\n    b = a.x\n    if a:\n        c = 1\n    return b\n")
    assert "b" not in dead_behind(function)[0]


def test_a_variable_that_is_read_again_in_a_loop_is_kept_to_its_end(tmp_path: Path) -> None:
    function = lowered(tmp_path, "def f(a):\n    b = 1\n    for c in a:\n        print(b)\n")
    inside = next(
        at for at, block in enumerate(function.blocks) if any("print" in str(op) for op in block.ops)
    )
    assert "b" not in dead_behind(function)[inside]


def test_what_a_variable_that_is_read_later_was_made_of_is_kept(tmp_path: Path) -> None:
    function = lowered(
        tmp_path, "def f(a):\n    b = a.x\n    c = b['k']\n    if a:\n        pass\n    c.append(1)\n"
    )
    assert "b" not in dead_behind(function)[0]


def test_a_parameter_is_kept_for_the_caller(tmp_path: Path) -> None:
    function = lowered(tmp_path, "def f(a):\n    if a:\n        return 1\n    return 2\n")
    assert all("a" not in dead for dead in dead_behind(function))


@pytest.mark.parametrize("rest", ["print(locals())", "g = lambda: b"])
def test_all_variables_are_kept_where_anything_may_ask_for_them(tmp_path: Path, rest: str) -> None:
    function = lowered(tmp_path, f"def f(a):\n    b = a.x\n    if b:\n        a = 1\n    {rest}\n")
    assert all("b" not in dead for dead in dead_behind(function))


def test_flows_are_the_same_where_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = flows(project(tmp_path, APP))
    monkeypatch.setattr(
        propagate, "dead_behind", lambda function, cells: (frozenset(),) * len(function.blocks)
    )
    assert len(found) > 3
    assert flows(project(tmp_path, APP)) == found
