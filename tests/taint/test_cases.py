"""The stages of the engine as text: source, the operations it becomes, the flows that are found.

A case is a title (``== title``), a source, and what is expected of a stage: ``-- ir NAME`` for one function, ``-- calls``,
``-- summaries``, ``-- flows``.
``STOPPER_UPDATE=1 pytest tests/taint`` writes what the engine says now; read the difference before you commit it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from stopper.source.files import walk
from stopper.source.project import Project
from stopper.taint.flows import every
from stopper.taint.lower import lower
from stopper.taint.printing import STAGES, printed

HERE = Path(__file__).parent
PROLOGUE = "from flask import Flask, request\napp = Flask(__name__)\n"


def cases() -> list[tuple[Path, str]]:
    return [
        (file, part)
        for file in sorted(HERE.glob("*.test"))
        for part in re.split(r"(?m)^(?=== )", file.read_text("utf-8"))
        if part.startswith("== ")
    ]


def title(part: object) -> str:
    return part.partition("\n")[0].removeprefix("== ") if isinstance(part, str) else getattr(part, "stem", "")


def rendered(part: str, folder: Path) -> str:
    """Return the case with the text that the engine gives now."""
    source, *stages = re.split(r"(?m)^-- ", part)
    heading, _, code = source.partition("\n")
    (folder / "app.py").write_text(PROLOGUE + code, encoding="utf-8")
    project = Project(walk(folder))
    texts = [f"-- {stage.partition(chr(10))[0]}\n{told(project, stage.split())}\n\n" for stage in stages]
    return f"{heading}\n{code.rstrip()}\n" + "".join(texts).rstrip() + "\n\n"


def told(project: Project, words: list[str]) -> str:
    if words[0] == "ir":
        scope = next(scope for module in project.modules for scope in module.scopes if scope.name == words[1])
        return str(lower(scope, project.code.names))
    if words[0] in STAGES:
        module = next(module for module in project.modules if module.name == "app")
        return printed(project, module, words[0]).rstrip()
    flows = [flow for found in every(project).by_kind.values() for flow in found]
    lines = [
        f"{flow.kind}: {flow.source} -> {flow.sink_name} in {flow.function} ({flow.confidence})"
        + f" {flow.near_miss}".rstrip()
        for flow in sorted(flows, key=lambda one: one.sink)
    ]
    return "\n".join(lines) or "nothing"


@pytest.mark.parametrize(("file", "part"), cases(), ids=title)
def test_the_engine_says(file: Path, part: str, tmp_path: Path) -> None:
    text = rendered(part, tmp_path)
    if os.environ.get("STOPPER_UPDATE"):
        file.write_text(file.read_text("utf-8").replace(part, text), encoding="utf-8")

    assert part.rstrip() == text.rstrip()
