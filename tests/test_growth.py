"""Ten times the code takes ten times the work, whatever rule asks. Work is counted in calls: time would tell of the machine."""

from __future__ import annotations

import cProfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from stopper.rule import Rule, discover
from stopper.source.files import walk
from stopper.source.project import Options, Project
from stopper.taint.flows import every
from stopper.wire import transcript

FEW = 10
"""How many copies of an example make the smaller project."""
ALLOWED = 11
"""How many times the work may grow with ten times the copies."""

APPLICATION = {
    "app.py": """
from flask import Flask, flash, g, redirect, render_template, request, session

from store import add

app = Flask(__name__)


@app.before_request
def before():
    g.user = session.get("user")


@app.context_processor
def offered():
    return {"user": g.user, "title": "Notes"}


@app.template_filter("shout")
def shout(text):
    return text.upper()


@app.errorhandler(404)
def missing(error):
    return render_template("page.html", note=error.description), 404


@app.get("/")
def index():
    return render_template("page.html", note=request.args.get("note", ""))


@app.post("/")
def note():
    session["user"] = request.form["user"]
    flash(add(request.form["note"]))
    return redirect("/")
""",
    "store.py": "def add(note):\n    notes.append(note)\n    return note\n\n\nnotes = []\n",
    "templates/page.html": "{{ title|safe }} {{ user|safe }} {{ note|shout|safe }}{% for m in get_flashed_messages() %}{{ m|safe }}{% endfor %}\n",
}
"""An application with every way that Flask carries data unseen."""

RULES = [rule for rule in discover() if not transcript.is_transcript(rule.page.bad[0].source)]


def copies(files: Mapping[str, str], folder: Path, count: int) -> Path:
    """Write a project so many times, each in a folder of its own."""
    for number in range(count):
        for name, text in files.items():
            file = folder / f"app{number}" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    return folder


def work(rule: Rule, folder: Path) -> int:
    """Return how many calls it takes to read a project and to ask a rule."""
    return calls(lambda: list(rule.source(Project(walk(folder), Options(online=False)))))


def calls(doing: Callable[[], object]) -> int:
    """Return how many calls something takes."""
    profile = cProfile.Profile()
    profile.runcall(doing)
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.slug)
def test_work_grows_with_the_project(rule: Rule, tmp_path: Path) -> None:
    example = rule.page.bad[0].files
    few, many = copies(example, tmp_path / "few", FEW), copies(example, tmp_path / "many", 10 * FEW)
    work(rule, copies(example, tmp_path / "one", 1))  # what is read or compiled once, whatever the project

    assert work(rule, many) <= ALLOWED * work(rule, few)


def read(folder: Path) -> Project:
    """Return a project of which routes, templates and settings are known."""
    project = Project(walk(folder), Options(online=False))
    _ = project.routes, project.templates, project.settings
    return project


def test_following_data_grows_with_the_project(tmp_path: Path) -> None:
    one, few, many = (read(copies(APPLICATION, tmp_path / str(n), n)) for n in (1, FEW, 10 * FEW))
    every(one)

    assert calls(lambda: every(many)) <= ALLOWED * calls(lambda: every(few))


def test_asking_flags_grows_with_the_function(tmp_path: Path) -> None:
    def flags(count: int) -> Project:
        asked = "".join(
            f"    f{n} = False\n    if v == 'x{n}':\n        f{n} = True\n    if f{n}:\n        print({n})\n"
            for n in range(count)
        )
        folder = tmp_path / str(count)
        folder.mkdir()
        head = "from flask import Flask, request\napp = Flask(__name__)\n\n@app.get('/')\ndef view():\n"
        (folder / "app.py").write_text(f"{head}    v = request.args['q']\n{asked}    return v\n")
        return read(folder)

    one, few, many = (flags(n) for n in (1, 20, 200))
    every(one)

    assert calls(lambda: every(many)) <= ALLOWED * calls(lambda: every(few))
