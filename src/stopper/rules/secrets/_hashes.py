"""What a fast hash is taken of and for, as far as names tell."""

from __future__ import annotations

import re

from stopper.regex import regex
from stopper.rules._posture import function_text
from stopper.source.code import Call
from stopper.source.project import Project

FAST = tuple(f"hashlib.{name}" for name in "md5 sha1 sha224 sha256 sha384 sha512 blake2b blake2s".split())
FED = tuple(f"{name}().update" for name in (*FAST, "hashlib.new"))
BROKEN = frozenset(("md4", "md5", "sha1"))
_PASSWORD = re.compile(r"(?i)(?<![a-z])(password|passwd|pwd|passphrase)(?![a-z])")
_KEPT = re.compile(r"(?i)[\w.]*(?<![a-z])(?:hashed_)?(?:password|passwd|pwd)(?:_?(?:hash|digest))?\s*=(?!=)")
_TOKEN = regex(
    r"(?i)(?<![a-z])(session_?(id|key)?|sid|(api_?|access_?|reset_?|auth_?|csrf_?)?token|api_?key|(\w+_)?secret(_?key)?)(?![a-z])"
)
_LABEL = re.compile(r"(?i)(?<![a-z])(etag|checksum|cache_?key|fingerprint|gravatar)(?![a-z])")


def is_excused(call: Call) -> bool:
    """Tell whether the call itself says that the hash is not for security."""
    argument = call.argument(None, "usedforsecurity")
    return argument is not None and argument.value.known and argument.value.constant is False


def hashes_password(call: Call, project: Project) -> bool:
    """Tell whether what is hashed, what the hash is called, or what its function is used for, is a password."""
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


def is_token(call: Call) -> bool:
    """Tell whether what is hashed, or what the hash is called, is a token or a session's number."""
    return not _LABEL.search(f"{call.function} {_target(call)}") and (
        is_of_token(call) or is_called_token(call)
    )


def is_of_token(call: Call) -> bool:
    """Tell whether what is hashed is a token."""
    given = call.argument(1, "data") if call.name == "hashlib.new" else call.argument(0, "string")
    return given is not None and _TOKEN.search(given.source) is not None


def is_called_token(call: Call) -> bool:
    """Tell whether the hash itself is made to be a token."""
    return call.argument(0, "string") is not None and _TOKEN.search(_target(call).split("(")[0]) is not None


def _target(call: Call) -> str:
    return call.code.partition("=")[0]
