"""Ask Stopper, Bandit, Ruff's S rules and Semgrep the same questions in one run: which holes are found, and what is a false alarm.

    python benchmarks/accuracy.py [--bandit PATH] [--ruff PATH] [--semgrep PATH --semgrep-rules DIR]
                                  [--semgrep-tests DIR] [--codeql-tests DIR] [--readme]

The questions are the pairs of tests/accuracy. A hole counts as found when a tool says anything of its class anywhere in the project,
and a safe neighbour as a false alarm likewise; so the tools are all measured alike, and generously. `--semgrep-tests` and
`--codeql-tests` name copies of the public rule tests, which are scored by line. A tool that is not there is not run and said so.
`--readme` publishes the tables.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pages import publish
from peers import Peers, Said, add_options, ask_stopper
from public_tests import codeql_tests, copy, score, semgrep_tests

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "accuracy"))
corpus = importlib.import_module("corpus")

LOW = "Stopper, low too"
NOT_RUN = "not run"
NOTE = (
    "The pairs are our own, each a hole and its nearest safe neighbour, and Stopper was tuned on them. "
    "The rule tests are the other tools' own. "
    "Any finding of the class counts, in a hole as found, in a safe neighbour as a false alarm; "
    "of `Stopper` low confidence counts only for the holes of which a pair says that nobody can be sure."
)


@dataclass
class Score:
    """What one tool made of the pairs of one class."""

    holes: int = 0
    found: int = 0
    alarms: int = 0

    def __str__(self) -> str:
        return f"{self.found} / {self.alarms}"


@dataclass
class Board:
    """The scores of one tool, by class."""

    tool: str
    scores: dict[str, Score] = field(default_factory=dict)

    def total(self) -> Score:
        """Return the sum over all classes."""
        every = self.scores.values()
        return Score(
            sum(one.holes for one in every), sum(one.found for one in every), sum(one.alarms for one in every)
        )


def main() -> None:
    """Run every tool over the corpus, and over the public tests that were named, and print the tables."""
    options = read_arguments()
    peers = Peers(options.bandit, options.ruff, options.semgrep, options.semgrep_rules)
    with tempfile.TemporaryDirectory() as folder:
        boards = run_corpus(peers, Path(folder).resolve(), corpus.read_pairs())
    missing = peers.missing()
    parts = [show_corpus(boards, missing)]
    if options.semgrep_tests or options.codeql_tests:
        parts.append(show_public(run_public(peers, options), missing))
    parts.append(f"{NOTE} {'; '.join(peers.versions())}; Python {platform.python_version()}.")
    text = "\n\n".join(parts) + "\n"
    print(text)
    if options.readme:
        publish(__file__, text)


def read_arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser)
    parser.add_argument(
        "--semgrep-tests", type=Path, help="a copy of semgrep-rules, rules beside their tests"
    )
    parser.add_argument("--codeql-tests", type=Path, help="the folder of CodeQL's Python query tests")
    parser.add_argument(
        "--readme", action="store_true", help="put the tables into accuracy.md and the README"
    )
    return parser.parse_args()


def run_corpus(peers: Peers, folder: Path, pairs: list[Any]) -> list[Board]:
    """Write every half of each pair below a folder and return what each tool made of them."""
    weaknesses = corpus.read_weaknesses()
    halves: list[tuple[Any, str, Path]] = []
    for number, pair in enumerate(pairs):
        for half in ("hole", "safe"):
            place = folder / f"{number:03}" / half
            corpus.write(getattr(pair, half), place)
            halves.append((pair, half, place))
    asked = [(place, tuple(sorted(weaknesses[pair.kind].rules))) for pair, _, place in halves]
    own = dict(zip((place for *_, place in halves), ask_stopper(asked), strict=True))
    boards = [
        tally("Stopper", halves, lambda pair, half, place: counts(own[place], pair.low.get(half), half)),
        tally(LOW, halves, lambda _, __, place: bool(own[place])),
    ]
    for name, said in peers.run(folder).items():
        by_place = grouped(said, folder)
        boards.append(tally(name, halves, is_said(by_place, weaknesses)))
    return boards


def counts(said: list[Said], low: str | None, half: str) -> bool:
    """Tell whether one of Stopper's findings counts: the sure ones, and low ones of holes nobody can be sure of."""
    return any(one.confidence != "low" or (half == "hole" and low) for one in said)


