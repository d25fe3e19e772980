"""The page on queries, pages, uploads and redirects shows code that works, and names what there is."""

from __future__ import annotations

import io
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from stopper.guard.kinds import GROUPS, KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "inputs.rst").read_text(encoding="utf-8")


@pytest.fixture
def shown(tmp_path: Path) -> dict[str, Any]:
    """Return what the code on the page made, with a place of its own for uploads."""
    pytest.importorskip("PIL.Image")
    made: dict[str, Any] = {"__name__": "shown"}
    for block in re.findall(r"code-block:: python\n\n((?:   .*\n|\n)+)", PAGE):
        exec(textwrap.dedent(block), made)
    made["app"].testing = True
    made["app"].instance_path = str(tmp_path / "instance")
    return made


def test_the_code_on_the_page_does_what_the_page_says(shown: dict[str, Any]) -> None:
    client = shown["app"].test_client()
    base = {"base_url": "https://www.example.com"}

    assert client.get("/comment?body=<b>a</b><script>b</script>", **base).text == "<p><b>a</b></p>"
    assert client.get("/go?next=//evil.example", **base).headers["Location"] == "/comment?body="
    assert client.get("/go?next=/comment", **base).headers["Location"] == "/comment"
    page = {"file": (io.BytesIO(b"<?php ?>"), "a.png")}
    assert client.post("/avatar", data=page, **base).status_code == 415
    saved = client.post("/paper", data={"file": (io.BytesIO(b"some text"), "a.txt")}, **base).text
    with client.get(f"/papers/{saved}", **base) as answer:
        assert answer.data == b"some text"
        assert answer.headers["Content-Disposition"].startswith("attachment")
    assert (
        client.post("/paper", data={"file": (io.BytesIO(b"some text"), "a.pdf")}, **base).status_code == 415
    )


def test_every_kind_of_file_is_named() -> None:
    words = set(re.findall(r"[\w]+", PAGE))

    assert set(KINDS) | set(GROUPS) <= words
