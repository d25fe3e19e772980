"""A secret must be drawn with secrets, not with random.

The random module can be foretold from a few of its outputs; reset links and session ids with it.

Bad::

    from flask import Flask

    app = Flask(__name__)
    import random


    def reset_token():
        return "".join(random.choices("abcdef0123456789", k=32))

Good::

    from flask import Flask

    app = Flask(__name__)
    import secrets


    def reset_token():
        return secrets.token_urlsafe(32)

References:
    - CWE-330
    - CWE-338
    - ASVS 5.0 V11.5.1
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules.secrets._text import key_settings
from stopper.source.credentials import words_of
from stopper.source.files import Role
from stopper.source.project import Project

_SECRET = {"token", "secret", "password", "passwd", "otp", "nonce", "salt", "pin", "apikey"}


class InsecureRandomSecret(Rule):
    """Look for calls of random in lines or functions whose name says token, password or code."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (330, 338)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each secret drawn from the random module."""
        names = ("random", "randint", "choice", "choices", "sample", "randrange", "getrandbits", "randbytes")
        keys = {(one.location.path, one.location.line) for one in key_settings(project)}
        for call in project.code.calls(*(f"random.{name}" for name in names)):
            if (call.location.path, call.location.line) in keys:
                continue  # secret-key-predictable tells it
            said = f"{call.function.rpartition('.')[2]} {call.code.partition('=')[0]}"
            if call.module.role is Role.APP and set(words_of(said)) & _SECRET:
                yield self.found(
                    call.location, f"{call.name} draws a secret, and its outputs can be foretold",
                    confidence=Confidence.MEDIUM, remedy="secrets.token_urlsafe(32)", context=call.function,
                )  # fmt: skip
