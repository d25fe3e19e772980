"""A session ends at logout, is renewed at login, and outlives a change of keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from flask import Flask, Response, redirect, session
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, login_user
from werkzeug.test import Client

Make = Callable[..., Flask]
Https = Callable[[Flask], Client]
KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"


def with_users(app: Flask) -> Flask:
    """Add a login, a logout and a page for users."""

    @app.get("/in")
    def enter() -> Response:
        session["user_id"] = 7
        return redirect("/")

    @app.get("/out")
    def leave() -> str:
        session.clear()
        return "x"

    @app.get("/drop")
    def drop() -> str:
        session.pop("user_id")
        session["basket"] = 2
        return "x"

    @app.get("/basket")
    def basket() -> str:
        session["basket"] = 1
        return "x"

    @app.get("/me")
    def me() -> dict[str, object]:
        return dict(session)

    return app


def cookie_of(client: Client) -> str:
    """Return the session's cookie."""
    return client.get_cookie("__Host-session").value


def replayed(client: Client, cookie: str) -> dict[str, object]:
    """Return the session that a kept cookie opens."""
    fresh = client.application.test_client(use_cookies=False)
    return fresh.get("/me", headers={"Cookie": f"__Host-session={cookie}"}).json


@pytest.mark.parametrize("path", ["/out", "/drop"])
def test_a_cookie_that_was_kept_opens_nothing_after_the_logout(make: Make, https: Https, path: str) -> None:
    client = https(with_users(make()))
    client.get("/in")
    kept = cookie_of(client)
    assert replayed(client, kept) == {"user_id": 7}

    client.get(path)

    assert replayed(client, kept) == {}


def test_a_login_gives_the_session_a_new_number_and_keeps_what_was_in_it(make: Make, https: Https) -> None:
    client = https(with_users(make()))
    client.get("/basket")
    before = cookie_of(client)

    client.get("/in")

    assert client.get("/me").json == {"basket": 1, "user_id": 7}
    assert replayed(client, before) == {}


def test_a_session_that_only_changes_keeps_its_number(make: Make, https: Https) -> None:
    client = https(with_users(make()))
    client.get("/in")
    kept = cookie_of(client)
    client.get("/basket")

    assert replayed(client, kept) == {"user_id": 7}


def test_the_app_never_sees_the_number(make: Make, https: Https) -> None:
    client = https(with_users(make()))
    client.get("/in")

    assert client.get("/me").json == {"user_id": 7}
    with client.session_transaction(base_url="https://localhost") as opened:
        assert dict(opened) == {"user_id": 7}


def test_a_session_outlives_a_change_of_keys(make: Make, https: Https) -> None:
    old = https(with_users(make()))
    old.get("/in")
    new = https(with_users(make({"SECRET_KEY": KEY[::-1], "SECRET_KEY_FALLBACKS": [KEY]})))
    new.get("/")

    assert replayed(new, cookie_of(old)) == {"user_id": 7}


def test_a_session_lasts_a_week_unless_the_app_says_otherwise(make: Make, https: Https) -> None:
    app, own = make(), make({"PERMANENT_SESSION_LIFETIME": timedelta(hours=1)})
    https(app).get("/")
    https(own).get("/")

    assert app.permanent_session_lifetime == timedelta(days=7)
    assert own.permanent_session_lifetime == timedelta(hours=1)


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c", "\x00", "é", "." * 5000, "eyJfc2lkIjoxfQ.aaaa.bbbb"])
def test_a_cookie_that_is_none_opens_an_empty_session(make: Make, https: Https, cookie: str) -> None:
    client = https(with_users(make()))
    client.get("/")

    assert replayed(client, cookie) == {}


def test_a_logout_holds_in_every_worker(serve: Callable[..., object], http: httpx.Client) -> None:
    server = serve(
        f"""
        from flask import Flask, session
        from stopper import Stopper
        app = Flask(__name__)
        app.config.update(SECRET_KEY="{KEY}", TRUSTED_HOSTS=["127.0.0.1"])
        Stopper(app, proxies=1)
        @app.get("/in")
        def enter():
            session["user_id"] = 7
            return "x"
        @app.get("/out")
        def leave():
            session.clear()
            return "x"
        app.get("/me")(lambda: dict(session))
        """,
        workers=4,
    )
    tls = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    entered = http.get(f"{server.url}/in", headers=tls)
    cookie = entered.headers["Set-Cookie"].partition(";")[0]
    http.cookies.clear()

    def me() -> list[object]:
        seen = []
        for _ in range(24):
            seen.append(
                http.get(f"{server.url}/me", headers={**tls, "Cookie": cookie, "Connection": "close"}).json()
            )
            http.cookies.clear()
        return seen

    assert me() == [{"user_id": 7}] * 24
    http.get(f"{server.url}/out", headers={**tls, "Cookie": cookie})
    assert me() == [{}] * 24


def test_a_session_that_a_server_keeps_gets_a_new_identifier_at_login(make: Make, https: Https) -> None:
    renewed = []

    class Kept(SecureCookieSessionInterface):
        def regenerate(self, session: object) -> None:
            renewed.append(session)

    class User(UserMixin):
        id = "7"

    app = make()
    app.session_interface = Kept()
    LoginManager(app).user_loader(lambda _: User())
    app.get("/in")(lambda: str(login_user(User())))

    https(app).get("/in")

    assert len(renewed) == 1
