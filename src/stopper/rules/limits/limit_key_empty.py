"""The key of a limit must never be empty.

Flask-Limiter skips a limit whose key function returns an empty string. A key read from a header that the client may leave
out, with "" as the default, is a limit that the client may leave out.

Bad::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(lambda: request.headers.get("X-API-Key", ""), app=app)

Good::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(lambda: request.headers.get("X-API-Key") or get_remote_address(), app=app)

References:
    - CWE-799
    - CWE-807
    - ASVS 5.0 V2.4.1
    - https://flask-limiter.readthedocs.io/en/stable/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._posture import LIMITER, own_calls
from stopper.source.code import Expr
from stopper.source.project import Project

_DECORATED = tuple(f"{name}().{kind}" for name in LIMITER for kind in ("limit", "shared_limit"))
_EMPTY = regex(r"""(?:get\([^()]*,\s*|\bor\s+|\breturn\s+|\belse\s+)(?:''|"")""")


class LimitKeyEmpty(Rule):
    """Read the key functions for an empty string that they may return."""

    area = Area.LIMITS
    severity = Severity.MEDIUM
    cwe = (799, 807)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each key that may be empty."""
        calls = [(call, call.argument(0, "key_func")) for call in own_calls(project, *LIMITER)]
        calls += [(call, call.argument(1, "key_func")) for call in own_calls(project, *_DECORATED)]
        for call, key in calls:
            if key is not None and _EMPTY.search(_text(project, key)):
                yield self.found(
                    key.location, "where this key is empty, the limit is skipped", confidence=Confidence.MEDIUM,
                    remedy="... or get_remote_address()", context=call.function or "limiter",
                )  # fmt: skip


def _text(project: Project, key: Expr) -> str:
    """Return the text of a key function: the lambda itself, or the body of the function that is named."""
    if key.source.startswith("lambda"):
        return key.source
    scope = project.code.scope(key.name or "")
    return scope.module.source(scope.node) if scope is not None else ""
