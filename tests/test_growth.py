"""Ten times the code takes ten times the work, whatever rule asks. Work is counted in calls: time would tell of the machine."""

from __future__ import annotations

import cProfile
from pathlib import Path

import pytest

from stopper.page import Example
from stopper.rule import Rule, discover
from stopper.source.files import walk
from stopper.source.project import Options, Project
from stopper.wire import transcript

FEW = 10
"""How many copies of an example make the smaller project."""
ALLOWED = 11
"""How many times the work may grow with ten times the copies."""

RULES = [rule for rule in discover() if not transcript.is_transcript(rule.page.bad[0].source)]


def copies(example: Example, folder: Path, count: int) -> Path:
    """Write an example so many times, each in a folder of its own."""
    for number in range(count):
        for name, text in example.files.items():
            file = folder / f"app{number}" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    return folder


def work(rule: Rule, folder: Path) -> int:
    """Return how many calls it takes to read a project and to ask a rule."""
    profile = cProfile.Profile()
    profile.enable()
    try:
        for _ in rule.source(Project(walk(folder), Options(online=False))):
            pass
    finally:
        profile.disable()
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.slug)
def test_work_grows_with_the_project(rule: Rule, tmp_path: Path) -> None:
    example = rule.page.bad[0]
    few, many = copies(example, tmp_path / "few", FEW), copies(example, tmp_path / "many", 10 * FEW)
    work(rule, copies(example, tmp_path / "one", 1))  # what is read or compiled once, whatever the project

    assert work(rule, many) <= ALLOWED * work(rule, few)
