"""Names are followed through imports, instances, factories, inheritance and re-exports to one full name."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stopper.source.code import Code
from stopper.source.files import walk


def name(folder: Path, code: str, **files: str) -> str | None:
    """Return the full name of what the call ``probe(X)`` in app.py is handed."""
    for path, text in {"app": code, **files}.items():
        file = folder / f"{path.replace('__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (call,) = Code.of(walk(folder)).every_call("probe")
    given = call.argument(0)
    assert given is not None
    return given.name


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import sqlite3 as s\nprobe(s.connect)", "sqlite3.connect"),
        (
            "from sqlite3 import connect as c\nk = c\nprobe(k('x').cursor().execute)",
            "sqlite3.connect().cursor().execute",
        ),
        ("from flask import current_app\nprobe(current_app.config)", "flask.Flask().config"),
        ("import flask\nprobe(flask.request.args.get)", "flask.request.args.get"),
        (
            "import sqlite3\ndef get_db():\n    return sqlite3.connect('x')\nprobe(get_db().execute)",
            "sqlite3.connect().execute",
        ),
        (
            "import sqlite3\nwith sqlite3.connect('x') as db:\n    probe(db.execute)",
            "sqlite3.connect().execute",
        ),
        ("import flask\nclass MyFlask(flask.Flask): ...\nprobe(MyFlask('a').route)", "flask.Flask().route"),
        (
            "import sqlite3\nclass A:\n    @property\n    def db(self):\n        return sqlite3.connect('x')\nprobe(A().db.execute)",
            "sqlite3.connect().execute",
        ),
        (
            (
                "import sqlite3\nclass A:\n    def __init__(self):\n        self.db = sqlite3.connect('x')\n"
                "    def f(self):\n        probe(self.db.execute)"
            ),
            "sqlite3.connect().execute",
        ),
        ("import flask\ndef f(app: 'flask.Flask | None'):\n    probe(app.run)", "flask.Flask().run"),
        ("probe(nobody_knows.this)", None),
    ],
)
def test_a_name_is_followed(tmp_path: Path, code: str, expected: str | None) -> None:
    assert name(tmp_path, code) == expected


def test_a_relative_import_is_followed(tmp_path: Path) -> None:
    files = {"pkg____init__": "", "pkg__db": "import sqlite3\nconn = sqlite3.connect('x')\n"}
    (tmp_path / "pkg").mkdir()
    for path, text in (
        ("__init__", ""),
        ("db", files["pkg__db"]),
        ("views", "from .db import conn\nprobe(conn.execute)"),
    ):
        (tmp_path / "pkg" / f"{path}.py").write_text(text)
    assert name(tmp_path, "x = 1\n") == "sqlite3.connect().execute"


def test_modules_that_import_all_of_each_other_are_asked_once(tmp_path: Path) -> None:
    places = [f"part{number}" for number in range(14)]
    files = {one: "".join(f"from {other} import *\n" for other in places if other != one) for one in places}
    files["part13"] += "import sqlite3\ndef get_db():\n    return sqlite3.connect('x')\n"

    assert (
        name(tmp_path, "from part0 import get_db\nprobe(get_db().execute)", **files)
        == "sqlite3.connect().execute"
    )
    assert (
        name(tmp_path, "from part0 import nothing\nprobe(nothing.execute)", **files)
        == "part0.nothing.execute"
    )


def test_a_re_export_and_a_star_import_are_followed(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("from .core import *\n")
    core = "def get_user(): ...\n"
    (tmp_path / "pkg" / "core.py").write_text(core)
    assert name(tmp_path, "from pkg import get_user\nprobe(get_user)") == "pkg.core.get_user"
    (tmp_path / "pkg" / "__init__.py").write_text("from .core import get_user as find\n")
    assert name(tmp_path, "from pkg import find\nprobe(find)") == "pkg.core.get_user"


@pytest.mark.parametrize(
    ("code", "other"),
    [
        ("from other import x\nprobe(x)", "from app import x\n"),
        ("from other import *\nprobe(x)", "from app import *\n"),
        ("a = b\nb = a\nprobe(a)", ""),
        ("class A(B): ...\nclass B(A): ...\nprobe(A().thing)", ""),
        ("def f():\n    return g()\ndef g():\n    return f()\nprobe(f())", ""),
    ],
)
def test_a_cycle_ends(tmp_path: Path, code: str, other: str) -> None:
    found = name(tmp_path, code, other=other)
    assert found is None or "flask" not in found


def test_an_inherited_member_of_the_project_is_its_own(tmp_path: Path) -> None:
    code = "class A:\n    def f(self): ...\nclass B(A): ...\nprobe(B().f)"
    assert name(tmp_path, code) == "app.A.f"


CIRCLE = "import a, b\nx = 1\nx = y or a.one\ny = x or b.two\n"


def answers(folder: Path, code: str, order: list[str]) -> dict[str, str | None]:
    """Return the full names of the project's own names, asked in an order."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "app.py").write_text(code + "".join(f"probe({one})\n" for one in sorted(order)))
    calls = dict(zip(sorted(order), Code.of(walk(folder)).every_call("probe"), strict=True))
    found = {}
    for one in order:
        given = calls[one].argument(0)
        assert given is not None
        found[one] = given.name
    return found


def test_in_a_circle_the_order_of_the_questions_does_not_matter(tmp_path: Path) -> None:
    assert answers(tmp_path, CIRCLE, ["x", "y"]) == answers(tmp_path, CIRCLE, ["y", "x"])


def test_how_deep_an_answer_lies_does_not_depend_on_what_was_asked_before(tmp_path: Path) -> None:
    names = [f"n{at:02}" for at in range(60)]
    links = "".join(f"{name} = {after}\n" for after, name in itertools.pairwise(names))
    code = f"import lib\n{names[0]} = lib.thing\n{links}"

    assert answers(tmp_path, code, names) == answers(tmp_path, code, names[::-1])


@settings(max_examples=60, deadline=None)
@given(
    links=st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=3), min_size=6, max_size=6),
    order=st.permutations(list("abcdef")),
)
def test_answers_are_the_same_in_any_order_of_the_questions(links: list[list[int]], order: list[str]) -> None:
    known = [*"abcdef", "lib.one", "lib.two"]
    lines = [
        f"{name} = {' or '.join(known[at] for at in parts)}\n"
        for name, parts in zip("abcdef", links, strict=True)
    ]
    code = "import lib\n" + "".join(lines)
    with tempfile.TemporaryDirectory() as place:
        assert answers(Path(place, "1"), code, list("abcdef")) == answers(Path(place, "2"), code, order)
