"""Every rule keeps the contract: its page is complete, its Bad is found, its Good is clean, its fix makes Good of Bad."""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import stopper.rules
from stopper import fix, page
from stopper.finding import Area, Finding, Severity
from stopper.page import Example
from stopper.rule import Rule
from stopper.source.files import walk
from stopper.source.project import Project

RULES = Path(stopper.rules.__path__[0])
PATHS = sorted(path for path in RULES.glob("*/*.py") if path.name != "__init__.py")
SLUGS = [path.stem.replace("_", "-") for path in PATHS]

each_rule = pytest.mark.parametrize("path", PATHS, ids=SLUGS)


def module_at(path: Path) -> ModuleType:
    """Return the module of a rule file."""
    return importlib.import_module(f"stopper.rules.{path.parent.name}.{path.stem}")


def rule_at(path: Path) -> Rule:
    """Return the one rule of a rule file."""
    module = module_at(path)
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Rule) and value.__module__ == module.__name__
    ]
    assert len(classes) == 1, f"{path.name} holds {len(classes)} rules; a rule is one file"
    return classes[0]()


@cache
def page_at(path: Path) -> page.Page:
    """Return the page of a rule file."""
    return page.parse(module_at(path).__doc__)


def write(example: Example, folder: Path) -> Project:
    """Write an example's files and return them as a project."""
    for name, text in example.files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return Project(walk(folder))


def found_in(rule: Rule, example: Example, folder: Path) -> list[Finding]:
    """Return what a rule finds in an example."""
    return list(rule.source(write(example, folder)))


def test_there_are_sixty_rules_over_eight_areas() -> None:
    assert len(PATHS) >= 60
    assert {path.parent.name for path in PATHS} == {area.value for area in Area}


def test_no_two_rules_share_a_name() -> None:
    assert len(SLUGS) == len(set(SLUGS))


@each_rule
def test_one_name_everywhere(path: Path) -> None:
    rule = rule_at(path)

    assert rule.slug == path.stem.replace("_", "-")
    assert type(rule).__name__.lower() == path.stem.replace("_", "")
    assert rule.area == path.parent.name


@each_rule
def test_the_page_has_its_sections(path: Path) -> None:
    page = page_at(path)

    assert re.fullmatch(r"[A-Z`].*\.", page.title), "the title is one sentence"
    assert page.why
    assert page.bad
    assert page.good
    assert page.references


@each_rule
def test_the_page_names_the_weaknesses_of_the_rule(path: Path) -> None:
    numbers = set(re.findall(r"CWE-(\d+)", " ".join(page_at(path).references)))

    assert rule_at(path).cwe
    assert {int(number) for number in numbers} == set(rule_at(path).cwe)


@each_rule
def test_bad_is_found_and_told_well(path: Path, tmp_path: Path) -> None:
    rule = rule_at(path)
    for number, example in enumerate(page_at(path).bad):
        findings = found_in(rule, example, tmp_path / str(number))

        assert findings, f"Bad number {number + 1} is not found"
        for finding in findings:
            assert (finding.rule, finding.area) == (rule.slug, rule.area)
            assert finding.severity in Severity
            assert finding.message.strip()
            assert finding.remedy.strip(), "a finding says what to write instead"


@each_rule
def test_a_finding_stands_at_a_line_that_is_there(path: Path, tmp_path: Path) -> None:
    rule = rule_at(path)
    for number, example in enumerate(page_at(path).bad):
        for finding in found_in(rule, example, tmp_path / str(number)):
            place = finding.location
            assert place.path in example.files
            assert 1 <= place.line <= max(1, len(example.files[place.path].splitlines()))


@each_rule
def test_good_is_clean(path: Path, tmp_path: Path) -> None:
    rule = rule_at(path)
    for number, example in enumerate(page_at(path).good):
        findings = found_in(rule, example, tmp_path / str(number))

        assert [f"{finding.location}: {finding.message}" for finding in findings] == []


@each_rule
def test_the_fix_makes_good_of_bad(path: Path, tmp_path: Path) -> None:
    rule = rule_at(path)
    page = page_at(path)
    for number, bad in enumerate(page.bad):
        project = write(bad, tmp_path / str(number))
        fixes = [rule.fix(finding, project) for finding in rule.source(project)]
        edits = [edit for one in fixes if one is not None for edit in one.edits]
        if edits:
            assert bad.files | fix.apply(edits, bad.files) == page.good[number].files
