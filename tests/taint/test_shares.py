"""Two shares of a project's roots show the same, whether one process solves both, two do, or the second one is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.taint.test_order import NAMES, told, written

from stopper.source.files import walk
from stopper.source.project import Project
from stopper.taint import flows
from stopper.taint.callgraph import roots
from stopper.taint.domain import UNKNOWN, Taint, Target, Value
from stopper.taint.flows import every
from stopper.taint.ir import Call
from stopper.taint.program import Program
from stopper.taint.rounds import dealt
from stopper.taint.travel import Travel

ROOT = Path(__file__).parents[2]
BLOG = ROOT / "examples" / "blog"
ASKED = """
import os, sys
from dataclasses import replace
from pathlib import Path
from stopper.source.aside import pays
from stopper.source.files import walk
from stopper.source.project import Project
from stopper.taint import flows
from stopper.taint.pages import pages_of
flows.WORTH = 0
used = []
whole = flows._Analysis._found_with_partner
def watched(self):
    used.append(whole(self))
    return used[-1]
flows._Analysis._found_with_partner = watched
BROKEN
project = Project(walk(Path(sys.argv[1])))
found = flows.every(project)
pages = pages_of(project)
for kind in sorted(found.by_kind):
    for flow in found.by_kind[kind]:
        print(replace(flow, marks=frozenset()), sorted(flow.marks))
print(found.skipped, sorted(map(repr, pages.places)), len(pages.rendered), len(found.called))
print("partner" if used and used[0] else "alone" if pays() else "one", file=sys.stderr)
"""
LOST = """
def lost(self, channel, travel):
    os._exit(1)
flows._Analysis._work = lost
"""
CUT_SHORT = """
def cut(self, channel, travel):
    channel.send(travel.dump(self._share(self.parts[1]).solve()))
    channel.receive()
    os._exit(0)
flows._Analysis._work = cut
"""


def asked(folder: Path, broken: str = "", **environment: str) -> tuple[str, str]:
    """Return what an audit in a process of its own shows, and who worked on it."""
    run = subprocess.run(
        [sys.executable, "-c", ASKED.replace("BROKEN", broken), str(folder)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout, run.stderr.strip()


@pytest.fixture(params=["shop", "blog"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "blog":
        return BLOG
    written(tmp_path / "shop", NAMES)
    return tmp_path / "shop"


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core")
@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_two_processes_show_what_one_shows(target: Path, seed: str) -> None:
    alone, who = asked(target, STOPPER_PROCESSES="1", PYTHONHASHSEED="7")
    both, partner = asked(target, STOPPER_PROCESSES="", PYTHONHASHSEED=seed)

    assert (who, partner) == ("one", "partner")
    assert both == alone
    assert "Flow(" in both


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core")
@pytest.mark.parametrize("broken", [LOST, CUT_SHORT], ids=["lost", "cut short"])
def test_nothing_is_lost_with_the_second_process(target: Path, broken: str) -> None:
    alone, _ = asked(target, STOPPER_PROCESSES="1")
    left, who = asked(target, broken, STOPPER_PROCESSES="")

    assert who == "alone"
    assert left == alone


def test_shares_find_what_one_engine_finds(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = every(Project(walk(target))).by_kind
    monkeypatch.setattr(flows, "WORTH", 0)
    monkeypatch.setattr(flows, "pays", lambda: False)
    shared = every(Project(walk(target))).by_kind

    assert told((flow for kind in shared for flow in shared[kind]), {}) == told(
        (flow for kind in whole for flow in whole[kind]), {}
    )


def test_each_root_is_in_one_share_with_all_of_its_file() -> None:
    found = tuple(roots(Project(walk(BLOG))))
    parts = dealt(dict(enumerate(found)), parts=2)
    files = [{root.scope.module.path for root in part.values()} for part in parts]

    assert sorted(place for part in parts for place in part) == list(range(len(found)))
    assert files[0]
    assert files[1]
    assert not files[0] & files[1]


def test_what_both_processes_know_is_named_and_not_copied() -> None:
    project = Project(walk(BLOG))
    program = Program(project.code.names)
    travel = Travel(program, project.modules)
    scope = next(one for module in project.modules for one in module.scopes if one.name == "login")
    call = next(op for op in program.lowered(scope).ops() if isinstance(op, Call))
    taint = Taint("request.args['q']", trace=((call.at, "is read"), (scope.node, "comes in")))
    value = Value((taint,), fields=((".a", Value(constant="x")),), targets=(Target(scope),), classes=(scope,))

    found = Travel(program, project.modules).load(travel.dump(value))

    assert found == value
    assert found.classes[0] is scope
    assert found.constant is UNKNOWN
    assert [at for at, _ in found.taints[0].trace] == [call.at, scope.node]
