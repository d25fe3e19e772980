"""What an answer about the code rests on is all that it depends on: it stays the same whatever else is changed."""

from __future__ import annotations

import ast
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.taint.test_kept import BLOG, EDITS, FILES, edit

from stopper.finding import Location
from stopper.source.files import walk
from stopper.source.module import Kind, Module, Scope
from stopper.source.names import Ref
from stopper.source.project import Project
from stopper.source.values import evaluate
from stopper.taint.declared import Reader
from stopper.taint.kept.grounds import grounds
from stopper.taint.kept.outline import changed, outlined
from stopper.taint.kept.stable import Stable
from stopper.taint.program import Program

Question = tuple[object, ...]
Answers = dict[Question, tuple[object, int]]


class Asked:
    """Questions about a project, each with the answer and the parts of the code on which that rests."""

    def __init__(self, folder: Path) -> None:
        self.project = Project(walk(folder))
        self.names = self.project.code.names
        self.program = Program(self.names, {})
        self.reader = Reader(self.names)
        self.grounds = grounds(self.project, Stable(self.program, self.project.modules, ()), ())
        self.outlines = outlined(self.project.modules)
        self.answers: Answers = dict(self._every())

    def _every(self) -> Iterator[tuple[Question, tuple[object, int]]]:
        for module in self.project.modules:
            names: list[str] = []
            for scope in (module.scope, *module.scopes):
                names.append(scope.qualname)
                base = (module.path, scope.qualname, names.count(scope.qualname))
                for question, ask in self._about(scope):
                    self.names.rested = 0
                    answer = ask()
                    yield (*base, *question), (answer, self.names.rested)

    def _about(self, scope: Scope) -> Iterator[tuple[Question, Callable[[], object]]]:
        yield ("operations",), lambda: [*map(str, self.program.lowered(scope).ops())]
        if scope.kind is Kind.CLASS:
            yield from self._about_class(scope)
        if scope.kind is Kind.FUNCTION:
            yield ("how",), lambda: self.program.how(scope)
            yield ("returns",), lambda: told(self.names._returned(scope))
            for name in sorted(self.program.lowered(scope).free):
                yield ("variable", name), lambda name=name: self._variable(scope, name)
        inner = (
            [node for part in scope.body for node in ast.walk(part)] if scope.kind is Kind.FUNCTION else []
        )
        for number, node in enumerate(inner):
            if isinstance(node, ast.Call | ast.Attribute | ast.Name):
                yield ("name", number), lambda node=node: told(self.names.resolve(node, scope))
                yield ("value", number), lambda node=node: repr(evaluate(node, scope, self.names))

    def _about_class(self, scope: Scope) -> Iterator[tuple[Question, Callable[[], object]]]:
        yield ("bases",), lambda: [told(base) for base in self.names.bases(scope)]
        yield ("ancestors",), lambda: [place(one) for one in self.program.ancestors(scope)]
        yield ("record",), lambda: self.program.record(scope)
        yield ("later",), lambda: self.program.set_later(scope)
        yield ("fields",), lambda: self.reader.fields(scope)
        for name in sorted({*scope.bindings, *scope.attributes, "db", "kept", "absent"}):
            yield ("member", name), lambda name=name: self._member(scope, name)

    def _member(self, scope: Scope, name: str) -> object:
        found = self.names.member(scope, name)
        if found is None:
            return None
        value = found[1].value
        return place(found[0]), found[1].how, ast.dump(value) if value is not None else ""

    def _variable(self, scope: Scope, name: str) -> object:
        found = self.program.variable(scope, name)
        return place(found.scope), found.name, found.key, found.last, repr(found.constant)


def told(ref: Ref | None) -> object:
    return (ref.name, ref.kind, place(ref.scope)) if ref is not None else None


def place(scope: Scope | None) -> object:
    return (scope.module.path, scope.qualname) if scope is not None else None


def paths(modules: tuple[Module, ...]) -> list[str]:
    return [module.path for module in modules]


def stale(before: Asked, after: Asked) -> list[Question]:
    """Return the questions whose answer is another one though nothing changed that it rested on."""
    if before.grounds != after.grounds:
        return []
    void = changed(before.outlines, after.outlines)
    kept = {question: answer for question, (answer, rests) in before.answers.items() if not rests & void}
    return [one for one, answer in kept.items() if after.answers.get(one, (None, 0))[0] != answer]


def test_there_is_something_to_ask(tmp_path: Path) -> None:
    write(tmp_path, {path: texts[0] for path, texts in FILES.items()})
    before = Asked(tmp_path)
    write(tmp_path, {"shop/cart.py": str(FILES["shop/cart.py"][1])})
    after = Asked(tmp_path)
    void = changed(before.outlines, after.outlines)

    assert len(before.answers) > 400
    assert 0 < sum(1 for _, rests in before.answers.values() if rests & void) < 20
    assert before.grounds == after.grounds


@pytest.mark.parametrize("number", range(1, len(FILES["shop/cart.py"])))
def test_an_answer_outlives_what_it_does_not_rest_on(tmp_path: Path, number: int) -> None:
    write(tmp_path, {path: texts[0] for path, texts in FILES.items()})
    before = Asked(tmp_path)
    write(tmp_path, {"shop/cart.py": FILES["shop/cart.py"][number]})
    after = Asked(tmp_path)

    assert stale(before, after) == []
    assert stale(after, before) == []


@given(edits=EDITS)
@settings(max_examples=25, deadline=None)
def test_an_answer_outlives_any_edits(edits: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), {path: texts[0] for path, texts in FILES.items()})
        before = Asked(Path(name))
        for path, number in edits:
            write(Path(name), {path: FILES[path][number]})
            after = Asked(Path(name))

            assert stale(before, after) == []

            before = after


@pytest.mark.parametrize("seed", range(3))
def test_an_answer_about_the_blog_outlives_chance_edits(seed: int, tmp_path: Path) -> None:
    shutil.copytree(BLOG, tmp_path / "project")
    chance = random.Random(seed)
    before = Asked(tmp_path / "project")
    for _ in range(6):
        edit(chance, tmp_path / "project")
        after = Asked(tmp_path / "project")

        assert stale(before, after) == []

        before = after


def test_a_place_that_is_kept_by_its_line_rests_on_all_above_it(tmp_path: Path) -> None:
    write(
        tmp_path, {"app.py": "def f():\n    pass\ndef g():\n    pass\n", "other.py": "def h():\n    pass\n"}
    )
    project = Project(walk(tmp_path))
    stable = Stable(Program(project.code.names, {}), project.modules, ())
    stable.written(Location("app.py", 4))

    assert stable.named_parts == project.modules[0].bit == 0b111

    stable.named_parts = 0
    stable.note_lines(Location("app.py", 4))

    assert stable.named_parts == 0b101


def write(folder: Path, files: dict[str, str | None]) -> None:
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(text)
