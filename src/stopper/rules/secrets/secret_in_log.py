"""A secret must not be written to a log.

Logs are kept for months, copied to other services and read by more people than the database. A password that was logged once has to be taken for
known.

Bad::

    from flask import Flask
    from flask import request

    app = Flask(__name__)

    @app.post("/login")
    def login():
        password = request.form["password"]
        app.logger.info("login with %s", password)
        return "welcome"

Good::

    from flask import Flask
    from flask import request

    app = Flask(__name__)

    @app.post("/login")
    def login():
        app.logger.info("login of %r", request.form["name"])
        return "welcome"

References:
    - CWE-532
    - ASVS 5.0 V16.2.5
    - https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html#data-to-exclude
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source.code import Expr
from stopper.source.files import Role
from stopper.source.project import Project

_LOGGER = re.compile(r"\blog(?:ger|ging)?\b|_log(?:ger)?\b|^LOG", re.IGNORECASE)
_NAMED = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|secret|api_?key|private_?key|secret_?key|access_?token|refresh_?token|t?otp(?:_(?:secret|code|token))?)$",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"""request\.headers(?:\.get\(|\[)\s*["'](?P<name>Authorization|Cookie|X-Api-Key|X-Auth-Token)["'][^()\[\]]*[\])]""",
    re.IGNORECASE,
)
_TYPED = re.compile(
    r"""request\.(?:form|values|json|args)(?:\.get\(|\[)\s*["'](?P<name>\w*(?:passw(?:or)?d|token|otp|secret))["'][^()\[\]]*[\])]""",
    re.IGNORECASE,
)
_FIELD = re.compile(r"\{\s*([\w.]+)\s*(?:![rsa])?(?::[^{}]*)?\}")


class SecretInLog(Rule):
    """Look at the arguments of logging calls for variables, attributes and form fields whose name says secret."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (532,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each secret that a log receives."""
        for level in ("debug", "info", "warning", "error", "critical", "exception", "log"):
            for call in project.code.every_call(level):
                if call.module.role is not Role.APP or not _LOGGER.search(call.target.source):
                    continue
                for argument in call.arguments:
                    told = _secret(argument)
                    if told:
                        yield self.found(
                            call.location, f"the log receives {told}", confidence=Confidence.MEDIUM,
                            remedy="leave it out, or log who and not what", context=f"{call.function} {told}",
                        )  # fmt: skip


def _secret(argument: Expr) -> str:
    """Return the name of the secret that an argument holds as it is, or "": a hash, a length or a test of it is none."""
    if _NAMED.search(argument.identifier):
        return argument.identifier
    made = argument.call
    if made is not None and made.target.source.endswith(".format"):
        return next((told for one in made.arguments if (told := _secret(one))), "")
    if argument.source.startswith(("f'", 'f"')):
        fields = (match[1].rpartition(".")[2] for match in _FIELD.finditer(argument.source))
        return next((name for name in fields if _NAMED.search(name)), "")
    typed = _TYPED.fullmatch(argument.source)
    if typed is not None:
        return f"the field {typed['name']}"
    header = _HEADER.fullmatch(argument.source)
    return f"the header {header['name']}" if header is not None else ""
