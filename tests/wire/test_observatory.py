"""The score is the Observatory's on the same answers: each row of its table that a first page can reach."""

from __future__ import annotations

import pytest

from stopper.wire import transcript
from stopper.wire.observatory import letter_of, score

PAGE = "> GET https://blog.example.org/\nHTTP/1.1 200 OK\nContent-Type: text/html\n{headers}\n\n{body}\n"
BEST = """Content-Security-Policy: default-src 'none'; script-src 'nonce-pR5c0iZrWm8kQ2hT' 'strict-dynamic'; frame-ancestors 'none'
Strict-Transport-Security: max-age=63072000
X-Content-Type-Options: nosniff
Referrer-Policy: same-origin
Cross-Origin-Opener-Policy: same-origin
Cross-Origin-Resource-Policy: same-origin
Set-Cookie: __Host-session=x; Secure; HttpOnly; SameSite=Lax; Path=/"""


def result(headers: str, test: str, body: str = "", more: str = "", algorithm: int = 6) -> tuple[str, int]:
    said = score(transcript.read(PAGE.format(headers=headers, body=body) + more), algorithm)
    assert said is not None
    found = {one.name: one for one in said.tests}[test]
    return found.result.removeprefix(f"{test}-"), found.modifier


def csp(policy: str) -> tuple[str, int]:
    return result(f"Content-Security-Policy: {policy}", "content-security-policy")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("default-src 'none'", ("csp-implemented-with-no-unsafe-default-src-none", 10)),
        ("default-src 'self'", ("csp-implemented-with-no-unsafe", 5)),
        (
            "default-src 'self'; style-src 'self' 'unsafe-inline'",
            ("csp-implemented-with-unsafe-inline-in-style-src-only", 0),
        ),
        (
            "default-src 'self'; img-src http://img.example",
            ("csp-implemented-with-insecure-scheme-in-passive-content-only", -10),
        ),
        ("default-src 'self'; script-src 'self' 'unsafe-eval'", ("csp-implemented-with-unsafe-eval", -10)),
        ("default-src 'self'; script-src 'unsafe-inline'", ("csp-implemented-with-unsafe-inline", -20)),
        (
            "default-src 'self'; script-src 'unsafe-inline' 'nonce-pR5c0iZr'",
            ("csp-implemented-with-no-unsafe", 5),
        ),
        ("script-src 'self'", ("csp-implemented-with-unsafe-inline", -20)),
        ("default-src *", ("csp-implemented-with-unsafe-inline", -20)),
        ("default-src 'self'; script-src http://cdn.example", ("csp-implemented-with-insecure-scheme", -20)),
        ("default-src 'self'; script-src 'strict-dynamic'", ("csp-header-invalid", -25)),
    ],
)
def test_a_policy_scores_as_in_the_table(policy: str, expected: tuple[str, int]) -> None:
    assert csp(policy) == expected


@pytest.mark.parametrize(
    ("cookie", "modifier"),
    [
        ("a=1; Secure; HttpOnly; SameSite=Lax", 5),
        ("a=1; Secure; HttpOnly", 0),
        ("session=1; Secure; SameSite=Lax", -30),
        ("session=1; HttpOnly", -40),
        ("a=1", -20),
        # One that is taken away counts all the same: the Observatory's own says so of the same answer.
        ("remember=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/", -20),
        ("csrf=1; Secure", -20),
        ("a=1; Secure; SameSite=Sometimes", -20),
    ],
)
def test_a_cookie_scores_as_in_the_table(cookie: str, modifier: int) -> None:
    assert result(f"Set-Cookie: {cookie}", "cookies")[1] == modifier


def test_hsts_forgives_a_part_of_a_cookie_without_secure() -> None:
    hsts = "Strict-Transport-Security: max-age=31536000\n"

    assert result(f"{hsts}Set-Cookie: session=1", "cookies")[1] == -10
    assert result(f"{hsts}Set-Cookie: a=1", "cookies")[1] == -5


@pytest.mark.parametrize(
    ("hops", "modifier"),
    [
        ("HTTP/1.1 301 Moved\nLocation: https://blog.example.org/\n", 0),
        ("HTTP/1.1 301 Moved\nLocation: https://www.example.org/\n", -5),
        ("HTTP/1.1 200 OK\n", -20),
        (
            "HTTP/1.1 302 Found\nLocation: /start\n\n> GET http://blog.example.org/start\nHTTP/1.1 302 Found\nLocation: https://blog.example.org/\n",
            -10,
        ),
        (
            "HTTP/1.1 302 Found\nLocation: /start\n\n> GET http://blog.example.org/start\nHTTP/1.1 200 OK\n",
            -20,
        ),
    ],
)
def test_the_redirect_scores_as_in_the_table(hops: str, modifier: int) -> None:
    more = f"> GET http://blog.example.org/\n{hops}"

    assert result("X-A: 1", "redirection", more=more)[1] == modifier


@pytest.mark.parametrize(
    ("script", "modifier"),
    [
        ('<script src="/a.js"></script>', 0),
        ('<script src="https://cdn.example/a.js"></script>', -5),
        ('<script src="https://cdn.example/a.js" integrity="sha384-x"></script>', 5),
        ('<script src="//cdn.example/a.js"></script>', -50),
        ("<script>inline()</script>", 0),
    ],
)
def test_scripts_score_as_in_the_table(script: str, modifier: int) -> None:
    assert result("X-A: 1", "subresource-integrity", body=script)[1] == modifier


def test_a_page_with_nothing_is_an_f_and_one_with_everything_an_a_plus() -> None:
    nothing = score(transcript.read(PAGE.format(headers="X-A: 1", body="")))
    everything = score(transcript.read(PAGE.format(headers=BEST, body="")))

    assert nothing is not None
    assert (nothing.points, nothing.letter) == (30, "D")
    assert everything is not None
    assert (everything.points, everything.letter) == (145, "A+")


def test_a_bonus_counts_only_from_ninety_points_on() -> None:
    without_hsts = BEST.replace("Strict-Transport-Security: max-age=63072000\n", "")
    said = score(transcript.read(PAGE.format(headers=without_hsts, body="")))

    assert said is not None
    assert said.points == 80


def test_a_site_that_answers_with_an_error_has_no_score() -> None:
    assert (
        score(transcript.read("> GET https://blog.example.org/\nHTTP/1.1 503 Service Unavailable\n")) is None
    )


def test_every_test_names_a_rule_that_is_there() -> None:
    from stopper.rule import discover

    said = score(transcript.read(PAGE.format(headers=BEST, body="")))
    assert said is not None
    assert {one.rule for one in said.tests} <= {rule.slug for rule in discover()}


@pytest.mark.parametrize(
    ("points", "letter"), [(145, "A+"), (99, "A"), (89, "A-"), (80, "B+"), (64, "C+"), (24, "F"), (0, "F")]
)
def test_points_become_letters(points: int, letter: str) -> None:
    assert letter_of(points) == letter
