"""Every hole of the corpus is found where it is, and its nearest safe neighbour is left alone.

``STOPPER_UPDATE=1 pytest tests/accuracy`` takes what is right now out of known.toml.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from jinja2 import Environment
from tests.accuracy import corpus

from stopper.finding import Confidence, Finding
from stopper.rule import discover
from stopper.source.files import walk
from stopper.source.project import Options, Project

HERE = Path(__file__).parent
WEAKNESSES = corpus.read_weaknesses()
PAIRS = corpus.read_pairs()
KNOWN = tomllib.loads((HERE / "known.toml").read_text("utf-8"))

each_pair = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)


@cache
def rules_by_slug():
    return {rule.slug: rule for rule in discover()}


def findings(files: dict[str, str], kind: str, folder: Path) -> list[Finding]:
    """Return what the rules of a class find in a project."""
    corpus.write(files, folder)
    project = Project(walk(folder), Options(online=False))
    rules = [rules_by_slug()[slug] for slug in sorted(WEAKNESSES[kind].rules)]
    return [item for rule in rules for item in rule.source(project) if isinstance(item, Finding)]


def sure(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.confidence.at_least(Confidence.MEDIUM)]


def is_marked(finding: Finding, marked: frozenset[tuple[str, int]]) -> bool:
    place = finding.location
    return not marked or any(
        path == place.path and place.line <= line <= place.end_line for path, line in marked
    )


def hold(complaint: str, name: str, section: str) -> None:
    """Fail with a complaint, unless it is known; and then fail when there is none."""
    known = KNOWN[section].get(name)
    if known is None:
        assert not complaint, complaint
        return
    if not complaint and os.environ.get("STOPPER_UPDATE"):
        forget(name, section)
        return
    assert complaint, f"take it out of [{section}] in known.toml, it is right now: STOPPER_UPDATE=1 does"
    pytest.xfail(known)


def forget(name: str, section: str) -> None:
    file = HERE / "known.toml"
    head, mark, rest = file.read_text("utf-8").partition(f"[{section}]\n")
    kept = re.sub(rf"(?m)^{re.escape(json.dumps(name))} = .*\n", "", rest, count=1)
    file.write_text(head + mark + kept, encoding="utf-8")


@each_pair
def test_the_hole_is_found(pair, tmp_path: Path) -> None:
    found = findings(pair.hole, pair.kind, tmp_path)
    if "hole" not in pair.low:
        found = sure(found)
    places = ", ".join(f"{one.rule} at {one.location}" for one in found)
    complaint = ""
    if not any(is_marked(one, pair.marked) for one in found):
        complaint = f"{pair.place}: found is {places or 'nothing'}, where {sorted(pair.marked)} is marked"

    hold(complaint, pair.name, "missed")


@each_pair
def test_the_safe_neighbour_is_left_alone(pair, tmp_path: Path) -> None:
    found = findings(pair.safe, pair.kind, tmp_path)
    if "safe" in pair.low:
        found = sure(found)
    complaint = "; ".join(
        f"{pair.place}: {one.location} {one.rule} ({one.confidence}): {one.message}" for one in found
    )

    hold(complaint, pair.name, "alarms")


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert 2 * len(PAIRS) >= 700


def test_every_class_has_pairs_and_every_pair_a_class() -> None:
    assert {pair.kind for pair in PAIRS} == set(WEAKNESSES)


def test_no_two_pairs_share_a_name() -> None:
    names = [pair.name for pair in PAIRS]

    assert sorted(set(names)) == sorted(names)


def test_the_halves_of_a_pair_differ_by_little() -> None:
    assert [pair.name for pair in PAIRS if pair.hole == pair.safe] == []


@pytest.mark.parametrize("half", ["hole", "safe"])
def test_every_project_can_be_read(half: str) -> None:
    for pair in PAIRS:
        for path, text in getattr(pair, half).items():
            if path.endswith(".py"):
                compile(text, f"{pair.place} {path}", "exec", dont_inherit=True)
            if path.endswith((".html", ".jinja2")):
                Environment().parse(text, filename=path)


def test_the_classes_name_rules_that_are_there() -> None:
    named = {slug for weakness in WEAKNESSES.values() for slug in weakness.rules}

    assert named <= set(rules_by_slug())


def test_what_was_asked_at_first_sight_is_in_the_corpus() -> None:
    looks = tomllib.loads((HERE / "first_sight.toml").read_text("utf-8"))["look"]

    assert {name for look in looks for name in look["pairs"]} <= {pair.name for pair in PAIRS}


def test_what_is_known_to_be_wrong_is_in_the_corpus() -> None:
    assert {*KNOWN["missed"], *KNOWN["alarms"]} <= {pair.name for pair in PAIRS}


@pytest.mark.parametrize("line", ["== a pair without a class", "== sql: title\nnot indented"])
def test_a_pair_that_cannot_be_read_is_told_with_its_place(line: str, tmp_path: Path) -> None:
    (tmp_path / "broken.cases").write_text(line, encoding="utf-8")

    with pytest.raises(ValueError, match=r"broken\.cases:1: "):
        corpus.read_pairs(tmp_path)
