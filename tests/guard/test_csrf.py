"""Requests that another site makes a browser send are refused by their headers; tokens are for browsers that say nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, render_template_string, request, session
from flask_wtf import CSRFProtect, FlaskForm
from flask_wtf.csrf import generate_csrf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.guard.conftest import Watched
from werkzeug.test import Client
from wtforms import StringField

from stopper import Stopper
from stopper.errors import ConfigurationError
from stopper.guard import events
from stopper.guard.guards import NAMES
from stopper.guard.origins import is_own, normal

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
OLD = "0d3e4f58a2c6e1907bd84f23c5d9b7c1f6a9"
Build = Callable[..., tuple[Flask, Stopper]]


@pytest.fixture
def build() -> Build:
    def made(config: dict[str, object] | None = None, **more: object) -> tuple[Flask, Stopper]:
        app = Flask("forms")
        app.config.update(
            {"SECRET_KEY": KEY, "TRUSTED_HOSTS": ["localhost", "shop.example"], **(config or {})}
        )
        quiet = {name: "off" for name in ("https", "hosts", "limits", "lockout", "cookies") if name in NAMES}
        stopper = Stopper(app, **{**quiet, **more})

        @app.get("/form")
        def form() -> str:
            return render_template_string("{{ csrf_token() }}")

        @app.post("/send")
        def send() -> str:
            return f"sent {request.form.get('word')}"

        @app.get("/enter/<name>")
        def enter(name: str) -> str:
            session["user_id"] = name
            return name

        return app, stopper

    return made


def post(app: Flask | Client, base: str = "http://localhost", path: str = "/send", **headers: str) -> int:
    client = app if isinstance(app, Client) else app.test_client()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(path, base_url=base, headers=named, data={"word": "x"}).status_code


def known(app: Flask) -> tuple[Client, str]:
    """Return a client with a session, and its token."""
    client = app.test_client()
    return client, client.get("/form").text


SITES = [
    ({"Sec_Fetch_Site": "same-origin"}, 200),
    ({"Sec_Fetch_Site": "none"}, 200),
    ({"Sec_Fetch_Site": "same-site"}, 403),
    ({"Sec_Fetch_Site": "cross-site"}, 403),
    ({"Sec_Fetch_Site": "cross-site", "Origin": "http://localhost"}, 403),
    ({"Sec_Fetch_Site": "nonsense"}, 403),
    ({"Sec_Fetch_Site": "SAME-ORIGIN"}, 403),
    ({"Origin": "http://localhost"}, 200),
    ({"Origin": "http://LOCALHOST:80"}, 200),
    ({"Origin": "https://localhost"}, 200),
    ({"Origin": "http://localhost:81"}, 403),
    ({"Origin": "https://localhost:444"}, 403),
    ({"Origin": "http://localhost.evil.example"}, 403),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "http://localhost@evil.example"}, 403),
    ({"Origin": "file://"}, 403),
    ({"Origin": "http://shop.example"}, 200),
    ({}, 200),
]


@pytest.mark.parametrize(("headers", "status"), SITES)
def test_what_the_browser_says_decides(build: Build, headers: dict[str, str], status: int) -> None:
    app, _ = build()

    assert post(app, **headers) == status


@pytest.mark.parametrize(("origin", "status"), [("https://shop.example", 200), ("http://shop.example", 403)])
def test_what_came_over_https_must_come_from_https(build: Build, origin: str, status: int) -> None:
    app, _ = build()

    assert post(app, "https://shop.example", Origin=origin) == status


def test_over_https_no_referer_is_asked_for(build: Build) -> None:
    app, _ = build()

    assert post(app, "https://shop.example", Sec_Fetch_Site="same-origin", Origin="null") == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PURGE"])
def test_every_method_that_may_change_something_is_checked(build: Build, method: str) -> None:
    app, _ = build()
    app.add_url_rule("/any", "any", lambda: "done", methods=["GET", method])
    foreign = {"Sec-Fetch-Site": "cross-site"}

    assert app.test_client().open("/any", method=method, headers=foreign).status_code == 403
    assert app.test_client().get("/any", headers=foreign).status_code == 200


def test_a_trusted_origin_may_send(build: Build) -> None:
    app, _ = build(csrf_origins=["https://app.example"])

    assert post(app, Origin="https://app.example", Sec_Fetch_Site="cross-site") == 200
    assert post(app, Origin="https://APP.example:443") == 200
    assert post(app, Origin="http://app.example", Sec_Fetch_Site="cross-site") == 403


@pytest.mark.parametrize(
    "origin", ["app.example", "https://app.example/", "*", "https://", "ftp://app.example"]
)
def test_an_origin_that_is_none_is_an_error_at_start_up(build: Build, origin: str) -> None:
    with pytest.raises(ConfigurationError, match="csrf_origins"):
        build(csrf_origins=[origin])


def test_a_silent_client_with_a_session_needs_its_token(build: Build) -> None:
    app, _ = build()
    client, token = known(app)

    assert post(client) == 403
    for header in ("X_CSRFToken", "X_CSRF_Token", "X_XSRF_TOKEN"):
        assert post(client, **{header: token}) == 200
    assert client.post("/send", data={"csrf_token": token, "word": "x"}).text == "sent x"
    assert client.post("/send", data={"login-csrf_token": token}).status_code == 200
    assert post(client, X_CSRFToken=token[:-1]) == 403
    assert post(known(app)[0], X_CSRFToken=token) == 403, "the token of another session"


def test_a_token_in_a_multipart_form_is_found(build: Build) -> None:
    app, _ = build()
    client, token = known(app)

    sent = client.post("/send", data={"csrf_token": token, "file": (io.BytesIO(b"x"), "x.txt")})

    assert sent.status_code == 200


def test_a_token_does_not_open_the_door_to_another_site(build: Build) -> None:
    app, _ = build()
    client, token = known(app)

    assert post(client, X_CSRFToken=token, Sec_Fetch_Site="cross-site") == 403


def test_an_origin_that_is_null_needs_a_token_even_without_a_cookie(build: Build) -> None:
    app, _ = build()
    client, token = known(app)

    assert post(app, Origin="null") == 403, "a sandboxed frame of an attacker, on a site without HTTPS"
    assert post(client, Origin="null", X_CSRFToken=token) == 200


@pytest.mark.parametrize(
    ("value", "status"),
    [("Bearer abc", 200), ("Token abc", 200), ("Basic YTpi", 403), ("Negotiate abc", 403)],
)
def test_credentials_that_a_browser_does_not_attach_by_itself_need_no_token(
    build: Build, value: str, status: int
) -> None:
    app, _ = build()
    client, _ = known(app)

    assert post(client, Authorization=value) == status
    assert post(app, Authorization=value) == status
    assert post(app, Authorization=value, Sec_Fetch_Site="cross-site") == status


def test_signing_in_for_somebody_else_is_refused(build: Build) -> None:
    app, _ = build()
    app.add_url_rule("/login", "login", lambda: "in", methods=["POST"])

    assert post(app, path="/login", Sec_Fetch_Site="cross-site", Origin="http://evil.example") == 403
    assert post(app, path="/login", Origin="http://evil.example") == 403


def test_a_token_lives_as_long_as_the_session_and_ends_at_login(build: Build) -> None:
    app, _ = build()
    client, before = known(app)

    client.get("/enter/ann")

    assert post(client, X_CSRFToken=before) == 403
    after = client.get("/form").text
    assert post(client, X_CSRFToken=after) == 200
    client.get("/enter/bob")
    assert post(client, X_CSRFToken=after) == 403


def test_a_refused_body_is_never_read(build: Build) -> None:
    app, _ = build()
    body = Watched()
    environ: dict[str, Any] = {"wsgi.input": body, "HTTP_SEC_FETCH_SITE": "cross-site"}
    kind = "multipart/form-data; boundary=x"

    sent = app.test_client().post(
        "/send", content_type=kind, content_length=10_000_000, environ_overrides=environ
    )

    assert sent.status_code == 403
    assert body.asked == 0


def test_a_silent_request_without_a_secret_in_its_session_is_refused_unread(build: Build) -> None:
    app, _ = build()
    body = Watched()
    environ: dict[str, Any] = {"wsgi.input": body, "HTTP_COOKIE": "session=x"}
    kind = "multipart/form-data; boundary=x"

    client = app.test_client(use_cookies=False)

    sent = client.post("/send", content_type=kind, content_length=10_000_000, environ_overrides=environ)

    assert sent.status_code == 403
    assert body.asked == 0


@pytest.mark.parametrize("rotated", [False, True])
def test_tokens_of_flask_wtf_are_accepted_and_those_signed_with_the_key_before(
    build: Build, rotated: bool
) -> None:
    app, _ = build()
    app.add_url_rule("/wtf", "wtf", generate_csrf)
    if rotated:
        app.config["SECRET_KEY"] = OLD
    client = app.test_client()
    token = client.get("/wtf").text
    if rotated:
        app.config.update(SECRET_KEY=KEY, SECRET_KEY_FALLBACKS=[OLD])

    assert post(client, X_CSRFToken=token) == 200
    assert post(client, X_CSRFToken=client.get("/form").text) == 200


class Note(FlaskForm):  # type: ignore[misc]
    word = StringField()


def test_a_form_of_flask_wtf_is_told_that_the_request_was_checked(build: Build) -> None:
    app, _ = build()

    def note() -> str:
        return str(Note().validate_on_submit())

    app.add_url_rule("/note", "note", note, methods=["POST"])
    sent = {"data": {"word": "x"}}

    assert app.test_client().post("/note", headers={"Sec-Fetch-Site": "same-origin"}, **sent).text == "True"
    assert app.test_client().post("/note", headers={"Authorization": "Bearer x"}, **sent).text == "True"


def test_csrfprotect_beside_the_guard_keeps_its_own_rules_and_its_exemptions(build: Build) -> None:
    app, _ = build()
    protect = CSRFProtect(app)
    app.add_url_rule("/hook", "hook", protect.exempt(lambda: "hooked"), methods=["POST"])
    client = app.test_client()
    token = client.get("/form").text

    assert post(client, Sec_Fetch_Site="same-origin") == 400, "it asks for its token"
    assert post(client, Sec_Fetch_Site="same-origin", X_CSRFToken=token) == 200
    assert post(client, Sec_Fetch_Site="cross-site", X_CSRFToken=token) == 403
    assert post(client, path="/hook", Sec_Fetch_Site="cross-site") == 200


def test_in_report_mode_nothing_is_refused_and_everything_told(build: Build) -> None:
    app, _ = build(csrf="report")
    seen: list[Any] = []

    def note(_: Any, event: Any) -> None:
        seen.append((event.guard, event.facts.get("origin")))

    with events.reported.connected_to(note, sender=app):
        assert post(app, Origin="http://evil.example") == 200
    assert seen == [("csrf", "http://evil.example")]


def test_test_suites_that_send_no_token_go_on_and_foreign_requests_are_refused(build: Build) -> None:
    app, _ = build()
    app.config["TESTING"] = True
    client, _ = known(app)
    assert post(client) == 200
    assert post(client, Sec_Fetch_Site="cross-site") == 403

    switched_off, _ = build({"WTF_CSRF_ENABLED": False, "TESTING": True})
    assert post(switched_off, Sec_Fetch_Site="cross-site") == 200


def test_outside_of_tests_flask_wtfs_switch_is_not_ours(build: Build) -> None:
    app, _ = build({"WTF_CSRF_ENABLED": False})

    assert post(app, Sec_Fetch_Site="cross-site") == 403


def test_an_app_without_a_key_needs_none_where_browsers_say_enough(build: Build) -> None:
    app, _ = build({"SECRET_KEY": None}, **({"secrets": "off"} if "secrets" in NAMES else {}))

    assert post(app, Sec_Fetch_Site="same-origin") == 200
    assert post(app.test_client(use_cookies=False), Cookie="a=b") == 403


def test_a_refusal_says_what_to_do_and_never_what_was_sent(build: Build) -> None:
    app, _ = build()
    client, _ = known(app)

    page = client.post("/send", headers={"X-CSRFToken": "<script>"})

    assert "Reload the page" in page.text
    assert "<script>" not in page.text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    site=st.none() | st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=20),
    origin=st.none() | st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60),
    host=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40),
    token=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=80),
    cookie=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=80),
    kind=st.sampled_from(
        [
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "multipart/form-data",
            "text/plain",
        ]
    ),
    body=st.binary(max_size=200),
)
def test_nothing_a_client_sends_makes_a_500(
    build: Build,
    site: str | None,
    origin: str | None,
    host: str,
    token: str,
    cookie: str,
    kind: str,
    body: bytes,
) -> None:
    app, _ = build()
    client, good = known(app)
    session_cookie = client.get_cookie("session")
    assert session_cookie is not None
    environ: dict[str, Any] = {
        "HTTP_HOST": host,
        "HTTP_X_CSRFTOKEN": token,
        "HTTP_COOKIE": f"session={session_cookie.value}; {cookie}",
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "REQUEST_METHOD": "POST",
    }
    environ |= {"HTTP_SEC_FETCH_SITE": site} if site is not None else {}
    environ |= {"HTTP_ORIGIN": origin} if origin is not None else {}

    assert app.test_client(use_cookies=False).open("/send", environ_overrides=environ).status_code < 500
    assert good


@given(st.text(max_size=60), st.text(max_size=40))
def test_no_origin_breaks_the_comparison(origin: str, host: str) -> None:
    assert is_own(origin, ("https", host), ()) in {True, False}
    assert isinstance(normal(origin), str)


@pytest.mark.parametrize("origin", ["https://[2001:db8::1]:8443", "https://[2001:db8::1]"])
def test_addresses_of_ipv6_are_origins(origin: str) -> None:
    assert is_own(origin, ("https", origin.removeprefix("https://")), ())
    assert not is_own(origin, ("https", "[2001:db8::2]"), ())
