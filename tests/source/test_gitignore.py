"""The patterns of a .gitignore file are read as git reads them: git itself is asked."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stopper.source.gitignore import Patterns

NAMES = (
    "a",
    "b",
    "ab",
    "aab",
    "a b",
    " a",
    "a ",
    "!a",
    "#a",
    "x.b",
    ".a",
    "é",
    "a]",
    "]",
    "[",
    "*",
    "-",
    "1",
    "a-b",
)
PARTS = (
    *(
        "a",
        "b",
        "ab",
        "*",
        "**",
        "***",
        "a*",
        "*b",
        "*a*",
        "?",
        "?b",
        "a b",
        " a",
        "a ",
        ".a",
        "*.b",
        "é",
        "x.b",
    ),
    *(
        "[ab]",
        "[!a]",
        "[^a]b",
        "[a-b]",
        "[z-a]",
        "[",
        "a]",
        "[]a]",
        "[]",
        "[a-]",
        "[!]]",
        "[/]",
        "a[/]b",
        "[é]",
    ),
    *(
        "[[:alpha:]]",
        "[[:digit:]b]",
        "[[:no:]]",
        "\\a",
        "\\",
        "\\*",
        "\\[",
        "[\\]]",
        "a\\ ",
        "#a",
        "!a",
        "\\#a",
    ),
)
LINES = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(("", "", "!", "/", "\\")),
        st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map("/".join),
        st.sampled_from(("", "", "/", " ", "  ", "\\ ")),
    ),
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with folders and files of every name, three deep."""
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", root], check=True)
    for number, name in enumerate(NAMES):
        if number % 3 == 2:
            (root / name).touch()
            continue
        for other in NAMES[number % 3 :: 2]:
            (root / name / other).mkdir(parents=True)
            for last in NAMES[:: 2 + number % 4]:
                (root / name / other / last).touch()
    return root


def paths(root: Path) -> Iterator[str]:
    """Yield every path of the tree, those of folders with a slash at their end."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if not name.startswith(".git"):
            yield f"{name}/" if path.is_dir() else name


def ignored_by_git(root: Path, lines: list[str], names: list[str]) -> set[str]:
    (root / ".gitignore").write_text("\n".join(lines) + "\n", encoding="utf-8")
    asked = "\0".join(name.removesuffix("/") for name in names)
    told = subprocess.run(
        ["git", "-c", "core.excludesFile=", "check-ignore", "--no-index", "-z", "--stdin"],
        input=asked.encode(),
        cwd=root,
        capture_output=True,
        check=False,
    )
    said = set(told.stdout.decode().split("\0"))
    return {name for name in names if name.removesuffix("/") in said}


def ignored_here(lines: list[str], names: list[str]) -> set[str]:
    patterns = Patterns(lines)
    found: set[str] = set()
    for name in names:  # a folder comes before what is in it
        folder = name.removesuffix("/").rpartition("/")[0]
        if (folder and f"{folder}/" in found) or patterns.verdict(name):
            found.add(name)
    return found


@given(st.lists(LINES, min_size=1, max_size=5))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_git_ignores_the_same(tree: Path, lines: list[str]) -> None:
    names = list(paths(tree))

    assert ignored_here(lines, names) == ignored_by_git(tree, lines, names)


@pytest.mark.parametrize("line", ["!", "/", "\\", "a\\", "[a", "[z-a]", "[[:no:]]"])
def test_a_line_that_can_match_nothing_is_counted(line: str) -> None:
    patterns = Patterns([line, "b"])

    assert patterns.senseless == 1
    assert patterns.verdict("b") is True


def test_lines_that_say_nothing_are_not_counted() -> None:
    patterns = Patterns(["", "  ", "# a comment", "a\r\n"])

    assert patterns.senseless == 0
    assert patterns.verdict("a") is True


def test_what_no_pattern_matches_is_left_to_the_files_further_out() -> None:
    patterns = Patterns(["*.log", "!keep.log", "out/"])

    assert [patterns.verdict(path) for path in ("a.log", "keep.log", "out", "out/", "a.py")] == [
        *(True, False, None, True, None)
    ]


def test_a_file_can_be_asked_back_from_a_folder_whose_contents_are_ignored() -> None:
    patterns = Patterns(["data/**", "!data/.gitkeep"])

    assert [patterns.verdict(path) for path in ("data/", "data/a.csv", "data/.gitkeep")] == [
        None,
        True,
        False,
    ]
