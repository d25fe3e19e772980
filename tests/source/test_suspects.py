"""What is passed over can hold no secret: the cheap look and the careful one agree."""

from __future__ import annotations

import re._parser as grammar
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from stopper.source import suspects
from stopper.source.credentials import Provider, providers


@pytest.mark.parametrize("provider", providers(), ids=lambda one: one.id)
def test_every_credential_is_as_long_as_a_run(provider: Provider) -> None:
    shortest, _ = grammar.parse(provider.pattern.pattern).getwidth()

    assert shortest >= suspects.RUN


@pytest.mark.parametrize("provider", providers(), ids=lambda one: one.id)
@given(data=st.data())
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_a_pattern_matches_lies_around_a_run(provider: Provider, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(provider.pattern, alphabet=st.characters(codec="ascii")))
    match = provider.pattern.search(text)
    assert match is not None
    assume(any(sign.isdecimal() and sign.isascii() for sign in match[1]))
    start, end = match.span(1)
    spans = suspects.around_runs(text, set)

    assert any(first <= start and end <= last for first, last in spans)


@given(st.text(alphabet="ab1 .\n\r\"'é\u2028İ", max_size=200), st.sampled_from(["ab", "b1", "."]))
def test_lines_with_a_word_are_exactly_those_that_hold_it(text: str, word: str) -> None:
    wanted = [line for line in text.split("\n") if word in line.lower()]

    assert [text[start:end].rstrip("\n") for start, end in suspects.lines_with(text, [word])] == wanted


@given(st.lists(st.sampled_from(["x" * 16, "y" * 17, "-- --", "é", "\n", " "]), max_size=40))
def test_every_run_lies_in_one_span_with_its_line(parts: list[str]) -> None:
    text = "".join(parts)
    spans = suspects.around_runs(text, set)

    assert all(one[1] < other[0] for one, other in pairwise(spans))
    at = 0
    for line in text.splitlines(keepends=True):
        if any(len(run) >= suspects.RUN for run in line.replace("é", " ").split()):
            assert any(start <= at and at + len(line) <= end for start, end in spans)
        at += len(line)
