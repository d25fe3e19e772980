"""Looked at together, texts tell what each tells alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stopper.source import history, together
from stopper.source.credentials import everything
from stopper.source.together import may_hold
from stopper.source.versions import Brought, Version, _changed, _fresh

TOKEN = "gh" + "p_" + "aB3dE5gH7jK9mN1pQ4rS6tU8vW0xY2zC5fG8"
HEX = "3f9a1c7e5b2d8f604a9c1e7b3d5f82a0"
LINES = (
    f'TOKEN = "{TOKEN}"',
    f"heroku_{HEX[:8]}-{HEX[8:12]}-4{HEX[13:16]}-a{HEX[17:20]}-{HEX[20:32]}",
    f'sentry = "https://{HEX}@o1.ingest.sentry.io/17"',
    "url = mysql://app:k7winter@db.shop.net/x",
    f"api_token: {TOKEN[4:]}",
    f'secret_key = "{TOKEN[4:]}"',
    f"aws secret {TOKEN[4:]}Ab7/",
    "naïve İstanbul: key token",
    "twilio and heroku and aws",
    f"x = {HEX}",
    "import os",
)
TEXTS = st.lists(
    st.tuples(st.lists(st.sampled_from(LINES), max_size=4).map("\n".join), st.sampled_from(("a.py", "b.md", ".env", "c.yml"))),
    max_size=8,
)  # fmt: skip


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_what_surely_holds_a_secret_is_among_what_may(drawn: list[tuple[str, str]]) -> None:
    texts = [text for text, _ in drawn]
    naming = [history._names_values(path) for _, path in drawn]
    alone = [
        index
        for index, (text, path) in enumerate(drawn)
        if history._surely_secret(Brought(Version(path, "", "", ""), text, b""))
    ]

    assert set(alone) <= set(may_hold(texts, naming, surely=True))


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_what_holds_anything_is_among_what_may(drawn: list[tuple[str, str]]) -> None:
    texts = [text + "\npassword = 'k7-winter'" * (index % 2) for index, (text, _) in enumerate(drawn)]
    alone = [index for index, text in enumerate(texts) if everything(text)]

    assert set(alone) <= set(may_hold(texts, [True] * len(texts)))


def test_a_long_row_of_texts_is_looked_at_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "BATCH", 100)
    texts = [LINES[0], "é" * 150, "import os", "x" * 90, LINES[3], f"é {LINES[3]}", "pass"]

    assert may_hold(texts, [True] * len(texts)) == [0, 4, 5]


def test_nearly_nothing_is_judged_by_itself() -> None:
    texts = ["import os", "twilio and heroku and aws", f"x = {HEX}", f'TOKEN = "{TOKEN}"', "é = 1"]

    assert may_hold(texts, [True] * len(texts), surely=True) == [3]


@given(st.lists(st.lists(st.sampled_from("ab é\n\n"), max_size=60).map("".join), max_size=6))
@settings(max_examples=200, deadline=None)
def test_a_version_brings_exactly_the_lines_that_none_before_it_held(drawn: list[str]) -> None:
    before, known = b"", set[bytes]()
    seen: set[bytes] = set()
    for text in drawn:
        whole = (text * 40).encode()
        _fresh(_changed(before, whole), seen)
        known |= set(whole.split(b"\n"))
        before = whole

        assert seen == known
