"""Read the annotations of public rule tests, and score findings on them by statement.

Two families, neither of them kept here: semgrep-rules (`ruleid:` and `ok:` above a line) and CodeQL's query tests (`$ Alert` behind a
line, `SPURIOUS:` before what CodeQL reports wrongly, `OK` and `GOOD` for what is fine). Only tests of the classes of the corpus count,
of semgrep-rules only those about Flask, Jinja2, SQLAlchemy and the language, and of CodeQL's only files that import Flask or what it
stands on. A statement counts as found when a finding of its class, or the path that the finding shows, is on it. The tests are looked
at as a copy in which no file is called a test: tools leave out what is.

Semgrep marks the line that a match begins at: what a marked function holds belongs to the mark, and so do the statements of the same
block that use what a marked assignment binds. A tool that names the line of the sink has found the same.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

from peers import Said

SEMGREP_MARK = re.compile(
    r"(?:#|//|<!--|\{#)\s*(?P<kind>(?:todo|deep|pro)?(?:ruleid|ok)):\s*(?P<ids>[\w.\-/, ]+)"
)
EXPECTED = re.compile(r"^\s*\$ (?P<text>.*)")
COLUMN = re.compile(r"(SPURIOUS:|MISSING:)")
ALERT = re.compile(r"\bAlert\b")
FINE = re.compile(r"(?<!NOT )(?<!not )\b(?:OK|GOOD|SAFE)\b")
FLASK = re.compile(
    r"(?m)^\s*(?:from|import)\s+(?:flask\w*|werkzeug|jinja2|markupsafe|wtforms|sqlalchemy|peewee)\b"
)
SELECTED = re.compile(r"^\|\s*(?P<file>[^|:]+):(?P<line>\d+):")
WRONG_CWE = {
    "tainted-sql-string": {89},
    "dangerous-template-string": {1336},
    "render-template-string": {1336},
    "avoid_send_file_without_path_sanitization": {22},
}
"""Rules of semgrep-rules whose own metadata names another weakness than the one they test."""
ALSO_CWE = {"tainted-url-host": {79}}
"""Rules of semgrep-rules whose holes are holes of another class as well: addresses that are written into a page."""


PARTS = ("python/flask/", "python/jinja2/", "python/sqlalchemy/", "python/lang/security/")
VAGUE = {20}
"""Weaknesses that say nothing about the class of a test."""
TEST_NAME = re.compile(r"(?:^|(?<=/))test_(?=[^/]*\.py$)|_tests?(?=\.py$)|(?:^|(?<=/))tests?(?=/)")


@dataclass(frozen=True)
class Mark:
    """A statement that the tests say something about."""

    group: str
    """The line of the table that it counts in."""

    project: Path
    """What is looked at by itself: the test's folder, or its only file."""
    path: Path
    first: int
    last: int
    bad: bool
    cwe: frozenset[int]
    rest: tuple[tuple[int, int], ...] = ()
    """First and last lines of what else belongs to it."""

    def covers(self, first: int, last: int) -> bool:
        """Tell whether any of these lines belongs to it."""
        return any(low <= last and first <= high for low, high in ((self.first, self.last), *self.rest))


def copy(folder: Path, into: Path) -> None:
    """Copy tests to a folder under names that no tool takes for tests of a project."""
    for file in sorted(folder.rglob("*")):
        name = renamed(file.relative_to(folder).as_posix())
        if file.is_file() and "/.git/" not in f"/{name}":
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            (into / name).write_bytes(file.read_bytes())


def renamed(path: str) -> str:
    """Return a path in which nothing is called a test."""
    return TEST_NAME.sub(
        lambda found: {"_": "_case"}.get(found[0][0], "case" + "_" * found[0].endswith("_")), path
    )


def score(marks: Iterable[Mark], said: Iterable[Said], weaknesses: dict[str, Any]) -> dict[str, Counter[str]]:
    """Return by group how many statements are `holes`, how many of them `found`, and of the `safe` ones how many `alarms`."""
    by_path: dict[Path, list[tuple[int, int, Said]]] = defaultdict(list)
    for one in said:
        by_path[one.path].append((one.line, one.last, one))
        for path, line in one.way:
            by_path[path].append((line, line, one))
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    for mark in marks:
        total = totals[mark.group]
        kinds = [one for one in weaknesses.values() if one.cwe & mark.cwe]
        hit = any(mark.covers(first, last) and _is_of(one, kinds) for first, last, one in by_path[mark.path])
        total["holes" if mark.bad else "safe"] += 1
        total["found" if mark.bad else "alarms"] += hit
    return totals


