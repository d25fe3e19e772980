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

References:
    - CWE-521
    - CWE-1391
    - ASVS 5.0 V11.1.1
    - https://flask.palletsprojects.com/en/stable/config/#SECRET_KEY
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules.secrets._text import KEYS, at_key, key_settings, key_text
from stopper.source.credentials import WELL_KNOWN, is_placeholder
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.app.booted import Booted

SHORTEST = 16
"""Fewer characters than this do not hold 64 bits in any usual alphabet."""


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
            if (
                text.lower() in WELL_KNOWN
                or is_placeholder(text)
                or text.lower() in {"dev", "development", "key", "flask"}
            ):
                yield at_key(self, project, setting, f"{setting.key} is a value that everybody tries first")
            elif len(text) < SHORTEST:
                yield at_key(
                    self,
                    project,
                    setting,
                    f"{setting.key} has {len(text)} characters; {SHORTEST} random ones are the least",
                )

    def app(self, booted: Booted) -> Iterator[Finding]:
        """Report each signing key of the booted app that a guesser would find; a long one may still stand in the source."""
        for key in KEYS:
            text = booted.config.get(key)
            if (
                isinstance(text, str)
                and text
                and (text.lower() in WELL_KNOWN or is_placeholder(text) or len(text) < SHORTEST)
            ):
                yield self.seen(
                    f"setting:{key}", f"{key} of the booted app is short or a value that everybody tries first",
                    remedy=f'{key} = os.environ["{key}"]',
                )  # fmt: skip
