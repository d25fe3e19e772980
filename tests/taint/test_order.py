"""Flows do not depend on the order in which modules are read, roots are solved, or files are called."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from stopper.source.files import walk
from stopper.source.project import Project
from stopper.taint import flows
from stopper.taint.callgraph import Root
from stopper.taint.flow import Flow
from stopper.taint.flows import every

BLOG = Path(__file__).parents[2] / "examples" / "blog"

SESSION = """
from flask import request, session
from shop import app
@app.post("/remember")
def remember():
    session["note"] = request.form["note"]
    return ""
"""
ROWS = """
from flask import g, request
from shop import app
import MODELS
from MODELS import db
@app.post("/add")
def add():
    db.session.add(MODELS.Item(label=request.form["label"], code=str(session_note())))
    g.connection.execute("insert into log (line, host) values (?, ?)", (request.form["line"], request.host))
    return ""
def session_note():
    from flask import session
    return session["note"]
"""
SHOWN = """
import os
from flask import g, session, render_template_string
from shop import app
from MODELS import Item
@app.get("/show")
def show():
    os.system("print " + Item.query.first().label)
    os.system("print " + Item.query.first().code)
    os.system("print " + session["note"])
    os.system("print " + g.name)
    os.system("print " + str(app.latest))
    row = g.connection.execute("select line, host from log").fetchone()
    os.system("print " + row["line"])
    return ""
"""
BEFORE = """
from flask import g, request
from shop import app
import sqlite3
latest = ""
@app.before_request
def load():
    g.name = request.args["name"]
    g.connection = sqlite3.connect("shop.db")
@app.post("/latest")
def keep():
    global latest
    latest = request.form["latest"]
    return ""
"""
LATEST = """
import os
import BEFORE
from shop import app
@app.get("/latest")
def last():
    os.system("print " + BEFORE.latest)
    return ""
"""
MODELS = """
from flask_sqlalchemy import SQLAlchemy
db = SQLAlchemy()
class Item(db.Model):
    label = db.Column(db.String)
    code = db.Column(db.String)
"""
PARTS = {
    "SESSION": SESSION,
    "ROWS": ROWS,
    "SHOWN": SHOWN,
    "BEFORE": BEFORE,
    "LATEST": LATEST,
    "MODELS": MODELS,
}
NAMES = ("a_first", "b_second", "c_third", "x_fourth", "y_fifth", "z_sixth")


def written(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Write the shop with its modules called by these names; return which part is in which file."""
    folder.mkdir()
    called = dict(zip(PARTS, names, strict=True))
    (folder / "shop.py").write_text("from flask import Flask\napp = Flask(__name__)\napp.latest = ''\n")
    for part, code in PARTS.items():
        for other, name in called.items():
            code = code.replace(other, name)  # noqa: PLW2901 - one name after the other
        (folder / f"{called[part]}.py").write_text(code)
    return {f"{name}.py": part for part, name in called.items()}


def told(found: Iterable[Flow], files: dict[str, str]) -> list[str]:
    """Return what matters of flows, with the files called by what they hold."""
    return sorted(
        f"{flow.kind} {files.get(flow.path, flow.path)} {flow.place.line} {flow.sink_name} {flow.confidence.name}"
        for flow in found
    )


def all_of(project: Project) -> list[Flow]:
    found = every(project).by_kind
    return [flow for kind in sorted(found) for flow in found[kind]]


@pytest.fixture(params=("shop", "blog"))
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "blog":
        return BLOG
    written(tmp_path / "shop", NAMES)
    return tmp_path / "shop"


@pytest.mark.parametrize("seed", range(5))
def test_flows_are_the_same_in_whatever_order_modules_are_read(target: Path, seed: int) -> None:
    tree = walk(target)
    files = list(tree.files)
    random.Random(seed).shuffle(files)

    assert all_of(Project(replace(tree, files=tuple(files)))) == all_of(Project(tree))


@pytest.mark.parametrize("seed", range(5))
def test_flows_are_the_same_in_whatever_order_roots_are_named(
    target: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = all_of(Project(walk(target)))
    named = flows.roots

    def shuffled(project: Project) -> list[Root]:
        found = list(named(project))
        random.Random(seed).shuffle(found)
        return found

    monkeypatch.setattr(flows, "roots", shuffled)

    assert before
    assert all_of(Project(walk(target))) == before


@pytest.mark.parametrize("seed", range(5))
def test_flows_are_the_same_in_whatever_order_roots_are_solved(
    target: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def some(root: Root) -> int:
        return random.Random(f"{seed} {root.scope.dotted}").getrandbits(30)

    before = all_of(Project(walk(target)))
    monkeypatch.setattr(flows, "_in_order", lambda found: tuple(sorted(found, key=some)))
    after = all_of(Project(walk(target)))

    assert told(after, {}) == told(before, {})


@pytest.mark.parametrize("seed", range(8))
def test_flows_are_the_same_whatever_the_files_are_called(tmp_path: Path, seed: int) -> None:
    first = written(tmp_path / "one", NAMES)
    names = list(NAMES)
    random.Random(seed).shuffle(names)
    second = written(tmp_path / "other", names)

    one = told(all_of(Project(walk(tmp_path / "one"))), first)
    other = told(all_of(Project(walk(tmp_path / "other"))), second)

    assert one == other
    assert sum(" SHOWN " in line for line in one) == 4
    assert sum(" LATEST " in line for line in one) == 1


def test_the_blog_has_the_same_flows_with_a_module_that_comes_later(tmp_path: Path) -> None:
    moved = tmp_path / "blog"
    shutil.copytree(BLOG, moved)
    (moved / "blog" / "admin.py").rename(moved / "blog" / "zadmin.py")
    package = moved / "blog" / "__init__.py"
    package.write_text(package.read_text().replace("import admin,", "import zadmin as admin,"))

    before, after = all_of(Project(walk(BLOG))), all_of(Project(walk(moved)))

    assert told(before, {}) == told(after, {"blog/zadmin.py": "blog/admin.py"})
    assert len(before) > 5


CALLED = """
import os
from flask import Flask
app = Flask(__name__)
@app.get("/first")
def first():
    return show("x")
@app.get("/show/<name>")
def show(name):
    os.system("show " + name)
    return ""
@app.get("/last")
def last():
    return show("y")
"""


def test_a_view_that_another_view_calls_is_entered_from_its_own_url_as_well(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CALLED)

    assert [flow.source for flow in every(Project(walk(tmp_path))).by_kind["command"]] == ["the URL's <name>"]
