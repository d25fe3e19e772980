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
from stopper.source.code import Call
from stopper.source.files import Role
from stopper.source.project import Project
from stopper.source.reads import keys_read

_FINDING = frozenset(("iss", "kid", "alg", "aud", "tid"))
"""What must be known of a token before its signature can be checked: who issued it, and with which key."""
_NO_KEY = frozenset(("",))


class JwtVerificationOff(Rule):
    """Ask the calls that decode tokens for options that switch the check off."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (347,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call that takes a token without checking it."""
        calls = [
            call
            for call in project.code.calls("jwt.decode", "jose.jwt.decode", "jwt.PyJWT().decode")
            if call.module.role is Role.APP
        ]
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


def _unchecked(call: Call) -> bool:
    """Tell whether a call that decodes a token leaves its signature unchecked."""
    options = call.argument(3, "options")
    verify = call.argument(None, "verify")
    algorithms = call.argument(2, "algorithms")
    off = any(
        key is not None and key.value.constant == "verify_signature" and value.value.constant is False
        for key, value in (options.items() if options is not None else [])
    )
    none = algorithms is not None and any(
        str(one.value.constant).lower() == "none" for one in algorithms.elements()
    )
    return off or none or (verify is not None and verify.value.constant is False)
