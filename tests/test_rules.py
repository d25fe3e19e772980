"""Every rule keeps the contract: its page is whole, Bad is found, Good is clean, the fix works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stopper import fix
from stopper.finding import Area, Finding
from stopper.page import Example
from stopper.rule import Rule, discover
from stopper.source.files import walk
from stopper.source.project import Options, Project
from stopper.wire import transcript

RULES = discover()

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.slug)


def write(example: Example, folder: Path) -> Project:
    """Write an example's files and return them as a project."""
    for name, text in example.files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return Project(walk(folder), Options(online=False))


def findings_in(rule: Rule, example: Example, folder: Path) -> list[Finding]:
    """Return what a rule finds in an example, without what it could not look at; answers of a site are asked as such."""
    if transcript.is_transcript(example.source):
        return [item for item in rule.wire(transcript.read(example.source)) if isinstance(item, Finding)]
    return [item for item in rule.source(write(example, folder)) if isinstance(item, Finding)]


def test_there_are_sixty_rules_over_eight_areas() -> None:
    assert len(RULES) >= 60
    assert {rule.area for rule in RULES} == set(Area)


def test_no_two_rules_share_a_name() -> None:
    slugs = [rule.slug for rule in RULES]

    assert sorted(set(slugs)) == sorted(slugs)


@each_rule
def test_one_name_everywhere(rule: Rule) -> None:
    *_, area, name = type(rule).__module__.split(".")

    assert rule.slug == name.replace("_", "-")
    assert type(rule).__name__.lower() == name.replace("_", "")
    assert rule.area == area


@each_rule
def test_the_page_has_its_sections(rule: Rule) -> None:
    assert re.fullmatch(r"\S.*\.", rule.page.title), "the title is one sentence"
    assert rule.page.why
    assert rule.page.bad
    assert rule.page.good
    assert rule.page.references


@each_rule
def test_the_page_names_the_weaknesses_of_the_rule(rule: Rule) -> None:
    named = {int(number) for number in re.findall(r"CWE-(\d+)", " ".join(rule.page.references))}

    assert rule.cwe
    assert named == set(rule.cwe)


@each_rule
def test_bad_is_found_and_told_well(rule: Rule, tmp_path: Path) -> None:
    for number, example in enumerate(rule.page.bad, start=1):
        findings = findings_in(rule, example, tmp_path / str(number))

        assert findings, f"Bad number {number} is not found"
        for finding in findings:
            assert (finding.rule, finding.area, finding.cwe) == (rule.slug, rule.area, rule.cwe)
            assert finding.message.strip()
            assert finding.remedy.strip(), "a finding says what to write instead"


@each_rule
def test_a_finding_stands_at_a_line_that_is_there(rule: Rule, tmp_path: Path) -> None:
    for number, example in enumerate(rule.page.bad, start=1):
        if transcript.is_transcript(example.source):
            continue  # the audit looks for the line when there is a source
        places = [finding.location for finding in findings_in(rule, example, tmp_path / str(number))]

        assert {place.path for place in places} <= set(example.files)
        for place in places:
            assert 1 <= place.line <= max(1, len(example.files[place.path].splitlines()))


@each_rule
def test_good_is_clean(rule: Rule, tmp_path: Path) -> None:
    for number, example in enumerate(rule.page.good, start=1):
        findings = findings_in(rule, example, tmp_path / str(number))

        assert [f"Good number {number}, {finding.location}: {finding.message}" for finding in findings] == []


@each_rule
def test_the_fix_makes_good_of_bad(rule: Rule, tmp_path: Path) -> None:
    if type(rule).fix is Rule.fix:
        return
    for number, (bad, good) in enumerate(zip(rule.page.bad, rule.page.good, strict=True), start=1):
        if transcript.is_transcript(bad.source):
            continue
        project = write(bad, tmp_path / str(number))
        fixes = [rule.fix(item, project) for item in rule.source(project) if isinstance(item, Finding)]
        edits = [edit for one in fixes if one is not None for edit in one.edits]

        assert edits, f"Bad number {number} has no fix"
        assert bad.files | fix.apply(edits, bad.files) == good.files
