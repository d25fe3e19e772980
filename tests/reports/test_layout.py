"""Paragraphs become lines of a width: nothing is lost, nothing is too wide, styles stay on their words."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from stopper.reports.layout import Block, block, columns, drawn

WORDS = st.text(alphabet="ab 漢é─é ", max_size=120)


@given(text=WORDS, width=st.integers(8, 60), indent=st.integers(0, 5))
def test_wrapping_loses_no_letter_and_exceeds_no_width(text: str, width: int, indent: int) -> None:
    lines = drawn([block(text, indent=indent)], width, colour=False).split("\n")

    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert max(map(cell_len, lines)) <= width


@given(text=WORDS, width=st.integers(8, 60))
def test_a_line_that_is_cut_ends_in_an_ellipsis(text: str, width: int) -> None:
    (line,) = drawn([block(text, cut=True)], width, colour=False).splitlines()

    assert cell_len(line) <= width
    assert line.endswith("…") == (cell_len(text) > width)


@given(text=WORDS, width=st.integers(8, 60))
def test_colours_change_nothing_but_the_colours(text: str, width: int) -> None:
    one = block((text[:9], "bold red"), text[9:30], (text[30:], "dim"))
    bare = re.sub(r"\x1b\[[0-9;]*m", "", drawn([one], width, colour=True))

    assert bare == drawn([one], width, colour=False)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (block("one two three"), "one two\nthree\n"),
        (block("a", "", ("b", "bold")), "ab\n"),
        (block(""), "\n"),
        (block("abcdefghijklmno p"), "abcdefghij\nklmno p\n"),
        (block("x", indent=3), "   x\n"),
        (block("title", ruled=True), "title ────\n"),
        (block("a long title", ruled=True), "a long … ─\n"),
        (block("abcdefghijk", cut=True), "abcdefghi…\n"),
    ],
)
def test_a_paragraph_is_set(one: Block, expected: str) -> None:
    assert drawn([one], 10, colour=False) == expected


def test_wide_letters_take_two_columns_and_marks_none() -> None:
    assert [columns(text) for text in ("ab", "漢字", "é", "─")] == [2, 4, 1, 1]


def test_a_report_needs_no_library_for_screens() -> None:
    code = "import sys, stopper.reports.text; sys.exit('rich' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
