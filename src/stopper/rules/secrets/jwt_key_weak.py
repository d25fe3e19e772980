"""The key that signs tokens must be long and unknown.

A token is public: whoever holds one can try keys against it at leisure. A short key or a word falls in minutes, and the finder then signs
tokens for any user.

Bad::

    from flask import Flask
    import jwt

    app = Flask(__name__)

    def token_for(user):
        return jwt.encode({"sub": user}, "secret", algorithm="HS256")

Good::

    from flask import Flask
    import os
    import jwt

    app = Flask(__name__)

    def token_for(user):
        return jwt.encode({"sub": user}, os.environ["TOKEN_KEY"], algorithm="HS256")

References:
    - CWE-326
    - CWE-321
    - ASVS 5.0 V9.1.2
    - RFC 7518 section 3.2
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import own_calls
from stopper.rules.secrets._text import key_text
from stopper.source.code import Call
from stopper.source.credentials import redact_value
from stopper.source.project import Project

_PUBLIC = re.compile(r"PUBLIC KEY|CERTIFICATE|^\s*$")


class JwtKeyWeak(Rule):
    """Read the key of each call that signs or checks a token; a constant one stands in the source."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (326, 321)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each constant key, the short ones as the worst."""
        for call in own_calls(
            project,
            "jwt.encode",
            "jwt.decode",
            "jose.jwt.encode",
            "jose.jwt.decode",
            "authlib.jose.jwt.encode",
        ):
            key = call.argument(1, "key")
            value = key.value if key is not None else None
            text = key_text(value.constant) if value is not None and value.known else None
            if text is None or _PUBLIC.search(text) or _unchecked(call):
                continue
            short = len(text) < 32
            yield self.found(
                call.location, f"tokens are signed with a key that stands in the source{' and is shorter than 32 bytes' if short else ''}",
                severity=Severity.CRITICAL if short else Severity.HIGH, remedy='os.environ["TOKEN_KEY"]', context=call.function,
                code=redact_value(call.code, text),
            )  # fmt: skip


def _unchecked(call: Call) -> bool:
    """Tell whether the key of a call is not used: the signature is not checked."""
    options = call.argument(3, "options")
    return options is not None and "verify_signature" in options.source
