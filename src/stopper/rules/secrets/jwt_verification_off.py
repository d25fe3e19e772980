"""A token's signature must be checked.

Without the check anybody writes the token they like: another user's id, an admin's role.

Bad::

    from flask import Flask

    app = Flask(__name__)
    import jwt


    def who(token):
        return jwt.decode(token, options={"verify_signature": False})

Bad::

    from flask import Flask

    app = Flask(__name__)
    import jwt


    def who(token):
        return jwt.decode(token, app.secret_key, algorithms=["none"])

Good::

    from flask import Flask

    app = Flask(__name__)
    import jwt


    def who(token):
        return jwt.decode(token, app.secret_key, algorithms=["HS256"])

References:
    - CWE-347
    - ASVS 5.0 V9.1.1
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import own_calls
from stopper.source.code import Call, Expr
from stopper.source.project import Project
from stopper.source.reads import keys_read

_FINDING = frozenset(("iss", "kid", "alg", "aud", "tid"))
"""What must be known of a token before its signature can be checked: who issued it, and with which key."""
_DECODERS = ("jwt.decode", "jose.jwt.decode", "jwt.PyJWT().decode")
_UNVERIFIED = ("jose.jwt.get_unverified_claims", "jose.jws.get_unverified_claims")
_NO_KEY = frozenset(("",))


class JwtVerificationOff(Rule):
    """Ask the calls that decode tokens for options that switch the check off."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (347,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call that takes a token without checking it."""
        calls = list(own_calls(project, *_DECODERS, *_UNVERIFIED))
        for call in own_calls(project, "jwt.encode", "jose.jwt.encode"):
            if _names_none(call.argument(2, "algorithm")):
                yield self.found(
                    call.location, "the token is not signed, so that anybody can write one",
                    confidence=Confidence.HIGH, remedy='jwt.encode(claims, key, algorithm="HS256")', context=call.function,
                )  # fmt: skip
        checking = {(call.module.path, call.function) for call in calls if not _unchecked(call)}
        for call in calls:
            if not _unchecked(call):
                continue
            doubt = ""
            if (call.module.path, call.function) in checking:
                doubt = "; the function also checks it: see that nothing else is read from this first look"
            elif (keys_read(call) or _NO_KEY) <= _FINDING:
                doubt = "; what is read of it only finds the key: see that the token is checked with it afterwards"
            yield self.found(
                call.location,
                "the token is decoded without checking its signature" + doubt,
                confidence=Confidence.LOW if doubt else Confidence.HIGH,
                remedy='jwt.decode(token, key, algorithms=["HS256"])',
                context=call.function,
            )


def _names_none(algorithm: Expr | None) -> bool:
    """Tell whether an algorithm, or one of several, is none at all."""
    if algorithm is None:
        return False
    named = algorithm.value.constant
    listed = named if isinstance(named, list | tuple | frozenset) else [named]
    return any(isinstance(one, str) and one.lower() == "none" for one in listed)


def _unchecked(call: Call) -> bool:
    """Tell whether a call that decodes a token leaves its signature unchecked."""
    if call.name in _UNVERIFIED:
        return True
    options = call.argument(3, "options")
    verify = call.argument(None, "verify")
    given = options.value.constant if options is not None else None
    off = any(
        key is not None and key.value.constant == "verify_signature" and value.value.constant is False
        for key, value in (options.items() if options is not None else [])
    ) or (isinstance(given, dict) and given.get("verify_signature") is False)
    return (
        off
        or _names_none(call.argument(2, "algorithms"))
        or (verify is not None and verify.value.constant is False)
    )
