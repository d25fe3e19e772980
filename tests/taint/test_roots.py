"""Which functions are followed by themselves, functions that call each other in circles, and code that nests without end."""

from __future__ import annotations

from pathlib import Path

import pytest

from stopper.source.files import walk
from stopper.source.project import Project
from stopper.taint import flows, rounds
from stopper.taint.domain import MAX_SOURCES, Taint, merged
from stopper.taint.engine import Engine
from stopper.taint.flows import Flows, every

HEAD = """
import os
from flask import Flask, request
app = Flask(__name__)
"""
VIEW = "@app.get('/')\ndef show():\n"
DEEP = 400


def found(folder: Path, code: str) -> Flows:
    (folder / "app.py").write_text(HEAD + code, encoding="utf-8")
    return every(Project(walk(folder)))


def solved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the roots that are solved from now on."""
    names: list[str] = []
    solve = rounds.solved

    def noted(engine: Engine, root: flows.Root) -> object:
        names.append(root.scope.name)
        return solve(engine, root)

    monkeypatch.setattr(rounds, "solved", noted)
    return names


READER = "def read():\n    os.system(request.args['q'])\n"


def test_what_a_view_has_called_is_not_followed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = solved(monkeypatch)
    result = found(tmp_path, f"{READER}{VIEW}    read()\n    return ''\n")
    assert names == ["show"]
    assert [flow.function for flow in result.by_kind["command"]] == ["read"]


def test_what_no_view_calls_is_followed_by_itself(tmp_path: Path) -> None:
    result = found(tmp_path, f"{READER}{VIEW}    return ''\n")
    assert [flow.function for flow in result.by_kind["command"]] == ["read"]


@pytest.mark.parametrize(
    ("body", "names"), [("print(1)", []), ("os.system('ls')", []), ("os.system(os.environ['X'])", ["work"])]
)
def test_what_only_catches_is_followed_where_it_may_do_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, names: list[str]
) -> None:
    noted = solved(monkeypatch)
    found(tmp_path, f"def work():\n    try:\n        {body}\n    except OSError:\n        pass\n")
    assert noted == names


def test_an_argument_that_is_not_looked_at_is_still_there_for_functions_inside(tmp_path: Path) -> None:
    code = "def outer(a, b):\n    def inner():\n        os.system(b)\n    inner()\n"
    result = found(tmp_path, f"{code}{VIEW}    outer(1, request.args['q'])\n    return ''\n")
    assert len(result.by_kind["command"]) == 1


@pytest.mark.parametrize("first", ["one", "two", "three"])
def test_a_circle_hands_data_on_wherever_it_is_entered(tmp_path: Path, first: str) -> None:
    circle = """
def one(text, count):
    return two(text, count - 1) if count else ""
def two(text, count):
    return three(text, count) if count else one(text, count)
def three(text, count):
    return one(text, count) if count > 3 else text
"""
    result = found(
        tmp_path, f"{circle}{VIEW}    os.system({first}(request.args['q'], len(os.environ)))\n    return ''\n"
    )
    assert len(result.by_kind["command"]) == 1


RUN = "    run(request.args['q'])\n    return ''\n"
NESTED = {
    "calls": "".join(f"def f{at}(x):\n    return f{at + 1}(x)\n" for at in range(DEEP))
    + f"def f{DEEP}(x):\n    os.system(x)\n{VIEW}    run = f0\n{RUN}",
    "aliases of a module": "a0 = os.system\n"
    + "".join(f"a{at + 1} = a{at}\n" for at in range(DEEP))
    + f"{VIEW}    run = a{DEEP}\n{RUN}",
    "aliases of a function": f"{VIEW}    a0 = os.system\n"
    + "".join(f"    a{at + 1} = a{at}\n" for at in range(DEEP))
    + f"    run = a{DEEP}\n{RUN}",
    "closures": "def make(f):\n    def inner(x):\n        return f(x)\n    return inner\n"
    f"{VIEW}    run = os.system\n" + "    run = make(run)\n" * DEEP + RUN,
    "bound methods": "class Holder:\n    def __init__(self, held):\n        self.held = held\n"
    "    def go(self, x):\n        return self.held(x)\n"
    f"{VIEW}    run = os.system\n" + "    run = Holder(run).go\n" * DEEP + RUN,
    "decorators": "def d0(f):\n    return f\n"
    + "".join(f"@d{at}\ndef d{at + 1}(f):\n    return f\n" for at in range(DEEP))
    + f"@app.get('/')\n@d{DEEP}\ndef show():\n    run = os.system\n{RUN}",
    "classes": "class C0:\n    def run(self, x):\n        os.system(x)\n"
    + "".join(f"class C{at + 1}(C{at}):\n    pass\n" for at in range(DEEP))
    + f"{VIEW}    run = C{DEEP}().run\n{RUN}",
}
CUT = frozenset(("bound methods", "closures"))
"""What an object or a function holds deeper than is told apart is given up, whether it nests fifty times or without end."""


def test_fifteen_functions_around_one_another_are_told_apart(tmp_path: Path) -> None:
    made = "    run = make(run)\n"
    result = found(tmp_path, NESTED["closures"].replace(made * DEEP, made * 15))
    assert len(result.by_kind["command"]) == 1


@pytest.mark.parametrize("how", sorted(NESTED))
def test_what_nests_without_end_is_followed_or_said_to_be_too_large(tmp_path: Path, how: str) -> None:
    other = f"@app.get('/other')\ndef other():\n    run = os.system\n{RUN}"
    result = found(tmp_path, NESTED[how] + other)
    names = {flow.function for flow in result.by_kind["command"]}
    assert "other" in names
    assert how in CUT or len(names) > 1 or len(result.skipped) == 1


def test_what_may_come_from_hundreds_of_parts_of_a_parameter_keeps_some_of_them() -> None:
    taints = [Taint("", "parameter", place) for place in range(500)]
    assert merged(taints, taints[:3]) == tuple(taints[:MAX_SOURCES])


def test_what_is_handed_on_is_paid_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ", ".join(f"'{at}': [request.args['{at}'], request.args]" for at in range(30))
    code = (
        f"def same(x):\n    return x\n{VIEW}    rows = {{{rows}}}\n"
        + "    if rows:\n        rows = same(rows)\n" * 20
        + "    return ''\n"
    )
    assert found(tmp_path, code).skipped == ()
    monkeypatch.setattr("stopper.taint.engine.MAX_STEPS", 1_000)
    monkeypatch.setattr("stopper.taint.propagate.MAX_ROOT_STEPS", 1_000)
    assert found(tmp_path, code).skipped == ()
    monkeypatch.setattr("stopper.taint.calls.LIGHT", 1)
    (skipped,) = found(tmp_path, code).skipped
    assert "too large" in skipped.reason
