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
from stopper.rules._posture import constant, function_text
from stopper.rules.secrets._hashes import (
    BROKEN,
    FAST,
    FED,
    hashes_password,
    is_excused,
    is_of_token,
    is_token,
)
from stopper.source.code import Call, Expr
from stopper.source.files import Role
from stopper.source.project import Project


class WeakPasswordHash(Rule):
    """Look for fast hashes of what a name calls a password, and for weak methods of generate_password_hash."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (916, 328)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each fast hash of a password."""
        for call in project.code.calls(*FAST, *FED, *_METHODS, *_SCHEMES, "hashlib.new"):
            if call.module.role is not Role.APP or is_excused(call):
                continue
            name = _algorithm(call)
            if name in _SLOW:
                continue
            if _names_method(call) if call.name in _NAMING else hashes_password(call, project):
                yield self.found(
                    call.location, f"{name} here is too fast for a password",
                    remedy="generate_password_hash(password)", context=call.function,
                )  # fmt: skip
            elif name in BROKEN and is_token(call):
                yield self.found(
                    call.location, f"{name} is broken, and this value stands for a token or a session",
                    severity=Severity.MEDIUM, confidence=Confidence.MEDIUM,
                    remedy="hashlib.sha256(token).hexdigest()" if is_of_token(call) else "secrets.token_urlsafe(32)",
                    context=call.function,
                )  # fmt: skip
        for call in (one for name in _SETTERS for one in project.code.every_call(name)):
            given = call.argument(0)
            if given is not None and call.module.role is Role.APP and _is_broken(given, call):
                yield self.found(
                    call.location, f"{given.source} is a broken hash; it matters unless {call.target.identifier} hashes it slowly itself",
                    confidence=Confidence.LOW, remedy="generate_password_hash(password)", context=call.function,
                )  # fmt: skip


_METHODS = ("werkzeug.security.generate_password_hash", "passlib.context.CryptContext")
_SCHEMES = tuple(
    f"passlib.hash.{name}.{verb}"
    for name in "md5_crypt sha1_crypt des_crypt bsdi_crypt hex_md5 hex_sha1 plaintext nthash".split()
    for verb in ("hash", "using")
)
_SLOW = frozenset(("pbkdf2", "scrypt", "argon2", "bcrypt"))
"""What a project calls the slow way to hash, in the setting that it may hand to ``hashlib.new``."""
_SETTERS = ("set_password", "setPassword", "set_password_hash", "update_password")
_DIGEST = regex(
    r"(?:hashlib\.(?:md5|sha1)|Crypto(?:dome)?\.Hash\.(?:MD[245]|SHA1?)\.new)\(\)\.(?:hex)?digest\(\)"
)
_HAZARD = regex(r"hashes\.(?:MD5|SHA1)\(")
_NAMING = frozenset((*_METHODS, *_SCHEMES))
_WEAK = regex(r"plain|md5|sha(?!\w*_crypt)|sha1_|hex_|des_|bsdi|nthash|pbkdf2:(md5|sha1)|pbkdf2:\w+:\d{1,5}$")


def _algorithm(call: Call) -> str:
    """Return the name of the hash, which ``hashlib.new`` is told: at the call, or where what is fed was made."""
    name = call.name.removesuffix("().update").rpartition(".")[2]
    if name != "new":
        return name
    told = constant(call.argument(0, "name")) if call.name == "hashlib.new" else None
    fed = call.receiver.identifier if call.receiver is not None else ""
    made = re.search(rf"""\b{fed} = hashlib\.new\(\s*["']([\w-]+)""", function_text(call)) if fed else None
    return str(told or (made[1] if made else name)).lower().replace("-", "")


def _is_broken(given: Expr, call: Call) -> bool:
    """Tell whether a value is a digest of MD5 or SHA-1."""
    name = given.name or ""
    by_name = name == "cryptography.hazmat.primitives.hashes.Hash().finalize()"
    return _DIGEST.fullmatch(name) is not None or (
        by_name and _HAZARD.search(function_text(call)) is not None
    )


def _names_method(call: Call) -> bool:
    """Tell whether a call names a weak way to hash passwords; of several, the first is the one for new passwords."""
    if call.name in _SCHEMES:
        return True
    method = call.argument(1, "method") if call.name == _METHODS[0] else call.argument(0, "schemes")
    named = method.value.constant if method is not None else None
    first = named[0] if isinstance(named, list | tuple) and named else named
    return isinstance(first, str) and _WEAK.match(first) is not None
