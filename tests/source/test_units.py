"""A part of the code is the body of a function or all that is left of a module, and each is told from the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from stopper.source.files import walk
from stopper.source.module import Module, Scope
from stopper.source.project import Project
from stopper.source.units import at_line, outside, texts, told

TEXT = '''import os
LIMIT = 3

@decorated
def first(text):
    """Say it."""
    return [one for one in text]


class Kept:
    size = 2

    def put(self, name):
        self.name = name
        self.rest: int = 0
        def inner():
            return lambda: name
        return inner

    def short(self): return 1


def last(
    text=lambda: 1,
):
    global LIMIT
    @decorated
    def helper():
        pass
    LIMIT = helper

AFTER = lambda: 2
'''


@pytest.fixture
def module(tmp_path: Path) -> Module:
    (tmp_path / "other.py").write_text("def alone():\n    pass\n")
    (tmp_path / "app.py").write_text(TEXT)
    return next(one for one in Project(walk(tmp_path)).modules if one.path == "app.py")


def named(module: Module, name: str) -> Scope:
    return next(scope for scope in module.scopes if scope.qualname == name)


def test_a_function_whose_body_has_lines_of_its_own_is_a_unit(module: Module) -> None:
    assert [(first, last, scope.qualname) for first, last, scope in module.units] == [
        (6, 7, "first"),
        (14, 18, "Kept.put"),
        (26, 30, "last"),
    ]


def test_what_stands_in_a_function_belongs_to_its_unit(module: Module) -> None:
    frame = module.scope.bit

    assert named(module, "Kept.put.inner").bit == named(module, "Kept.put").bit != frame
    assert named(module, "Kept.put.inner.<lambda>").bit == named(module, "Kept.put").bit
    assert outside(named(module, "Kept.put.inner")) == named(module, "Kept.put").bit
    assert {named(module, name).bit for name in ("Kept", "Kept.short", "<lambda>")} == {frame}
    assert outside(named(module, "first")) == frame
    assert all(scope.bit & frame for scope in module.scopes)


def test_no_two_parts_of_a_project_share_a_bit(tmp_path: Path, module: Module) -> None:
    every = [one for module in Project(walk(tmp_path)).modules for one in (module.scope, *module.scopes)]
    own = [scope.bit for scope in every if scope.bit != outside(scope) or scope.parent is None]

    assert len(set(own)) == len(own) == 6
    assert (
        module.bit == named(module, "first").bit | named(module, "Kept.put").bit | named(module, "last").bit
    )


def test_each_line_is_in_one_part(module: Module) -> None:
    names = {scope.bit: scope.qualname for _, _, scope in module.units}
    lines = [names.get(at_line(module, line), "") for line in range(1, 33)]

    assert lines == [
        *[""] * 5,
        *["first"] * 2,
        *[""] * 6,
        *["Kept.put"] * 5,
        *[""] * 7,
        *["last"] * 5,
        "",
        "",
    ]
    assert "".join(texts(module)[1:]) == "".join(
        line for line, name in zip(TEXT.splitlines(keepends=True), lines, strict=False) if name
    )
    assert texts(module)[0].replace("\0", "") == "".join(
        line for line, name in zip(TEXT.splitlines(keepends=True), lines, strict=False) if not name
    )


def test_what_units_say_of_the_frame_is_told(module: Module) -> None:
    assert told(module) == ([("Kept", "name", [1]), ("Kept", "rest", [1])], [("LIMIT", "last")])


@pytest.mark.parametrize(
    "text", ["", "x = 1", "def f(): pass", "def f():\n    pass", "def f(\n  a): return 1\n", "def f(:\n"]
)
def test_of_any_text_the_parts_are_all(tmp_path: Path, text: str) -> None:
    (tmp_path / "app.py").write_text(text)
    (module,) = Project(walk(tmp_path)).modules
    frame, *units = texts(module)

    assert len(frame.replace("\0", "")) + sum(map(len, units)) == len(text)
