"""Which Python files are read: tests only where they matter to other code."""

from __future__ import annotations

from pathlib import Path

import pytest

from stopper.source.files import walk
from stopper.source.project import Project

APP = "from flask import Flask\napp = Flask(__name__)\n"


def project(folder: Path, **files: str) -> Project:
    for path, content in files.items():
        place = folder / f"{path.replace('__', '/')}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    return Project(walk(folder))


def read(project: Project) -> list[str]:
    return [module.path for module in project.modules]


def test_a_test_that_nobody_imports_is_not_read(tmp_path: Path) -> None:
    assert read(project(tmp_path, app=APP, tests__test_app="import app\n")) == ["app.py"]


@pytest.mark.parametrize(
    "line",
    [
        "from testing.tools import connect",
        "import testing.tools",
        "import testing.tools as t",
        "from testing import tools",
        "from testing.tools import *",
        "def late():\n    from testing.tools import connect",
    ],
)
def test_a_test_that_the_application_imports_is_read_with_what_it_imports_itself(
    tmp_path: Path, line: str
) -> None:
    found = project(
        tmp_path,
        app=f"{APP}{line}\n",
        testing__tools="from testing import deep\ndef connect(): ...\n",
        testing__deep="",
        testing__other="",
    )
    assert read(found) == ["app.py", "testing/deep.py", "testing/tools.py"]


def test_a_relative_import_of_a_test_counts(tmp_path: Path) -> None:
    found = project(tmp_path, shop__app=f"{APP}from .testing import tools\n", shop__testing__tools="")
    assert read(found) == ["shop/app.py", "shop/testing/tools.py"]


def test_an_import_seen_from_a_folder_above_counts(tmp_path: Path) -> None:
    found = project(
        tmp_path, one__app=f"{APP}from testing import tools\n", one__testing__tools="", two__testing__tools=""
    )
    assert read(found) == ["one/app.py", "one/testing/tools.py"]


def test_names_are_followed_through_a_test_that_is_imported(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        app=f"{APP}from testing.tools import opened\nopened.execute(x)\n",
        testing__tools="import sqlite3\nopened = sqlite3.connect('x')\n",
    )
    assert [call.location.line for call in found.code.calls("sqlite3.connect().execute")] == [4]


def test_tests_are_read_where_nothing_else_makes_an_application(tmp_path: Path) -> None:
    found = project(
        tmp_path, library="from flask import Flask\ndef init_app(app: Flask): ...\n", tests__conftest=APP
    )
    assert read(found) == ["library.py", "tests/conftest.py"]
    assert [one.module.path for one in found.applications] == ["tests/conftest.py"]


def test_a_class_derived_from_flask_makes_an_application(tmp_path: Path) -> None:
    own = "from flask import Flask\nclass Shop(Flask): ...\napp = Shop(__name__)\n"
    assert read(project(tmp_path, app=own, tests__conftest=APP)) == ["app.py"]


def test_the_lines_of_tests_are_counted(tmp_path: Path) -> None:
    assert project(tmp_path, app=APP, tests__test_app="import app\nassert app\n").lines == 4
