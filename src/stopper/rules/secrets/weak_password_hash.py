"""A password must be hashed slowly, with a salt.

MD5 and SHA are made to be fast: a stolen table of such hashes is read back at billions of guesses a
second.

Bad::

    from flask import Flask

    app = Flask(__name__)
    import hashlib


    def store(password):
        return hashlib.sha256(password.encode()).hexdigest()

Bad::

    from flask import Flask

    app = Flask(__name__)
    from werkzeug.security import generate_password_hash


    def store(password):
        return generate_password_hash(password, method="pbkdf2:sha1:1000")

Good::

    from flask import Flask

    app = Flask(__name__)
    from werkzeug.security import generate_password_hash


    def store(password):
        return generate_password_hash(password)

References:
    - CWE-916
    - CWE-328
    - ASVS 5.0 V11.4.2
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._posture import function_text
from stopper.source.code import Call
from stopper.source.files import Role
from stopper.source.project import Project


class WeakPasswordHash(Rule):
    """Look for fast hashes of what a name calls a password, and for weak methods of generate_password_hash."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (916, 328)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each fast hash of a password."""
        for call in project.code.calls(*_FAST, *_FED, *_METHODS, *_SCHEMES, "hashlib.new"):
            if call.module.role is not Role.APP or _is_excused(call):
                continue
            name = call.name.removesuffix("().update").rpartition(".")[2]
            if _names_method(call) if call.name in _NAMING else _hashes_password(call, project):
                yield self.found(
                    call.location, f"{name} here is too fast for a password",
                    remedy="generate_password_hash(password)", context=call.function,
                )  # fmt: skip
            elif name in _BROKEN and _is_token(call):
                yield self.found(
                    call.location, f"{name} is broken, and this value stands for a token or a session",
                    severity=Severity.MEDIUM, confidence=Confidence.MEDIUM,
                    remedy="hashlib.sha256(token).hexdigest()", context=call.function,
                )  # fmt: skip


_FAST = tuple(f"hashlib.{name}" for name in "md5 sha1 sha224 sha256 sha384 sha512 blake2b blake2s".split())
_FED = tuple(f"{name}().update" for name in _FAST)
_METHODS = ("werkzeug.security.generate_password_hash", "passlib.context.CryptContext")
_SCHEMES = tuple(
    f"passlib.hash.{name}.{verb}"
    for name in "md5_crypt sha1_crypt des_crypt bsdi_crypt hex_md5 hex_sha1 plaintext nthash".split()
    for verb in ("hash", "using")
)
_NAMING = frozenset((*_METHODS, *_SCHEMES))
_WEAK = regex(r"plain|md5|sha(?!\w*_crypt)|sha1_|hex_|des_|bsdi|nthash|pbkdf2:(md5|sha1)|pbkdf2:\w+:\d{1,5}$")
_BROKEN = frozenset(("md5", "sha1"))
_PASSWORD = re.compile(r"(?i)(?<![a-z])(password|passwd|pwd|passphrase)(?![a-z])")
_KEPT = re.compile(r"(?i)[\w.]*(?<![a-z])(?:hashed_)?(?:password|passwd|pwd)(?:_?(?:hash|digest))?\s*=(?!=)")
_TOKEN = regex(
    r"(?i)(?<![a-z])(session_?(id|key)?|sid|(api_?|access_?|reset_?|auth_?|csrf_?)?token|api_?key|(\w+_)?secret(_?key)?)(?![a-z])"
)


_LABEL = re.compile(r"(?i)(?<![a-z])(etag|checksum|cache_?key|fingerprint|gravatar)(?![a-z])")


def _is_excused(call: Call) -> bool:
    """Tell whether the call itself says that the hash is not for security."""
    argument = call.argument(None, "usedforsecurity")
    return argument is not None and argument.value.known and argument.value.constant is False


def _hashes_password(call: Call, project: Project) -> bool:
    given = call.argument(
        1 if call.name == "hashlib.new" else 0, "string" if call.name != "hashlib.new" else "data"
    )
    if given is None:
        return False
    if _PASSWORD.search(given.source) or _KEPT.match(call.code):
        return not given.source.startswith(("hashlib.", "secrets."))
    variable = re.match(r"[A-Za-z_]\w*", given.source)
    if variable and re.search(
        rf"(?m)^\s*{variable[0]} = .*{_PASSWORD.pattern[4:]}", function_text(call), re.IGNORECASE
    ):
        return True
    return call.code.startswith("return") and any(
        _PASSWORD.search(f"{use.code.partition('=')[0]} {use.source}")
        for use in project.code.calls(call.scope.dotted)
    )


def _is_token(call: Call) -> bool:
    """Tell whether what is hashed, or what the hash is called, is a token or a session's number."""
    given = call.argument(0, "string")
    if _LABEL.search(f"{call.function} {call.code.partition('=')[0]}"):
        return False
    return given is not None and bool(
        _TOKEN.search(given.source) or _TOKEN.search(call.code.partition("=")[0].split("(")[0])
    )


def _names_method(call: Call) -> bool:
    """Tell whether a call names a weak way to hash passwords; of several, the first is the one for new passwords."""
    if call.name in _SCHEMES:
        return True
    method = call.argument(1, "method") if call.name == _METHODS[0] else call.argument(0, "schemes")
    named = method.value.constant if method is not None else None
    first = named[0] if isinstance(named, list | tuple) and named else named
    return isinstance(first, str) and _WEAK.match(first) is not None
