"""Ask rules about a project that a test writes down."""

from __future__ import annotations

from pathlib import Path

from stopper.finding import Finding
from stopper.rule import discover
from stopper.source.files import walk
from stopper.source.project import Project

RULES = {rule.slug: rule for rule in discover()}


def asked(folder: Path, *slugs: str) -> list[Finding]:
    """Return what some rules find in the source of a folder."""
    project = Project(walk(folder))
    return [one for slug in slugs for one in RULES[slug].source(project) if isinstance(one, Finding)]


def found(folder: Path, slug: str, text: str, *files: tuple[str, str]) -> list[Finding]:
    """Return what a rule finds in an app of this text, with further files beside it."""
    for name, content in (("app.py", text), *files):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return asked(folder, slug)
