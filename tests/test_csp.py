"""A policy is judged by what an attacker who can write into the page could still do."""

from __future__ import annotations

import pytest

from stopper.csp import Weight, effective, judge, parse


def weak(policy: str) -> set[tuple[str, str, str]]:
    return {(one.kind, one.directive, one.source) for one in judge(parse(policy)) if one.weight > Weight.LOW}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("default-src 'none'; base-uri 'none'", set()),
        (
            "script-src 'nonce-pR5c0iZrWm8k' 'strict-dynamic' 'unsafe-inline' https:; object-src 'none'; base-uri 'none'",
            set(),
        ),
        ("default-src 'self'", {("self", "default-src", "'self'")}),
        ("script-src 'unsafe-inline'; object-src 'none'", {("inline", "script-src", "'unsafe-inline'")}),
        (
            "script-src 'nonce-abc'; object-src 'none'; base-uri 'none'",
            {("nonce", "script-src", "'nonce-abc'")},
        ),
        ("script-src 'nonce-pR5c0iZrWm8k'; object-src 'none'", {("missing", "base-uri", "")}),
        ("script-src https:; object-src 'none'", {("broad", "script-src", "https:")}),
        (
            "script-src https://cdn.jsdelivr.net; object-src 'none'",
            {("anybody", "script-src", "https://cdn.jsdelivr.net")},
        ),
        (
            "script-src https://cdn.jsdelivr.net/npm/a@1/a.js; object-src 'none'",
            {("host", "script-src", "https://cdn.jsdelivr.net/npm/a@1/a.js")},
        ),
        ("script-src *.googleapis.com; object-src 'none'", {("anybody", "script-src", "*.googleapis.com")}),
        (
            "script-src 'unsafe-eval' 'nonce-pR5c0iZrWm8k'; object-src 'none'; base-uri 'none'",
            {("eval", "script-src", "'unsafe-eval'")},
        ),
        ("scripts-src 'none'; default-src 'none'; base-uri 'none'", {("unknown", "scripts-src", "")}),
        (
            "default-src none; base-uri 'none'",
            {("keyword", "default-src", "none"), ("host", "default-src", "none")},
        ),
        (
            "default-src 'none' base-uri 'none'",
            {("semicolon", "default-src", "base-uri"), ("host", "default-src", "base-uri")},
        ),
        ("img-src *", {("missing", "script-src", ""), ("missing", "object-src", "")}),
        (
            "default-src 'none'; object-src *; base-uri *",
            {("broad", "object-src", "*"), ("broad", "base-uri", "*")},
        ),
        (
            "script-src 'none'; script-src-elem 'unsafe-inline'; object-src 'none'",
            {("inline", "script-src-elem", "'unsafe-inline'")},
        ),
    ],
)
def test_a_policy_is_judged_by_what_it_lets_in(policy: str, expected: set[tuple[str, str, str]]) -> None:
    assert weak(policy) == expected


def test_the_first_of_two_equal_directives_counts() -> None:
    assert parse("script-src 'none'; SCRIPT-SRC *") == {"script-src": ("'none'",)}


def test_directives_fall_back_as_browsers_let_them() -> None:
    policy = parse("default-src 'self'; script-src 'none'")

    assert effective(policy, "script-src-elem") == ("'none'",)
    assert effective(policy, "img-src") == ("'self'",)
    assert effective(policy, "base-uri") is None


@pytest.mark.parametrize(
    "text", ["", ";;;", "   ", "a" * 100_000, "\x00;\xff 'self'", "default-src " + "x " * 5000]
)
def test_no_text_breaks_it(text: str) -> None:
    judge(parse(text))
