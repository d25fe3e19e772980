"""Each call of a library that harms is found, and each that does not is left alone; so are tests that hold: a table each.

``X`` is a text of the request, ``J`` its JSON and ``U`` a file that was sent. Behind ``#`` stands what has to be imported, and ``;;`` between two lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stopper.finding import Confidence, Finding
from stopper.rule import discover
from stopper.source.files import walk
from stopper.source.project import Options, Project

HERE = Path(__file__).parent
RULES = {
    "code": {"code-execution"},
    "command": {"command-injection", "shell-command"},
    "deser": {"unsafe-deserialization", "unsafe-yaml-load"},
    "header": {"header-injection", "cookie-injection"},
    "html": {"reflected-xss", "markup-from-input", "html-mail-from-input", "template-safe-filter", "template-event-handler"},
    "ldap": {"ldap-injection"},
    "log": {"log-injection"},
    "mail": {"mail-header-injection"},
    "nosql": {"nosql-injection"},
    "path": {"path-traversal", "archive-extraction"},
    "redirect": {"open-redirect"},
    "sql": {"sql-injection"},
    "ssrf": {"server-side-request-forgery"},
    "ssti": {"template-injection"},
    "xpath": {"xpath-injection"},
    "xxe": {"xml-external-entity"},
}  # fmt: skip
VIEW = """import io, os, subprocess, urllib.request, requests
from flask import Blueprint, abort, request
{imported}
bp = Blueprint("v{number}", __name__)

@bp.post("/v{number}")
{prefix}def view():
    X = request.args["x"]
    J = request.get_json()
    U = request.files["f"]
    {statement}
    return "ok"
"""


def calls(name: str) -> Iterator[tuple[str, str, str]]:
    """Yield the kind, the statement and the import of each line of a table."""
    kind = ""
    for line in (HERE / name).read_text("utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
        elif line:
            statement, _, imported = line.partition("  # ")
            yield kind, statement, imported


def found_in(name: str, folder: Path) -> Iterator[tuple[str, list[Finding]]]:
    """Yield each line of a table with what is found of its kind."""
    lines = list(calls(name))
    registered = ["from flask import Flask", "app = Flask(__name__)"]
    for number, (_, statement, imported) in enumerate(lines):
        prefix = "async " if statement.startswith("await ") else ""
        body = "\n    ".join(statement.split(" ;; "))
        modules = imported.replace("; ", "\n")
        text = VIEW.format(number=number, imported=modules, statement=body, prefix=prefix)
        (folder / f"v{number}.py").write_text(text, encoding="utf-8")
        registered += [f"import v{number}", f"app.register_blueprint(v{number}.bp)"]
    (folder / "app.py").write_text("\n".join(registered), encoding="utf-8")
    project = Project(walk(folder), Options(online=False))
    wanted = {slug for slugs in RULES.values() for slug in slugs}
    rules = [rule for rule in discover() if rule.slug in wanted]
    found = [item for rule in rules for item in rule.source(project) if isinstance(item, Finding)]
    for number, (kind, statement, _) in enumerate(lines):
        own = [one for one in found if one.location.path == f"v{number}.py" and one.rule in RULES[kind]]
        yield f"{kind}: {statement}", own


@pytest.mark.parametrize("name", ["calls_that_harm.txt", "tests_that_do_not_hold.txt"])
def test_what_harms_is_found(name: str, tmp_path: Path) -> None:
    missed = [
        line
        for line, found in found_in(name, tmp_path)
        if not any(one.confidence.at_least(Confidence.MEDIUM) for one in found)
    ]

    assert missed == []


@pytest.mark.parametrize("name", ["calls_that_do_not.txt", "tests_that_hold.txt"])
def test_what_does_not_harm_is_left_alone(name: str, tmp_path: Path) -> None:
    alarms = [line for line, found in found_in(name, tmp_path) if found]

    assert alarms == []


@pytest.mark.parametrize("name", sorted(file.name for file in HERE.glob("*_*.txt")))
def test_every_kind_of_call_has_a_rule(name: str) -> None:
    assert {kind for kind, _, _ in calls(name)} <= set(RULES)
