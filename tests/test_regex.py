"""A regular expression that is compiled late answers as one that was compiled at once."""

from __future__ import annotations

import re
import sys

import pytest

from stopper.regex import regex
from stopper.rule import discover

TEXT = "One two, three"


@pytest.mark.parametrize("flags", [0, re.IGNORECASE, re.IGNORECASE | re.VERBOSE])
def test_it_answers_as_the_standard_librarys(flags: int) -> None:
    late, now = regex(r"(?P<first>o)(n|\w)", flags), re.compile(r"(?P<first>o)(n|\w)", flags)

    for _ in range(2):
        assert late.sub("-", TEXT) == now.sub("-", TEXT)
        assert late.findall(TEXT) == now.findall(TEXT)
        assert [one.span() for one in late.finditer(TEXT, 2)] == [one.span() for one in now.finditer(TEXT, 2)]
        assert (late.search(TEXT) is None, late.match(TEXT) is None) == (
            now.search(TEXT) is None,
            now.match(TEXT) is None,
        )
        assert (late.pattern, late.flags, late.groupindex) == (now.pattern, now.flags, now.groupindex)


def test_it_is_compiled_once_and_not_before_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    real = re.compile
    monkeypatch.setattr(re, "compile", lambda *given: (compiled.append(given), real(*given))[1])
    late = regex("o", re.IGNORECASE)
    assert compiled == []

    assert [late.findall(TEXT), late.findall(TEXT)] == [["O", "o"], ["O", "o"]]
    assert compiled == [("o", re.IGNORECASE)]


def test_every_one_of_stoppers_own_can_be_compiled() -> None:
    discover()
    held = [
        (f"{name}.{key}", value)
        for name, module in list(sys.modules.items())
        if name.startswith("stopper")
        for key, value in vars(module).items()
        if isinstance(value, regex)  # type: ignore[arg-type]
    ]

    assert len(held) > 30
    for where, one in held:
        assert one.groups >= 0, where
