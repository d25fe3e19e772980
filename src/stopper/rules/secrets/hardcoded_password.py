"""A password or token must not stand in the code.

Whoever reads the code, or any copy of it, holds the account. A secret in code cannot be changed
without a release.

Bad::

    from flask import Flask

    app = Flask(__name__)
    app.config["MAIL_PASSWORD"] = "k7!winter-night"

Good::

    import os

    from flask import Flask

    app = Flask(__name__)
    app.config["MAIL_PASSWORD"] = os.environ["MAIL_PASSWORD"]

Good::

    import pyotp
    from flask import Flask

    app = Flask(__name__)

    def load_development_accounts():
        test_otp_secret = "KQ5XGZLTORRW6ZDF"
        return pyotp.TOTP(test_otp_secret)

References:
    - CWE-798
    - CWE-259
    - ASVS 5.0 V13.3.1
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules.secrets._text import KEYS, report, secrets_in
from stopper.source.history import is_made_up
from stopper.source.project import Project

_ENTRY = re.compile(r"(?:session|cookie|cache|header|form|field|query)_?key$", re.IGNORECASE)
_WORDS = re.compile(r"[a-z]+(?:[_-][a-z]+)*")


class HardcodedPassword(Rule):
    """Look for literals that their name calls secret and that look like one."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (798, 259)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report the literals; signing keys have rules of their own, and a name that says test opens nothing real."""
        for file, one in secrets_in(project):
            name = one.name.rpartition(".")[2]
            if one.kind != "named" or is_made_up(name) or _names_an_entry(name, one.secret):
                continue
            if name.upper() not in KEYS:
                yield report(
                    self,
                    project,
                    file,
                    one,
                    f"{name} stands in {file.path} as a literal",
                    f'{name} = os.environ["{name.upper()}"]',
                )


def _names_an_entry(name: str, secret: str) -> bool:
    """Tell whether a key is one that something is found by, as ``SESSION_KEY = "captcha_image"``, and no secret."""
    return _ENTRY.search(name) is not None and _WORDS.fullmatch(secret) is not None
