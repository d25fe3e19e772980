"""Accounts: an authority that wants an account of its own, and one that says when to renew."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from acme import errors
from tests.certs.conftest import Pebble, configured

from stopper.certs import challenge
from stopper.certs.authority import Authority, Registration
from stopper.certs.renewal import Way, obtain
from stopper.certs.store import Store
from stopper.errors import CertificateError

KEY = base64.urlsafe_b64encode(b"a key of thirty-two bytes or more...").decode().rstrip("=")


@pytest.fixture
def strict(tmp_path: Path, dns: int) -> Iterator[Pebble]:
    """A Pebble that knows only who has an account elsewhere."""
    one = configured(tmp_path / "strict", {"PEBBLE_WFE_NONCEREJECT": "0"}, dns)
    settings = json.loads((one.folder / "pebble.json").read_text())
    settings["pebble"].update(externalAccountBindingRequired=True, externalAccountMACKeys={"kid-1": KEY})
    (one.folder / "pebble.json").write_text(json.dumps(settings))
    one.start()
    yield one
    one.stop()


def asked(pebble: Pebble, folder: Path, registration: Registration) -> Any:
    store = Store(folder)
    authority = Authority(pebble.server, store, ca=pebble.ca, registration=registration, seconds=30)
    return obtain(
        store, authority, ["blog.stopper.test"], Way(challenge.Standalone(pebble.http_port, "127.0.0.1"))
    )


def test_an_external_account_is_bound(strict: Pebble, tmp_path: Path) -> None:
    assert asked(strict, tmp_path / "state", Registration("", "kid-1", KEY)).renewed


@pytest.mark.parametrize(
    ("registration", "said"),
    [
        (Registration(), "--eab-kid"),
        (Registration("", "kid-2", KEY), "blog.stopper.test"),
        (Registration("", "kid-1", "?no base64?"), "blog.stopper.test"),
    ],
)
def test_what_is_wrong_with_an_external_account_is_a_sentence(
    strict: Pebble, tmp_path: Path, registration: Registration, said: str
) -> None:
    with pytest.raises(CertificateError, match=said):
        asked(strict, tmp_path / "state", registration)


class Suggesting:
    """Stands for an account at a server that has RFC 9773, which this Pebble has not."""

    def __init__(self, when: datetime | Exception | None) -> None:
        self.when = when

    def renewal_time(self, chain: bytes) -> tuple[datetime | None, datetime]:
        del chain
        if isinstance(self.when, Exception):
            raise self.when
        return self.when, datetime.now(UTC)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
        (None, None),
        (errors.ARIError("no answer", datetime.now(UTC) + timedelta(hours=6)), None),
    ],
)
def test_a_suggestion_is_taken_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: Any, expected: datetime | None
) -> None:
    authority = Authority("https://acme.example/dir", Store(tmp_path))
    monkeypatch.setattr(authority, "_account", lambda: Suggesting(when))

    assert authority.suggested(b"") == expected
