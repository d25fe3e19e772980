"""A secret must be drawn with secrets, not with random.

The random module can be foretold from a few of its outputs, and a hash of the time by trying the seconds around a request;
reset links and session ids with them.

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
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._posture import function_text
from stopper.rules.secrets._text import key_settings
from stopper.source.code import Call
from stopper.source.credentials import words_of
from stopper.source.files import Role
from stopper.source.project import Project

_SECRET = frozenset("token secret password passwd otp nonce salt pin apikey sid csrf captcha".split())
_CODES = "access activation auth backup confirmation email invitation invite login recovery reset security sms verification verify"
_PAIRS = (
    *({"api", "key"}, {"session", "id"}, {"session", "key"}, {"access", "key"}, {"remember", "me"}),
    *({kind, "code"} for kind in _CODES.split()),
)
_NAMES = tuple("random randint choice choices sample randrange getrandbits randbytes uniform".split())
_DRAWN = (
    *(f"random.{name}" for name in _NAMES),
    *(f"random.Random().{name}" for name in _NAMES),
    "random.shuffle",
    "random.Random().shuffle",
    *(f"numpy.random.{name}" for name in ("bytes", "choice", "rand", "randint", "random")),
    "uuid.uuid1",
)
_HASHED = tuple(f"hashlib.{name}" for name in "md5 sha1 sha224 sha256 sha384 sha512 blake2b".split())
_CLOCK = regex(r"\btime\.time(?:_ns)?\(\)|\bdatetime\.(?:utc)?now\(|(?<![.\w])time\(\)")
_UNKNOWN = regex(r"secret|(?<!\w)key|salt|urandom|random|uuid4|token_", re.IGNORECASE)
_ASSIGNED = regex(r"(?P<name>[A-Za-z_]\w*) = ")
_AROUND = regex(r"""(\w+)["']?\]?\s*[=:](?!=)""")
_LABELS = (
    r"^\s*(?P<name>[\w.]+) = .*VARIABLE",
    r"""\[["'](?P<name>[\w-]+)["']\] = .*VARIABLE""",
    r"""set_cookie\(\s*["'](?P<name>[\w-]+)["'],.*VARIABLE""",
    r"[(,]\s*(?P<name>\w+)=\s*VARIABLE",
)


class InsecureRandomSecret(Rule):
    """Look for calls of random, and for hashes of the time, in lines or functions whose name says token, password or code."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (330, 338)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each secret drawn from the random module, and each that is the hash of the time."""
        for call in project.code.calls(*_HASHED):
            made = call.arguments[0].source if call.arguments else ""
            timed = _CLOCK.search(made) is not None and not _UNKNOWN.search(made)
            if timed and call.module.role is Role.APP and any(map(_is_secret, _names(call, project))):
                yield self.found(
                    call.location, "a secret is made of the time, which others can tell as well",
                    confidence=Confidence.MEDIUM, remedy="secrets.token_urlsafe(32)", context=call.function,
                )  # fmt: skip
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
    """Yield what the drawn value is called: where it is drawn, where it goes on to, and by those who call the function."""
    yield f"{call.function.rpartition('.')[2]} {call.code.partition('=')[0]}"
    before = call.code.partition(call.source.partition("\n")[0])[0]
    yield from _AROUND.findall(before)[-1:]
    variable = _ASSIGNED.match(call.code)
    if variable is not None:
        yield from _labels(variable["name"], function_text(call))
    elif call.name.endswith(".shuffle") and call.arguments:
        yield from _labels(call.arguments[0].source, function_text(call))
    elif call.code.startswith("return"):
        for use in project.code.calls(call.scope.dotted):
            yield use.code.partition("=")[0]


def _labels(variable: str, text: str) -> Iterator[str]:
    """Yield the names under which a function keeps or sends a variable: of another, a key, a cookie or a keyword."""
    for label in _LABELS:
        pattern = re.compile(
            label.replace("VARIABLE", rf"(?<![\w.]){re.escape(variable)}(?!\w)"), re.MULTILINE
        )
        yield from (found["name"] for found in pattern.finditer(text))


def _is_secret(name: str) -> bool:
    words = set(words_of(name))
    return bool(words & _SECRET) or any(pair <= words for pair in _PAIRS)
