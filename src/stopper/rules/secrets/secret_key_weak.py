"""A signing key must be long and drawn at random.

A signed cookie lets anybody try keys offline, millions a second. Short keys and those of tutorials
fall at once.

Bad::

    from flask import Flask

    app = Flask(__name__)
    app.secret_key = "dev"

Bad::

    import os

    from flask import Flask

    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY", "changeme")

Good::

    import os

    from flask import Flask

    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Set-Cookie: session=eyJ1c2VyX2lkIjoxfQ.awRDdg.GbKgMleHr1uJzS52BTPD2q-U_r4; Secure; HttpOnly; SameSite=Lax

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html
    Set-Cookie: session=eyJ1c2VyX2lkIjoxfQ.awRDdg.TyIfB91y3IA7o27k92dBKV6voL4; Secure; HttpOnly; SameSite=Lax

References:
    - CWE-521
    - CWE-1391
    - ASVS 5.0 V11.1.1
    - https://flask.palletsprojects.com/en/stable/config/#SECRET_KEY
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity, Vantage
from stopper.policy import KEY_BYTES, PUBLISHED_KEYS
from stopper.rule import Rule
from stopper.rules.secrets._text import KEYS, at_key, key_settings, key_text
from stopper.source.credentials import WELL_KNOWN, is_placeholder
from stopper.source.project import Project
from stopper.wire.session import key_of, payload

if TYPE_CHECKING:
    from stopper.app.booted import Booted
    from stopper.wire.site import Site

_TRIED = WELL_KNOWN | frozenset(
    "dev development key flask app supersecretkey your-secret-key change-me".split()
)
"""The keys that everybody tries first, in lower case."""


class SecretKeyWeak(Rule):
    """Compare the constants of signing keys with a length and with the words that everybody tries."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (521, 1391)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each signing key that a guesser would find."""
        for setting in key_settings(project):
            text = key_text(setting.value.in_production())
            if text is None or not text:
                continue
            if _is_tried(text):
                yield at_key(self, project, setting, f"{setting.key} is a value that everybody tries first")
            elif len(text) < KEY_BYTES:
                told = f"{setting.key} has {len(text)} characters; {KEY_BYTES} random ones are the least"
                yield at_key(self, project, setting, told)

    def app(self, booted: Booted) -> Iterator[Finding]:
        """Report each signing key of the booted app that a guesser would find; a long one may still stand in the source."""
        for key in KEYS:
            text = booted.config.get(key)
            if isinstance(text, str) and text and (_is_tried(text) or len(text) < KEY_BYTES):
                yield self.seen(
                    f"setting:{key}", f"{key} of the booted app is short or a value that everybody tries first",
                    remedy=f'{key} = os.environ["{key}"]',
                )  # fmt: skip

    def wire(self, site: Site) -> Iterator[Finding]:
        """Try the keys that everybody tries on each session cookie, here and without asking the site."""
        for cookie in site.cookies():
            if payload(cookie.value) and key_of(cookie.value, sorted(_TRIED | PUBLISHED_KEYS)) is not None:
                yield self.seen(
                    "setting:SECRET_KEY", f"the session cookie {cookie.name!r} is signed with a key that everybody tries first", vantage=Vantage.WIRE,
                    severity=Severity.CRITICAL, remedy='SECRET_KEY = os.environ["SECRET_KEY"]',
                )  # fmt: skip
                return


def _is_tried(key: str) -> bool:
    return key.lower() in _TRIED or key in PUBLISHED_KEYS or is_placeholder(key)
