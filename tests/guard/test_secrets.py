"""A key that others know or guess is not served with, `.env` is read as it was meant, and secrets stay out of the log."""

from __future__ import annotations

import os
import secrets as random
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from stopper import Stopper
from stopper.errors import ConfigurationError
from stopper.guard import events
from stopper.guard.secrets import read, read_env, weakness

Make = Callable[..., Flask]
KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"


@pytest.mark.parametrize(
    "key",
    [
        None,
        "",
        "a",
        "changeme",
        "dev",
        b"dev",
        "your-secret-key-here",
        "my-super-secret-key-for-development",
        "this is a very secret key, please change me",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "abababababababababababababababab",
        "0123456789abcdef",
        "abcdefghijklmnopqrstuvwxyz",
        "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
        "passwordpasswordpassword",
        "SecretKey1234567890",
    ],
)
def test_a_key_that_others_have_is_weak(key: str | bytes | None) -> None:
    assert weakness(key) is not None


@pytest.mark.parametrize("_", range(30))
def test_a_key_that_nobody_else_has_is_good(_: int) -> None:
    made = (
        random.token_hex(16),
        random.token_hex(32),
        random.token_urlsafe(24),
        random.token_bytes(24),
        os.urandom(16),
    )

    assert [weakness(key) for key in made] == [None] * len(made)


@given(st.one_of(st.text(), st.binary()))
def test_no_key_makes_the_check_fail(key: str | bytes) -> None:
    weakness(key)


def test_production_says_how_to_make_a_key_and_never_shows_the_one_it_has(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    answer = make({"SECRET_KEY": "hunter2hunter2"}).test_client().get("/")

    assert answer.status_code == 503
    assert "secrets.token_hex(32)" in caplog.text
    assert "hunter2" not in caplog.text + answer.text


def test_a_weak_old_key_signs_too_and_is_refused(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    answer = make({"SECRET_KEY_FALLBACKS": [KEY[::-1], "changeme"]}).test_client().get("/")

    assert answer.status_code == 503
    assert "SECRET_KEY_FALLBACKS[1]" in caplog.text


def test_development_is_told_and_served(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    app = make({"SECRET_KEY": "dev"})
    app.debug = True

    assert app.test_client().get("/").status_code == 200
    assert "In production this app is not served: SECRET_KEY" in caplog.text


def test_a_server_for_production_does_not_even_load_the_app(serve: Callable[..., object]) -> None:
    server = serve(
        """
        from flask import Flask
        from stopper import Stopper
        app = Flask(__name__)
        app.secret_key = "changeme"
        Stopper(app)
        """,
        wait=False,
    )

    assert server.process.wait(60) != 0
    assert "ConfigurationError: SECRET_KEY has 8 characters" in server.log
    assert 'app.config["TRUSTED_HOSTS"]' in server.log


def test_four_workers_serve_a_whole_app(serve: Callable[..., object], http: httpx.Client) -> None:
    server = serve(
        f"""
        from flask import Flask
        from stopper import Stopper
        app = Flask(__name__)
        app.config.update(SECRET_KEY="{KEY}", TRUSTED_HOSTS=["127.0.0.1"])
        Stopper(app, proxies=1)
        app.get("/")(lambda: "hello")
        """,
        workers=4,
    )

    answer = http.get(server.url, headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"})
    assert (answer.status_code, answer.text) == (200, "hello")
    assert "Strict-Transport-Security" in answer.headers
    assert http.get(server.url).status_code == 308


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str, mode: int = 0o600) -> None:
    (folder / ".env").write_text(text, encoding="utf-8")
    (folder / ".env").chmod(mode)


def test_the_file_fills_what_is_not_set_and_the_key_of_the_app(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("STOPPER_REFERRER_POLICY", "origin")
    write(folder, f"SECRET_KEY={KEY}\nSTOPPER_REFERRER_POLICY=unsafe-url\nSTOPPER_HSTS_SECONDS=300\n")
    for name in ("SECRET_KEY", "STOPPER_HSTS_SECONDS"):
        monkeypatch.setenv(name, "")  # so that monkeypatch takes away what the file sets
    app = Flask("one")
    Stopper(app)

    assert app.secret_key == KEY
    assert os.environ["STOPPER_REFERRER_POLICY"] == "origin"
    assert app.extensions["stopper"].state.guards["headers"].settings.hsts_seconds == 300


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("GOOD=1\nthis is no line\n", "line 2: this is no NAME=value"),
        ("A=x #y\n", "A ends before the #"),
        ("EMPTY_ONE=full\n", "EMPTY_ONE is empty in the environment"),
    ],
)
def test_what_the_parser_passes_over_in_silence_is_told(folder: Path, text: str, told: str) -> None:
    write(folder, text)
    environ = {"EMPTY_ONE": ""}

    messages = read_env(Flask("one"), {}, environ)

    assert [message for message in messages if told in message], messages
    assert environ["EMPTY_ONE"] == ("full" if "EMPTY_ONE" in text else "")


@pytest.mark.parametrize(
    "text",
    ["A='x #y'\n", 'A="x #y"\n', "A=x#y\n", "# a remark\nA=1\n", "A=\n", "export A=b\n", "A=1\n#b #c\n"],
)
def test_what_is_written_well_is_not_told(text: str) -> None:
    assert read(text, ".env")[1] == []


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize(("mode", "may"), [(0o644, "read"), (0o666, "write"), (0o620, "write")])
def test_a_file_that_is_open_to_others_is_told(folder: Path, mode: int, may: str) -> None:
    write(folder, "A=1\n", mode)

    assert [message for message in read_env(Flask("one"), {}, {}) if f"may {may} it: chmod 600" in message]


def test_a_file_that_is_named_must_be_there(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not there"):
        Stopper(Flask("one"), env_file="other.env")


def test_a_test_suite_does_not_read_the_file(folder: Path) -> None:
    write(folder, "A=1\n")
    app = Flask("one")
    app.testing = True
    environ: dict[str, str] = {}

    assert read_env(app, {}, environ) == []
    assert environ == {}


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    read(text, ".env")


def test_a_secret_that_gets_into_an_event_stays_out_of_the_log(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    app = make({"MAIL_PASSWORD": "swordfish-99"})
    state = app.extensions["stopper"].state
    events.emit(app, state.event("x", "told", f"the key is {KEY} and swordfish-99"))

    assert KEY not in caplog.text
    assert "swordfish" not in caplog.text
    assert "[hidden]" in caplog.text
