"""A hash that is slow on purpose must be slow enough.

PBKDF2 and bcrypt protect passwords by the rounds that every guess costs. With a few thousand rounds a graphics card tries millions of
passwords a second. OWASP asks for 600,000 rounds of PBKDF2 with SHA-256 and a cost of 10 for bcrypt.

Bad::

    import hashlib
    import os

    from flask import Flask

    app = Flask(__name__)

    def store(password):
        salt = os.urandom(16)
        return salt + hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1000)

Good::

    import hashlib
    import os

    from flask import Flask

    app = Flask(__name__)

    def store(password):
        salt = os.urandom(16)
        return salt + hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 600_000)

References:
    - CWE-916
    - ASVS 5.0 V11.4.2
    - https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import constant, own_calls
from stopper.source.project import Project

_ROUNDS = {
    "hashlib.pbkdf2_hmac": (3, "iterations", 100_000),
    "bcrypt.gensalt": (0, "rounds", 10),
    "flask_bcrypt.generate_password_hash": (1, "rounds", 10),
    "flask_bcrypt.Bcrypt().generate_password_hash": (1, "rounds", 10),
}
"""Where the rounds stand, and with how many a hash is plainly too fast."""


class PasswordHashRounds(Rule):
    """Look at how many rounds PBKDF2 and bcrypt are told to do."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (916,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call that names fewer rounds than are enough."""
        for call in own_calls(project, *_ROUNDS):
            place, keyword, least = _ROUNDS[call.name]
            rounds = constant(call.argument(place, keyword))
            if isinstance(rounds, int) and rounds < least:
                yield self.found(
                    call.location, f"{rounds} rounds are too few: passwords that are stolen can be tried fast",
                    confidence=Confidence.MEDIUM, remedy="generate_password_hash(password)", context=call.function,
                )  # fmt: skip
