"""The page *The checklist, item by item* shows code that does what the page says, with the item's own library and with the guard."""

from __future__ import annotations

import io
import runpy
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from stopper.errors import ConfigurationError

PAGE = Path(__file__).parents[1] / "docs" / "checklist"
SITE = "https://blog.example.org"
PHP = b"<?php system($_GET['c']); ?>"


def app(name: str) -> Flask:
    made = runpy.run_path(str(PAGE / f"{name}.py"))["app"]
    assert isinstance(made, Flask)
    return made


def client(name: str) -> FlaskClient:
    return app(name).test_client()


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SECRET_KEY", raising=False)


def test_secrets_with_dotenv_a_missing_key_ends_the_start() -> None:
    with pytest.raises(KeyError):
        app("secrets_library")


@pytest.mark.parametrize("key", ["", "dev", "changeme"])
def test_secrets_the_guard_does_not_serve_with_a_bad_key(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_SECRET_KEY", key)
    try:
        answer = client("secrets_guard").get("/", base_url=SITE)
    except ConfigurationError:
        return
    assert answer.status_code == 503


@pytest.mark.parametrize("name", ["headers_library", "headers_guard"])
def test_headers_are_there_and_scripts_need_a_nonce(name: str) -> None:
    answer = client(name).get("/", base_url=SITE)

    assert answer.status_code == 200
    assert "'nonce-" in answer.headers["Content-Security-Policy"]
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"].partition("script-src")[
        2
    ].partition(";")[0].replace("'unsafe-inline' https:", "")
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_headers_the_guard_puts_the_nonce_into_the_tag_and_covers_errors() -> None:
    asked = client("headers_guard")

    assert '<script nonce="' in asked.get("/", base_url=SITE).text
    assert "Content-Security-Policy" in asked.get("/missing", base_url=SITE).headers


@pytest.fixture
def users() -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect("file:checklist?mode=memory&cache=shared", uri=True)
    db.execute("DROP TABLE IF EXISTS user")
    db.execute("CREATE TABLE user (name TEXT, email TEXT)")
    db.execute("INSERT INTO user VALUES ('Ann', 'ann@example.org')")
    db.commit()
    yield db
    db.close()


@pytest.mark.parametrize("name", ["sql_library", "sql_guard"])
def test_sql_an_address_finds_its_user_and_an_injection_finds_nobody(
    name: str, users: sqlite3.Connection
) -> None:
    asked = client(name)
    found = asked.get("/users", query_string={"email": "ann@example.org"}, base_url=SITE)
    forged = asked.get("/users", query_string={"email": "x' OR '1'='1"}, base_url=SITE)

    assert "Ann" in found.text
    assert "Ann" not in forged.text


@pytest.mark.parametrize("name", ["xss_library", "xss_guard"])
def test_xss_markup_is_escaped_or_cleaned(name: str) -> None:
    words = {
        "title": "<b>x</b>",
        "text": '<b>bold</b><script>x()</script><img src="http://a.example/p.gif"><a href="javascript:x()">a</a>',
    }
    page = client(name).get("/preview", query_string=words, base_url=SITE).text

    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<b>bold</b>" in page
    for gone in ("<script>x", "p.gif", "javascript:"):
        assert gone not in page


@pytest.mark.parametrize("name", ["limits_library", "limits_guard"])
def test_limits_the_sixth_login_of_a_minute_is_refused_and_told_when_to_come_back(name: str) -> None:
    asked = client(name)
    headers = {"Sec-Fetch-Site": "same-origin"}
    answers = [asked.post("/login", base_url=SITE, headers=headers) for _ in range(6)]

    assert [one.status_code for one in answers] == [401] * 5 + [429]
    assert answers[-1].headers["Retry-After"]


def test_transport_with_talisman_a_post_over_plain_http_is_led_to_https_and_loses_its_method() -> None:
    answer = client("transport_library").post("/", base_url="http://blog.example.org")

    assert (answer.status_code, answer.headers["Location"]) == (302, f"{SITE}/")


def test_transport_the_guard_keeps_the_method_and_prefixes_the_cookie() -> None:
    asked = client("transport_guard")
    led = asked.post("/", base_url="http://blog.example.org", headers={"X-Forwarded-For": "198.51.100.1"})
    served = asked.get(
        "/",
        base_url="http://blog.example.org",
        headers={"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": "https"},
    )

    assert (led.status_code, led.headers["Location"]) == (308, f"{SITE}/")
    assert served.headers["Set-Cookie"].startswith("__Host-session=")
    assert all(flag in served.headers["Set-Cookie"] for flag in ("Secure", "HttpOnly", "SameSite"))


def upload(asked: FlaskClient, **words: Any) -> int:
    data = {"photo": (io.BytesIO(PHP), "photo.jpg")}
    return asked.post("/photo", data=data, base_url=SITE, **words).status_code


def test_inputs_with_flask_wtf_a_forged_request_is_refused() -> None:
    assert upload(client("inputs_library")) == 400


def test_inputs_the_guard_refuses_other_sites_and_what_is_not_what_its_name_says() -> None:
    asked = client("inputs_guard")

    assert upload(asked, headers={"Sec-Fetch-Site": "cross-site"}) == 403
    assert upload(asked, headers={"Sec-Fetch-Site": "same-origin"}) in (400, 415, 422)


def test_every_file_of_the_page_is_shown_on_it() -> None:
    page = (PAGE.parent / "checklist.rst").read_text()

    assert [one.name for one in sorted(PAGE.glob("*.py")) if one.name not in page] == []