def grouped(said: Iterable[Said], folder: Path) -> dict[Path, list[Said]]:
    """Return findings by the half of a pair that they are in."""
    groups: dict[Path, list[Said]] = {}
    for one in said:
        number, half = one.path.relative_to(folder).parts[:2]
        groups.setdefault(folder / number / half, []).append(one)
    return groups


def is_said(groups: dict[Path, list[Said]], weaknesses: dict[str, Any]) -> Callable[[Any, str, Path], bool]:
    """Return a test whether a finding of the pair's class is in a half."""

    def test(pair: Any, _: str, place: Path) -> bool:
        wanted = weaknesses[pair.kind]
        return any(one.cwe & wanted.cwe or one.rule in wanted.also for one in groups.get(place, ()))

    return test


def tally(
    tool: str, halves: list[tuple[Any, str, Path]], is_found: Callable[[Any, str, Path], bool]
) -> Board:
    """Return a tool's scores by class."""
    board = Board(tool)
    for pair, half, place in halves:
        one = board.scores.setdefault(pair.kind, Score())
        hit = is_found(pair, half, place)
        one.holes += half == "hole"
        one.found += hit and half == "hole"
        one.alarms += hit and half == "safe"
    return board


def show_corpus(boards: list[Board], missing: list[str]) -> str:
    """Return the table of the corpus, a class a line."""
    weaknesses = corpus.read_weaknesses()
    names = [board.tool for board in boards]
    lines = [f"| found / false alarms | pairs | {' | '.join([*names, *missing])} |"]
    lines.append("|---|---:|" + "---:|" * (len(names) + len(missing)))
    gaps = [NOT_RUN] * len(missing)
    for kind in weaknesses:
        cells = [str(board.scores[kind]) for board in boards]
        lines.append(
            f"| {weaknesses[kind].title} | {boards[0].scores[kind].holes} | {' | '.join([*cells, *gaps])} |"
        )
    total = [board.total() for board in boards]
    lines.append(f"| **All** | {total[0].holes} | {' | '.join([f'**{one}**' for one in total] + gaps)} |")
    shares = [f"{one.found / one.holes:.1%} / {one.alarms / one.holes:.1%}" for one in total]
    lines.append(f"| **Share** | | {' | '.join(shares + gaps)} |")
    return "\n".join(lines)


def run_public(peers: Peers, options: argparse.Namespace) -> dict[str, dict[str, Counter[str]]]:
    """Return, by tool and group of public tests, how many statements were judged how."""
    judged: dict[str, dict[str, Counter[str]]] = {}
    weaknesses = corpus.read_weaknesses()
    slugs = tuple(sorted(slug for one in weaknesses.values() for slug in one.rules))
    for tests, read in ((options.semgrep_tests, semgrep_tests), (options.codeql_tests, codeql_tests)):
        if tests is None:
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name).resolve() / "rules"
            copy(tests, folder)
            marks = read(folder, weaknesses)
            if not marks:
                sys.exit(f"{tests} holds no tests of a known class")
            targets = sorted({mark.project for mark in marks})
            own = [one for said in ask_stopper((target, slugs) for target in targets) for one in said]
            sure = [one for one in own if one.confidence != "low"]
            for tool, said in {"Stopper": sure, LOW: own, **peers.run(folder)}.items():
                judged.setdefault(tool, {}).update(score(marks, said, weaknesses))
    return judged


def show_public(judged: dict[str, dict[str, Counter[str]]], missing: list[str]) -> str:
    """Return the table of the public tests, a group a line."""
    lines = [f"| public rule tests | holes | safe | {' | '.join([*judged, *missing])} |"]
    lines.append("|---|---:|---:|" + "---:|" * (len(judged) + len(missing)))
    for group, first in judged["Stopper"].items():
        cells = [f"{groups[group]['found']} / {groups[group]['alarms']}" for groups in judged.values()]
        gaps = [NOT_RUN] * len(missing)
        lines.append(f"| {group} | {first['holes']} | {first['safe']} | {' | '.join([*cells, *gaps])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