def _is_of(one: Said, kinds: list[Any]) -> bool:
    return any(one.cwe & kind.cwe or one.rule in kind.also or one.rule in kind.rules for kind in kinds)


def _known(cwe: Iterable[int], weaknesses: dict[str, Any]) -> frozenset[int]:
    """Return those numbers that a class of the corpus has."""
    every = frozenset(number for one in weaknesses.values() for number in one.cwe)
    return frozenset(cwe) & every - VAGUE


def semgrep_tests(folder: Path, weaknesses: dict[str, Any]) -> list[Mark]:
    """Return the marks of every rule test under a folder whose rule is of a known class."""
    marks = set()
    for rule in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
        about = rule.relative_to(folder).as_posix()
        if not about.startswith(PARTS):
            continue
        subject = "Python" if about.startswith(PARTS[-1]) else "Flask"
        classes = {
            name: (_known(cwe, weaknesses), f"semgrep-rules, {subject}, {kind}")
            for name, cwe, kind in _rule_classes(rule)
        }
        for test in sorted(rule.parent.glob(f"{rule.stem}.*")):
            if test.suffix in {".py", ".html", ".jinja2", ".j2"} and ".fixed" not in test.suffixes:
                marks.update(_semgrep_marks(test, classes))
    return sorted(marks, key=lambda one: (one.path, one.first, one.bad))


def _rule_classes(file: Path) -> Iterator[tuple[str, set[int], str]]:
    """Yield each rule of a file with the numbers of its weaknesses, and whether it follows flows or compares patterns."""
    _, *rules = re.split(r"(?m)^\s*-\s*id:\s*", file.read_text("utf-8", errors="replace"))
    for text in rules:
        name = text.partition("\n")[0].strip().strip("\"'")
        cwe = WRONG_CWE.get(name) or {int(number) for number in re.findall(r"CWE-(\d+)", text)}
        yield name, cwe, "flows" if "mode: taint" in text else "patterns"


def _semgrep_marks(test: Path, classes: dict[str, tuple[frozenset[int], str]]) -> Iterator[Mark]:
    text = test.read_text("utf-8", errors="replace")
    lines, spans = text.splitlines(), _statements(test, text)
    marked = {number for number, line in enumerate(lines, start=1) if SEMGREP_MARK.search(line)}
    for number, line in enumerate(lines, start=1):
        found = SEMGREP_MARK.search(line)
        if found is None:
            continue
        code = next((n for n in range(number, len(lines)) if not SEMGREP_MARK.search(lines[n])), None)
        names = {name.rpartition(".")[2] for name in re.split(r"[,\s]+", found["ids"].strip())}
        of = [classes[name] for name in sorted(names) if name in classes and classes[name][0]]
        if code is not None and of:
            bad = found["kind"].endswith("ruleid")
            cwe = frozenset(number for numbers, _ in of for number in numbers)
            cwe |= {number for name in names if bad for number in ALSO_CWE.get(name, ())}
            first, last = _span(spans, code + 1)
            rest = tuple(_rest(_tree(test, text), code + 1, marked))
            yield Mark(of[0][1], test, test, first, last, bad=bad, cwe=cwe, rest=rest)


def codeql_tests(folder: Path, weaknesses: dict[str, Any]) -> list[Mark]:
    """Return the marks of every query test under a folder that is of a known class, in files that use Flask."""
    marks: list[Mark] = []
    for query in sorted({file.parent for file in folder.rglob("*.qlref")}):
        numbers = re.findall(r"CWE-0*(\d+)", str(query.relative_to(folder.parent)))
        cwe = _known((int(number) for number in numbers[:1]), weaknesses)
        if not cwe:
            continue
        rows = set() if _is_inline(query) else _selected(query)
        for test in sorted(query.rglob("*.py")):
            text = test.read_text("utf-8", errors="replace")
            if FLASK.search(text):
                marks.extend(_codeql_marks(query, test, text, cwe, rows))
    return marks


