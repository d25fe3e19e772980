"""A rule's docstring is read as its page."""

from __future__ import annotations

import pytest

from stopper.page import parse

DOC = """Say one thing
over two lines.

Why it matters.

And more.

Bad::

    from flask import Flask

    app = Flask(__name__)

    # file: templates/a.html
    <p>{{ x|safe }}</p>

Good::

    # file: requirements.txt
    flask==3.1.3

Bad::

    app = 1

References:
    - CWE-79
    - https://example.org/a
      second line
"""


def test_the_title_is_one_line_and_the_why_keeps_its_paragraphs() -> None:
    page = parse(DOC)

    assert page.title == "Say one thing over two lines."
    assert page.why == "Why it matters.\n\nAnd more."


def test_an_example_is_split_into_its_files() -> None:
    first, second = parse(DOC).bad

    assert first.files == {
        "app.py": "from flask import Flask\n\napp = Flask(__name__)\n",
        "templates/a.html": "<p>{{ x|safe }}</p>\n",
    }
    assert second.files == {"app.py": "app = 1\n"}


def test_an_example_that_starts_with_a_file_line_has_no_app() -> None:
    (good,) = parse(DOC).good

    assert good.files == {"requirements.txt": "flask==3.1.3\n"}


def test_references_are_entries() -> None:
    assert parse(DOC).references == ("CWE-79", "https://example.org/a second line")


@pytest.mark.parametrize(
    "line",
    ["# file: x/y.html", "<!-- file: x/y.html -->", "{# file: x/y.html #}", "// file: x/y.html"],
)
def test_a_file_line_may_be_a_comment_of_the_file_s_own_language(line: str) -> None:
    (example,) = parse(f"T.\n\nBad::\n\n    {line}\n    <b>\n").bad

    assert example.files == {"x/y.html": "<b>\n"}


def test_a_missing_docstring_is_an_empty_page() -> None:
    page = parse(None)

    assert (page.title, page.why, page.bad, page.good, page.references) == ("", "", (), (), ())
