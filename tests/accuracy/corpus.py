"""Read the accuracy corpus: pairs of a hole and its nearest safe neighbour, as the README beside this file tells.

A pair is one small project in which a few lines stand in one half only: `-` before those of the hole, `+` before those
of the safe neighbour, two spaces before what both have. So a reader sees what makes the difference, and nothing else does.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from stopper.page import parse

HERE = Path(__file__).parent

_TITLE = re.compile(r"== (?P<kind>[a-z]+): (?P<title>.+)")
_LOW = re.compile(r"(?P<half>hole|safe) may be low: (?P<reason>.+)")
_MARK = re.compile(r"\s*(?:#|\{#|<!--|//) <- hole\s*(?:#\}|-->)?\s*$")


@dataclass(frozen=True)
class Weakness:
    """A class of weaknesses."""

    name: str
    title: str
    cwe: frozenset[int]
    """The numbers by which another tool's finding is known to be of the class."""
    also: frozenset[str]
    """Names of other tools' rules that are of the class, whatever their number says."""
    rules: frozenset[str]
    """The slugs of the rules whose findings are of the class."""


@dataclass(frozen=True)
class Pair:
    """A hole and its nearest safe neighbour."""

    kind: str
    """The name of the weakness."""
    title: str
    place: str
    """The file of the corpus and the line that the pair begins at."""
    hole: dict[str, str]
    """The files of the project that can be attacked, by path."""
    safe: dict[str, str]
    """The files of the project that cannot."""
    marked: frozenset[tuple[str, int]]
    """Path and line of each place where a finding may stand; empty when any place will do."""
    low: dict[str, str]
    """Why a low confidence is right, by half: of the hole low findings count, of the safe neighbour they do not."""

    @property
    def name(self) -> str:
        """Return what the pair is called in lists and test names."""
        return f"{self.kind}: {self.title}"


def read_weaknesses() -> dict[str, Weakness]:
    """Return the classes of classes.toml by name."""
    table = tomllib.loads((HERE / "classes.toml").read_text("utf-8"))
    return {
        name: Weakness(
            name,
            entry["title"],
            frozenset(entry["cwe"]),
            frozenset(entry.get("also", ())),
            frozenset(entry["rules"]),
        )
        for name, entry in table.items()
    }


def read_pairs(folder: Path = HERE) -> list[Pair]:
    """Return every pair of the `.cases` files in a folder.

    Raises:
        ValueError: A line is not one of a pair.
    """
    return [pair for file in sorted(folder.glob("*.cases")) for pair in _pairs(file)]


def write(files: dict[str, str], folder: Path) -> None:
    """Write a half's files into a folder, which may be missing."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _pairs(file: Path) -> Iterator[Pair]:
    """Yield the pairs of one file; what stands before the first title tells what the file is about."""
    lines = file.read_text("utf-8").splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("== ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield _pair(lines[start:end], f"{file.name}:{start + 1}")


def _pair(lines: list[str], place: str) -> Pair:
    """Return the pair that lines hold, the first of which is its title."""
    title = _TITLE.fullmatch(lines[0])
    if title is None:
        raise ValueError(f"{place}: a pair begins with `== class: title`, not with {lines[0]!r}")
    low = [match for line in lines[1:3] if (match := _LOW.fullmatch(line))]
    body = lines[1 + len(low) :]
    wrong = [
        line for line in body if line.strip() and line[:2] not in {"  ", "- ", "+ "} and line not in "-+"
    ]
    if wrong:
        raise ValueError(f"{place}: a line begins with two spaces, `- ` or `+ `, not {wrong[0]!r}")
    hole = _files([line[2:] for line in body if not line.startswith("+")])
    safe = _files([line[2:] for line in body if not line.startswith("-")])
    marked = {
        (path, number)
        for path, text in hole.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if _MARK.search(line)
    }
    return Pair(
        kind=title["kind"],
        title=title["title"],
        place=place,
        hole=_unmarked(hole),
        safe=_unmarked(safe),
        marked=frozenset(marked),
        low={match["half"]: match["reason"] for match in low},
    )


def _files(lines: list[str]) -> dict[str, str]:
    """Return the project that lines hold, read as the examples on the pages of rules are."""
    page = parse("A project.\n\nBad::\n\n" + indent("\n".join(lines), "    "))
    return page.bad[0].files


def _unmarked(files: dict[str, str]) -> dict[str, str]:
    """Return the files without the marks at the places of the holes."""
    return {
        path: "".join(f"{_MARK.sub('', line)}\n" for line in text.splitlines())
        for path, text in files.items()
    }