def _is_inline(query: Path) -> bool:
    """Tell whether a test's truth stands in its sources."""
    return any("InlineExpectations" in file.read_text("utf-8") for file in query.glob("*.qlref"))


def _selected(query: Path) -> set[tuple[Path, int]]:
    """Return path and line of what the expected output of a query lists."""
    rows = set()
    for file in query.glob("*.expected"):
        text = file.read_text("utf-8")
        shown = text.rpartition("#select\n")[2].splitlines()
        found = takewhile(bool, (SELECTED.match(line) for line in shown))
        rows.update((query / renamed(row["file"].strip()), int(row["line"])) for row in found if row)
    return rows


def _codeql_marks(
    query: Path, test: Path, text: str, cwe: frozenset[int], rows: set[tuple[Path, int]]
) -> Iterator[Mark]:
    spans = _statements(test, text)
    bad = {line for path, line in rows if path == test}
    fine, said = set(), set()
    for line, comment, alone in _comments(text):
        for column, tags in _columns(comment):
            if ALERT.search(tags):
                (fine if column == "SPURIOUS:" else bad).add(line)
        if FINE.search(comment) and "BAD" not in comment:
            said.add((line + 1, True) if alone else (line, False))
    lines = text.splitlines()
    for line, alone in said:
        below = lines[line - 1].strip() if alone and line <= len(lines) else "code"
        first, last = _span(spans, line)
        if (
            below
            and not below.startswith(("#", "@", "def ", "class "))
            and not bad & {*range(first, last + 1)}
        ):
            fine.add(line)
    for line in sorted(bad | fine):
        first, last = _span(spans, line)
        yield Mark("CodeQL, Flask", query, test, first, last, bad=line in bad, cwe=cwe)


def _columns(comment: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of an expectation: what stands before the tags, and the tags."""
    found = EXPECTED.match(comment)
    if found is None:
        return
    column = ""
    for part in COLUMN.split(found["text"].partition("#")[0]):
        if COLUMN.fullmatch(part):
            column = part
        else:
            yield column, part


def _comments(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield the line and text of each comment, and whether it stands alone."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string[1:], not token.line[: token.start[1]].strip()
    except (tokenize.TokenError, SyntaxError):
        return


def _statements(path: Path, text: str) -> list[tuple[int, int]]:
    """Return first and last line of each statement, of compound ones only the head."""
    tree = _tree(path, text)
    spans = []
    for node in ast.walk(tree) if tree else ():
        if not isinstance(node, ast.stmt):
            continue
        body = getattr(node, "body", None)
        last = max(node.lineno, body[0].lineno - 1) if body else node.end_lineno or node.lineno
        spans.append((min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))]), last))
    return spans


@cache
def _tree(path: Path, text: str) -> ast.Module | None:
    try:
        return ast.parse(text) if path.suffix == ".py" else None
    except (SyntaxError, ValueError):
        return None


def _rest(tree: ast.Module | None, line: int, marked: set[int]) -> Iterator[tuple[int, int]]:
    """Yield the lines of a function that begins at a line and holds no other mark, and of what uses the name that is bound there."""
    for around in ast.walk(tree) if tree else ():
        body = getattr(around, "body", None)
        block: list[ast.stmt] = body if isinstance(body, list) else []
        for at, node in enumerate(block):
            if node.lineno != line:
                continue
            last = node.end_lineno or line
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not marked & {*range(line, last)}:
                yield line, last
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                yield from _uses(block[at + 1 :], node.targets[0].id, marked)


def _uses(block: list[ast.stmt], name: str, marked: set[int]) -> Iterator[tuple[int, int]]:
    """Yield the lines of the statements that use a name, or what is made from it, up to where it is bound anew or a mark stands."""
    names = {name}
    for node in block:
        if node.lineno - 1 in marked:
            return
        read = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
        if names & read and isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.Return):
            yield node.lineno, node.end_lineno or node.lineno
        made = {getattr(one, "id", "") for one in getattr(node, "targets", ())} - {""}
        if name in made:
            return
        names = names | made if names & read else names - made


def _span(spans: list[tuple[int, int]], line: int) -> tuple[int, int]:
    """Return the lines of the innermost statement at a line; the line alone when there is none."""
    around = [(last - first, first, last) for first, last in spans if first <= line <= last]
    return min(around)[1:] if around else (line, line)
