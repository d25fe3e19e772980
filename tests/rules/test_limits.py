"""The rules on limits say what they saw, and no more."""

from __future__ import annotations

import pytest
from tests.rules.asking import RULES

from stopper.finding import Cleared, Finding, Skipped
from stopper.wire import transcript


def said_of(*statuses: int) -> list[Finding | Cleared | Skipped]:
    """Return what the rule says of a site that answers wrong logins so."""
    text = "".join(
        f"> POST https://blog.example.org/login\n> login\nHTTP/1.1 {status} So\n\n" for status in statuses
    )
    return list(RULES["login-without-limit"].wire(transcript.read(text)))


@pytest.mark.parametrize("status", [400, 403, 422])
def test_a_form_that_is_refused_at_once_tells_nothing_of_limits(status: int) -> None:
    (skipped,) = said_of(*[status] * 15)

    assert isinstance(skipped, Skipped)
    assert str(status) in skipped.reason


@pytest.mark.parametrize("status", [403, 423, 429])
def test_a_login_that_is_refused_after_some_tries_is_limited(status: int) -> None:
    (cleared,) = said_of(200, 200, 200, status)

    assert isinstance(cleared, Cleared)
    assert "number 4" in cleared.evidence.message


def test_a_login_that_answers_every_try_is_not() -> None:
    (finding,) = said_of(*[200] * 15)

    assert isinstance(finding, Finding)
