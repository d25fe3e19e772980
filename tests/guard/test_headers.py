"""Every answer carries the headers: pages, errors, static files, refusals; and a view's own header wins."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, Response, flash, redirect, session
from werkzeug.test import Client

from stopper import Stopper
from stopper.errors import ConfigurationError
from stopper.policy import HEADERS

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
Make = Callable[..., Flask]
Https = Callable[[Flask], Client]


def names(response: Response) -> set[str]:
    """Return the headers of the policy that an answer has."""
    return {name for name in HEADERS if name in response.headers}


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/nothing", 404), ("/post", 405), ("/boom", 500), ("/static/a.css", 200)],
)
def test_every_answer_carries_every_header(
    make: Make, https: Https, tmp_path, path: str, status: int
) -> None:
    app = make()
    (tmp_path / "a.css").write_text("a { color: red }")
    app.static_folder = str(tmp_path)
    app.post("/post", endpoint="post")(lambda: "x")
    app.get("/boom", endpoint="boom")(lambda: 1 / 0)

    response = https(app).get(path, buffered=True)

    assert response.status_code == status
    assert names(response) == set(HEADERS)
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_header_that_a_view_sets_wins(make: Make, https: Https) -> None:
    app = make()
    own = {
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "unsafe-none",
    }
    app.get("/own")(lambda: ("x", own))

    headers = https(app).get("/own").headers

    assert [headers.getlist(name) for name in own] == [[value] for value in own.values()]


def test_hsts_is_sent_over_https_alone_and_says_nothing_of_subdomains(make: Make, https: Https) -> None:
    app = make()

    assert https(app).get("/").headers["Strict-Transport-Security"] == "max-age=63072000"
    assert "Strict-Transport-Security" not in app.test_client().get("/", base_url="http://localhost").headers


def test_preloading_needs_subdomains_and_a_year(make: Make, https: Https) -> None:
    with pytest.raises(ConfigurationError, match="STOPPER_HSTS_SUBDOMAINS = True"):
        make(hsts_preload=True)

    app = make(hsts_preload=True, hsts_subdomains=True)
    value = https(app).get("/").headers["Strict-Transport-Security"]
    assert value == "max-age=63072000; includeSubDomains; preload"


def test_none_leaves_a_header_out_and_sends_no_word_of_it(make: Make, https: Https) -> None:
    headers = https(make(referrer_policy=None, frame_options=None)).get("/").headers

    assert "Referrer-Policy" not in headers
    assert "X-Frame-Options" not in headers


def test_a_page_that_other_origins_may_read_is_not_held_back_from_them(make: Make, https: Https) -> None:
    app = make()
    app.get("/open")(lambda: ("x", {"Access-Control-Allow-Origin": "*"}))

    assert "Cross-Origin-Resource-Policy" not in https(app).get("/open").headers


def test_an_answer_made_of_a_session_is_not_stored(make: Make, https: Https) -> None:
    app = make()

    @app.get("/in")
    def enter() -> str:
        session["user_id"] = 1
        return "x"

    app.get("/me")(lambda: str(session.get("user_id")))
    app.get("/kept", endpoint="kept")(lambda: (str(session.get("user_id")), {"Cache-Control": "private"}))
    app.get("/free", endpoint="free")(lambda: "x")
    client = https(app)

    assert "Cache-Control" not in client.get("/me").headers  # nobody is logged in
    client.get("/in")
    assert [client.get(path).headers.get("Cache-Control") for path in ("/me", "/kept", "/free")] == [
        "no-store",
        "private",
        None,
    ]


def test_a_logout_clears_the_site_and_keeps_the_cookie_of_a_flashed_word(make: Make, https: Https) -> None:
    app = make()

    @app.get("/logout")
    def logout() -> Response:
        session.clear()
        return redirect("/")

    @app.get("/bye/logout", endpoint="account.signout")
    def bye() -> Response:
        session.clear()
        flash("bye")
        return redirect("/")

    client = https(app)

    assert client.get("/logout").headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert client.get("/bye/logout").headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "Clear-Site-Data" not in client.get("/logout", base_url="http://localhost").headers


def test_report_mode_sets_nothing(make: Make, https: Https) -> None:
    assert names(https(make(headers="report", csp="off")).get("/")) == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("referrer_policy", "never"),
        ("permissions_policy", "camera=none"),
        ("permissions_policy", "camera"),
        ("opener_policy", "same_origin"),
        ("embedder_policy", "on"),
        ("frame_options", "ALLOW-FROM https://x"),
        ("referrer_policy", "origin\r\nX-Evil: 1"),
    ],
)
def test_a_value_that_browsers_would_ignore_is_an_error_at_start_up(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"write|cannot|know"):
        Stopper(Flask("one"), **{name: value})


def test_an_embedder_policy_is_sent_on_request(make: Make, https: Https) -> None:
    assert "Cross-Origin-Embedder-Policy" not in https(make()).get("/").headers
    app = make(embedder_policy="require-corp")
    assert https(app).get("/").headers["Cross-Origin-Embedder-Policy"] == "require-corp"
