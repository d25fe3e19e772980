"""A secret must be compared in constant time.

``==`` stops at the first difference: how long the answer takes tells how much of a signature or token was right. hmac.compare_digest takes
the same time for every input.

Bad::

    from flask import Flask
    import hmac
    from flask import abort, request

    app = Flask(__name__)
    KEY = b""

    @app.post("/hook")
    def hook():
        signature = hmac.new(KEY, request.get_data(), "sha256").hexdigest()
        if signature != request.headers["X-Signature"]:
            abort(403)
        return "stored"

Good::

    from flask import Flask
    import hmac
    from flask import abort, request

    app = Flask(__name__)
    KEY = b""

    @app.post("/hook")
    def hook():
        signature = hmac.new(KEY, request.get_data(), "sha256").hexdigest()
        if not hmac.compare_digest(signature, request.headers["X-Signature"]):
            abort(403)
        return "stored"

References:
    - CWE-208
    - ASVS 5.0 V11.2.4
    - https://docs.python.org/3/library/hmac.html#hmac.compare_digest
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._posture import function_text, own_calls
from stopper.source.files import Role
from stopper.source.module import Module
from stopper.source.project import Project
from stopper.source.suspects import lines_with

_WORDS = ("token", "secret", "api_key", "apikey", "password", "signature")
_NAME = r"[A-Za-z_][\w.]*(?:\([^()\n]*\)|\[[^\[\]\n]*\])*"
_COMPARED = re.compile(rf"(?P<left>{_NAME})\s*(?:==|!=)\s*(?P<right>{_NAME})")
_SECRET = regex(
    r"""^(?:\w+\.)*(?:[A-Z_]*(?:TOKEN|SECRET|API_?KEY|PASSWORD|SIGNATURE)[A-Z_]*$|(?:config|environ)(?:\.get\(|\[)\s*["']\w*(?:TOKEN|SECRET|KEY|PASSWORD))"""
)


class TimingUnsafeCompare(Rule):
    """Look for a comparison by == in functions that make a MAC, or of an expected key with what a header holds."""

    area = Area.SECRETS
    severity = Severity.LOW
    cwe = (208,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each comparison of a computed signature."""
        for call in own_calls(project, "hmac.new().hexdigest", "hmac.new().digest", "hmac.digest"):
            text = function_text(call)
            if not call.function or "compare_digest" in text:
                continue
            start = call.module.text.content.find(text)
            names = "|".join(map(re.escape, _names_given(text, call.source)))
            match = (
                re.search(rf"(?:\b(?:{names})\s*[!=]=|[!=]=\s*(?:{names})\b)[^\n]*", text) if names else None
            )
            if match is not None and start >= 0:
                yield self.found(
                    call.module.text.location(call.module.path, start + match.start(), start + match.end()),
                    "the time of the answer tells how much of the signature was right", confidence=Confidence.MEDIUM,
                    remedy="hmac.compare_digest(expected, given)", context=call.function,
                )  # fmt: skip
        for module, start, end, secret in _expected(project):
            yield self.found(
                module.text.location(module.path, start, end), f"the time of the answer tells how much of {secret} was right",
                confidence=Confidence.MEDIUM, remedy=f"hmac.compare_digest(given, {secret})", context=secret,
            )  # fmt: skip


def _expected(project: Project) -> Iterator[tuple[Module, int, int, str]]:
    """Yield each comparison of a configured secret with what the client sends: its module, where it begins and ends, the secret."""
    for module in project.modules:
        text = module.text.content
        if module.role is not Role.APP or "request" not in text:
            continue
        for start, end in lines_with(text, _WORDS):
            for found in _COMPARED.finditer(text, start, end):
                sides = (found["left"], found["right"])
                secret = next((one for one in sides if _SECRET.search(one)), None)
                other = sides[0] if secret == sides[1] else sides[1]
                if secret is not None and _is_sent(other, text[:start]):
                    yield module, found.start(), found.end(), secret


def _is_sent(name: str, before: str) -> bool:
    """Tell whether a side of a comparison is the client's: read there, or bound to what was read before."""
    if name.startswith("request."):
        return True
    bound = re.findall(rf"(?m)^\s*{re.escape(name)}\s*=(?!=)([^\n]*)", before) if name.isidentifier() else []
    return bool(bound) and re.search(r"\brequest\.", bound[-1]) is not None


def _names_given(text: str, made: str) -> list[str]:
    """Return the variables that a function gives the MAC to."""
    return re.findall(rf"(\w+)\s*=\s*[^\n]*{re.escape(made.split('(', maxsplit=1)[0])}", text)
