"""Every problem becomes a sentence with the next step, and what servers send is not trusted."""

from __future__ import annotations

from pathlib import Path

import pytest
from acme import messages

from stopper.certs.challenge import Folder, Redis, checked
from stopper.certs.problems import sentence
from stopper.certs.store import Store, checked_name
from stopper.errors import CertificateError


@pytest.mark.parametrize(
    "code",
    sorted(set(messages.ERROR_CODES) - {"malformed", "compound", "orderNotReady", "badSignatureAlgorithm"}),
)
def test_every_code_of_the_standard_has_a_next_step(code: str) -> None:
    said = sentence("blog.example.org", code, "as the server puts it")

    assert said.startswith("blog.example.org: ")
    assert "see what the authority says" not in said


def test_a_limit_says_until_when() -> None:
    said = sentence(
        "a.example",
        "rateLimited",
        "too many certificates (5) already issued, retry after 2026-11-25 07:00:00 UTC: see https://letsencrypt.org/docs/",
    )

    assert "try again after 2026-11-25 07:00:00 UTC" in said


@pytest.mark.parametrize("token", ["", "../x", "a/b", "a\\b", "x" * 200, "a\nb", "a\n", "."])
def test_a_token_that_is_no_token_is_refused(token: str, tmp_path: Path) -> None:
    with pytest.raises(CertificateError):
        checked(token)
    assert Folder(tmp_path).get(token) is None


@pytest.mark.parametrize(
    "name", ["", "blog", "*.blog.example.org", "xn--bcher-kva.example", "Blog.Example.ORG."]
)
def test_a_host_name_is_taken(name: str) -> None:
    if name:
        assert checked_name(name) == name.lower().rstrip(".")
    else:
        with pytest.raises(CertificateError):
            checked_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "a b",
        "../etc",
        "blog/..",
        "-a.example",
        "a..b",
        "bücher.example",
        "a.example:443",
        "a.example\n",
        "x" * 300,
    ],
)
def test_what_is_no_host_name_is_refused(name: str) -> None:
    with pytest.raises(CertificateError, match="no host name"):
        checked_name(name)


def test_a_broken_state_is_as_none(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (tmp_path / "live" / "a.example").mkdir(parents=True)
    (tmp_path / "live" / "a.example" / "fullchain.pem").write_text("no certificate")
    (tmp_path / "accounts").mkdir()

    assert store.load("a.example") is None
    assert store.account("https://acme.example/dir") is None
    assert store.names() == []


def test_a_redis_that_is_gone_answers_no_challenge() -> None:
    assert Redis("redis://127.0.0.1:9/0").get("abc") is None
