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
from stopper.rule import Rule
from stopper.rules._posture import function_text, own_calls
from stopper.source.project import Project


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


def _names_given(text: str, made: str) -> list[str]:
    """Return the variables that a function gives the MAC to."""
    return re.findall(rf"(\w+)\s*=\s*[^\n]*{re.escape(made.split('(', maxsplit=1)[0])}", text)
