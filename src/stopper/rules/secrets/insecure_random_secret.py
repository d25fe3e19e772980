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

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import function_text
from stopper.rules.secrets._text import key_settings
from stopper.source.code import Call
from stopper.source.credentials import words_of
from stopper.source.files import Role
from stopper.source.project import Project

_SECRET = {
    "token",
    "secret",
    "password",
    "passwd",
    "otp",
    "nonce",
    "salt",
    "pin",
    "apikey",
    "sid",
    "csrf",
    "captcha",
}
_PAIRS = (
    {"api", "key"},
    {"session", "id"},
    {"session", "key"},
    {"access", "key"},
    {"access", "code"},
    {"reset", "code"},
    {"verification", "code"},
    {"invite", "code"},
    {"invitation", "code"},
    {"login", "code"},
)
_NAMES = (
    "random",
    "randint",
    "choice",
    "choices",
    "sample",
    "randrange",
    "getrandbits",
    "randbytes",
    "uniform",
)
_DRAWN = (
    *(f"random.{name}" for name in _NAMES),
    *(f"random.Random().{name}" for name in _NAMES),
    "random.shuffle",
    "random.Random().shuffle",
    *(f"numpy.random.{name}" for name in ("bytes", "choice", "rand", "randint", "random")),
    "uuid.uuid1",
)


class InsecureRandomSecret(Rule):
    """Look for calls of random in lines or functions whose name says token, password or code."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (330, 338)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each secret drawn from the random module."""
        keys = {(one.location.path, one.location.line) for one in key_settings(project)}
        for call in project.code.calls(*_DRAWN):
            if (call.location.path, call.location.line) in keys:
                continue  # secret-key-predictable tells it
            if call.module.role is Role.APP and any(map(_is_secret, _names(call, project))):
                yield self.found(
                    call.location, f"{call.name} draws a secret, and its outputs can be foretold",
                    confidence=Confidence.MEDIUM, remedy="secrets.token_urlsafe(32)", context=call.function,
                )  # fmt: skip


def _names(call: Call, project: Project) -> Iterator[str]:
    """Yield what the drawn value is called: where it is drawn, and by those who call the function that draws it."""
    yield f"{call.function.rpartition('.')[2]} {call.code.partition('=')[0]}"
    if call.name.endswith(".shuffle") and call.arguments:
        shuffled = re.compile(rf"(?m)^\s*(?P<name>[\w.]+) = .*\b{re.escape(call.arguments[0].source)}\b")
        yield from (found["name"] for found in shuffled.finditer(function_text(call)))
    if call.code.startswith("return"):
        for use in project.code.calls(call.scope.dotted):
            yield use.code.partition("=")[0]


def _is_secret(name: str) -> bool:
    words = set(words_of(name))
    return bool(words & _SECRET) or any(pair <= words for pair in _PAIRS)
