"""What a client may send is bounded, whatever the app forgot to set; what it did set stands."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.guard.conftest import Watched

from stopper import Stopper
from stopper.errors import ConfigurationError
from stopper.guard.guards import NAMES
from stopper.policy import UPLOAD_BYTES

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
Build = Callable[..., Flask]


@pytest.fixture
def build() -> Build:
    def made(config: dict[str, object] | None = None, **more: object) -> Flask:
        app = Flask("bodies")
        app.config.update({"SECRET_KEY": KEY, "TRUSTED_HOSTS": ["localhost"], **(config or {})})
        quiet = {name: "off" for name in ("https", "hosts", "limits", "lockout", "csrf") if name in NAMES}
        Stopper(app, **{**quiet, **more})

        @app.post("/")
        @app.post("/big/<name>", endpoint="big")
        def send(name: str = "") -> str:
            return f"{len(request.get_data())}"

        @app.post("/form")
        def form() -> str:
            return f"{len(request.form)} {len(request.files)}"

        return app

    return made


def status(app: Flask, size: int, path: str = "/", **more: Any) -> int:
    return app.test_client().post(path, data=b"x" * size, **more).status_code


def test_flasks_missing_bounds_are_set(build: Build) -> None:
    config = build().config

    assert config["MAX_CONTENT_LENGTH"] == UPLOAD_BYTES
    assert config["MAX_FORM_MEMORY_SIZE"] == 500_000
    assert config["MAX_FORM_PARTS"] == 1000


def test_the_apps_own_bounds_stand(build: Build) -> None:
    own = {"MAX_CONTENT_LENGTH": 1234, "MAX_FORM_MEMORY_SIZE": 99, "MAX_FORM_PARTS": 7}

    config = build(own).config

    assert {key: config[key] for key in own} == own


def test_bounds_that_the_app_loads_later_stand(build: Build) -> None:
    app = build()
    app.config.from_mapping(MAX_CONTENT_LENGTH=10)

    assert status(app, 10) == 200
    assert status(app, 11) == 413


def test_a_configuration_loaded_later_that_has_no_bound_gets_one(build: Build) -> None:
    app = build(body_bytes=10)
    app.config.from_mapping(MAX_CONTENT_LENGTH=None)

    assert status(app, 11) == 413


def test_no_bound_is_a_choice(build: Build) -> None:
    assert build(body_bytes=None).config["MAX_CONTENT_LENGTH"] is None


def test_a_body_that_says_it_is_too_long_is_refused_unread(build: Build) -> None:
    app = build(body_bytes=100)
    body = Watched()

    sent = app.test_client().post("/", content_length=101, environ_overrides={"wsgi.input": body})

    assert sent.status_code == 413
    assert "longer than 100 bytes" in sent.text
    assert body.asked == 0


def test_a_body_that_does_not_say_how_long_it_is_is_read_no_further_than_the_bound(build: Build) -> None:
    app = build(body_bytes=100)
    environ = {
        "wsgi.input": io.BytesIO(b"x" * 500),
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
    }

    assert app.test_client().post("/", environ_overrides=environ).text == "100"


def test_a_route_may_have_a_bound_of_its_own(build: Build) -> None:
    app = build(body_bytes=100, routes={"/big/*": {"body": 1000}, "/form": {"body": 10}})

    assert status(app, 1000, "/big/a") == 200
    assert status(app, 1001, "/big/a") == 413
    assert status(app, 101) == 413
    assert status(app, 11, "/form") == 413


def test_forms_are_bounded_in_memory_and_in_parts(build: Build) -> None:
    app = build(body_form_bytes=1000, body_form_parts=5)
    client = app.test_client()
    files = {f"file{number}": (io.BytesIO(b"x"), "x.txt") for number in range(6)}

    assert client.post("/form", data={"word": "x" * 900}).status_code == 200
    assert client.post("/form", data={"word": "x" * 4000}).status_code == 413
    assert (
        client.post("/form", data={"word": "x" * 2000, "file": (io.BytesIO(b"x"), "x.txt")}).status_code
        == 413
    )
    assert client.post("/form", data=files).status_code == 413


@pytest.mark.parametrize(
    "wrong",
    [
        {"body_bytes": 0},
        {"body_bytes": "much"},
        {"routes": {"/a": {"body": "10M"}}},
        {"routes": {"/a": {"body": 0}}},
        {"body_form_parts": -1},
    ],
)
def test_a_bound_that_is_none_is_an_error_at_start_up(build: Build, wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        build(**wrong)


def test_in_report_mode_the_guard_refuses_nothing_itself(build: Build) -> None:
    app = build({"MAX_CONTENT_LENGTH": 10}, body="report")
    app.add_url_rule("/unread", "unread", lambda: "fine", methods=["POST"])

    assert status(app, 11, "/unread") == 200


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    length=st.one_of(
        st.integers(-(10**6), 10**6).map(str),
        st.text(max_size=12),
        st.just("9" * 5000),
        st.sampled_from(["", "1e9", "0x10", "+5", "٣"]),
    ),
    kind=st.sampled_from(
        ["application/json", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", "\x00"]
    ),
    body=st.binary(max_size=300),
    path=st.sampled_from(["/", "/form", "/big/x", "/none"]),
)
def test_nothing_a_client_sends_makes_a_500(
    build: Build, length: str, kind: str, body: bytes, path: str
) -> None:
    app = build(body_bytes=200, routes={"/big/*": {"body": 100}})
    environ = {"CONTENT_LENGTH": length, "CONTENT_TYPE": kind, "wsgi.input": io.BytesIO(body)}

    assert app.test_client().post(path, environ_overrides=environ).status_code < 500
