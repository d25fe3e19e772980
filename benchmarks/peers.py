"""Run static analysers over a folder and bring what they say into one shape.

Stopper looks at each project by itself, in this process; the others take the whole folder in one run of their own command.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stopper.finding import Finding
from stopper.rule import Rule, discover
from stopper.source.files import walk
from stopper.source.project import Options, Project

FINDINGS_OR_NONE = {0, 1}

RUFF_CWE = {
    **dict.fromkeys((102, 307, 601, 602, 603, 604, 605, 606, 607, 609), 78),
    **dict.fromkeys((303, 304, 305, 324, 502, 503, 504), 327),
    **dict.fromkeys((202, 310), 22),
    **dict.fromkeys((301, 302), 502),
    **dict.fromkeys((308, 702, 703, 704), 79),
    **dict.fromkeys((608, 610, 611), 89),
    **dict.fromkeys((612, 701), 94),
    **dict.fromkeys((506, *range(313, 321)), 20),
    201: 94,
    311: 330,
    501: 295,
    505: 326,
}
"""Ruff names no weaknesses; its S rules have the numbers of Bandit's tests, whose weaknesses these are."""


@dataclass(frozen=True)
class Said:
    """One finding of a tool."""

    path: Path
    """Resolved."""
    line: int
    last: int
    """The line that it ends at."""
    rule: str
    """The rule's own name; of a dotted name the last part."""
    cwe: frozenset[int]
    confidence: str = ""
    """As Stopper says it; empty for other tools."""
    way: frozenset[tuple[Path, int]] = frozenset()
    """Every place on the path that is shown with it; empty where none is."""


@dataclass(frozen=True)
class Peers:
    """The commands of the other tools; None for one that is not there."""

    bandit: str | None
    ruff: str | None
    semgrep: str | None
    semgrep_rules: Path | None

    def missing(self) -> list[str]:
        """Return the names of the tools that cannot be run."""
        there = {
            "Bandit": self.bandit,
            "Ruff S": self.ruff,
            "Semgrep": self.semgrep and self.semgrep_rules,
        }
        return [name for name, command in there.items() if not command]

    def run(self, folder: Path) -> dict[str, list[Said]]:
        """Return what each tool that is there says of everything under a folder."""
        said = {}
        if self.bandit:
            said["Bandit"] = _bandit(self.bandit, folder)
        if self.ruff:
            said["Ruff S"] = _ruff(self.ruff, folder)
        if self.semgrep and self.semgrep_rules:
            said["Semgrep"] = _semgrep(self.semgrep, self.semgrep_rules, folder)
        return said

    def versions(self) -> list[str]:
        """Return each tool that is there with its version."""
        named = {
            "Bandit": self.bandit,
            "Ruff": self.ruff,
            "Semgrep": self.semgrep if self.semgrep_rules else None,
        }
        return [f"{name} {_version(command)}" for name, command in named.items() if command]


def add_options(parser: Any) -> None:
    """Add the options that name the tools to an argument parser."""
    parser.add_argument("--bandit", default=shutil.which("bandit"), help="the command (on PATH)")
    parser.add_argument("--ruff", default=shutil.which("ruff"), help="the command (on PATH)")
    parser.add_argument("--semgrep", default=shutil.which("semgrep"), help="the command (on PATH)")
    parser.add_argument("--semgrep-rules", type=Path, help="a folder with the Python rules of semgrep-rules")


def ask_stopper(projects: Iterable[tuple[Path, tuple[str, ...]]]) -> list[list[Said]]:
    """Return what Stopper says of each project, a folder or a file, with the rules of the given slugs."""
    todo = list(projects)
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(_stopper, todo, chunksize=8))


def _stopper(asked: tuple[Path, tuple[str, ...]]) -> list[Said]:
    target, slugs = asked
    tree = walk(target)
    project = Project(tree, Options(online=False))
    found = [item for slug in slugs for item in _rules()[slug].source(project) if isinstance(item, Finding)]
    root = tree.root
    return [
        Said(
            (root / one.location.path).resolve(),
            one.location.line,
            one.location.end_line,
            one.rule,
            frozenset(one.cwe),
            one.confidence,
            frozenset(((root / step.location.path).resolve(), step.location.line) for step in one.flow),
        )
        for one in found
    ]


@cache
def _rules() -> dict[str, Rule]:
    return {rule.slug: rule for rule in discover()}


def _bandit(command: str, folder: Path) -> list[Said]:
    report = _json(command, "-q", "-f", "json", "-r", str(folder))
    return [
        _said(
            one["filename"],
            one["line_number"],
            None,
            one["test_id"],
            [f"CWE-{one['issue_cwe'].get('id', 0)}"],
        )
        for one in report["results"]
    ]


def _ruff(command: str, folder: Path) -> list[Said]:
    words = ("check", "--isolated", "--no-cache", "--select", "S", "--output-format", "json", str(folder))
    return [
        _said(
            one["filename"],
            one["location"]["row"],
            one["end_location"]["row"],
            one["code"],
            [f"CWE-{RUFF_CWE.get(int(one['code'][1:]), 0)}"],
        )
        for one in _json(command, *words)
        if re.fullmatch(r"S\d+", one["code"] or "")
    ]


def _semgrep(command: str, rules: Path, folder: Path) -> list[Said]:
    options = ("--quiet", "--json", "--metrics=off", "--disable-version-check", "--no-git-ignore")
    report = _json(command, "scan", *options, f"--config={rules}", str(folder))
    return [
        _said(
            one["path"],
            one["start"]["line"],
            one["end"]["line"],
            one["check_id"],
            one["extra"]["metadata"].get("cwe") or [],
        )
        for one in report["results"]
    ]


def _said(path: str, line: int, last: int | None, rule: str, cwe: list[str] | str) -> Said:
    texts = [cwe] if isinstance(cwe, str) else cwe
    numbers = frozenset(int(number) for text in texts for number in re.findall(r"CWE-(\d+)", text))
    return Said(Path(path).resolve(), line, last or line, rule.rpartition(".")[2], numbers)


def _json(command: str, *words: str) -> Any:
    """Run a command and return the JSON that it writes; end when it failed."""
    beside = {**os.environ, "PATH": f"{Path(command).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run([command, *words], capture_output=True, text=True, check=False, env=beside)
    if done.returncode not in FINDINGS_OR_NONE:
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


def _version(command: str) -> str:
    quiet = {**os.environ, "SEMGREP_ENABLE_VERSION_CHECK": "0"}
    answer = subprocess.run(
        [command, "--version"], capture_output=True, text=True, check=True, env=quiet
    ).stdout
    found = re.search(r"\d+(\.\d+)+", answer)
    return found[0] if found else "?"
