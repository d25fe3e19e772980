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

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
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
        fast = tuple(f"hashlib.{name}" for name in ("md5", "sha1", "sha224", "sha256", "sha512"))
        for call in project.code.calls(*fast, "werkzeug.security.generate_password_hash"):
            if call.module.role is Role.APP and (
                _is_weak(call) if call.name.endswith("_hash") else _hashes_password(call)
            ):
                yield self.found(
                    call.location, f"{call.name.rpartition('.')[2]} here is too fast for a password",
                    remedy="generate_password_hash(password)", context=call.function,
                )  # fmt: skip


def _hashes_password(call: Call) -> bool:
    given = call.argument(0, "string")
    return given is not None and bool(
        re.search(r"(?i)(?<![a-z])(password|passwd|pwd|passphrase)(?![a-z])", given.source)
    )


def _is_weak(call: Call) -> bool:
    method = call.argument(1, "method")
    text = method.value.constant if method is not None else None
    return isinstance(text, str) and bool(
        re.match(r"plain|md5|sha|pbkdf2:(md5|sha1)|pbkdf2:\w+:\d{1,5}$", text)
    )
