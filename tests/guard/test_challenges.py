"""The running app answers an ACME server's challenges from what all replicas share, and nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from stopper import Stopper
from stopper.errors import ConfigurationError
from stopper.policy import ACME_PREFIX


def app(acme: str, **config: Any) -> Flask:
    one = Flask("blog")
    one.config.update(
        SECRET_KEY="k7-winter-night-8812-and-more-of-it",
        TRUSTED_HOSTS=["shop.example"],
        STOPPER_ACME=acme,
        **config,
    )
    Stopper(one)
    return one


def test_a_challenge_is_answered_over_plain_http_and_by_any_name(tmp_path: Path) -> None:
    (tmp_path / "tok-en_1").write_text("tok-en_1.thumbprint")
    answer = (
        app(str(tmp_path))
        .test_client()
        .get(f"{ACME_PREFIX}tok-en_1", base_url="http://www.shop.example:5002")
    )

    assert (answer.status_code, answer.text) == (200, "tok-en_1.thumbprint")
    assert answer.mimetype == "application/octet-stream"


@pytest.mark.parametrize("token", ["", "unknown", "../secret", "..%2fsecret", "a/b", "%00", "x" * 500])
def test_what_is_no_known_token_is_not_answered(tmp_path: Path, token: str) -> None:
    (tmp_path / "answers").mkdir()
    (tmp_path / "secret").write_text("secret")
    answer = (
        app(str(tmp_path / "answers"), TESTING=True)
        .test_client()
        .get(ACME_PREFIX + token, base_url="http://shop.example")
    )

    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_a_redis_that_is_gone_is_a_page_that_is_not_there() -> None:
    assert (
        app("redis://127.0.0.1:9/0", TESTING=True)
        .test_client()
        .get(f"{ACME_PREFIX}token", base_url="http://shop.example")
        .status_code
        == 404
    )


def test_a_setting_that_is_neither_is_an_error_at_start() -> None:
    with pytest.raises(ConfigurationError, match="STOPPER_ACME"):
        app("https://example.org/")
