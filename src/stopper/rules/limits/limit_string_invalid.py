"""A limit must be one that Flask-Limiter understands.

A typo in a decorated limit is logged and ignored, so the route has no limit; a typo in the defaults gives
status 500 on every request.

Bad::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, storage_uri="redis://localhost:6379", strategy="moving-window", in_memory_fallback_enabled=True)

    @app.post("/login")
    @limiter.limit("5 pr minute")
    def login():
        return "hello"

Good::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, storage_uri="redis://localhost:6379", strategy="moving-window", in_memory_fallback_enabled=True)

    @app.post("/login")
    @limiter.limit("5 per minute; 100/day")
    def login():
        return "hello"

References:
    - CWE-799
    - https://flask-limiter.readthedocs.io/en/stable/configuration.html#rate-limit-string-notation
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._posture import constant, own_calls
from stopper.source.project import Project

_CALLS = ("flask_limiter.Limiter().limit", "flask_limiter.Limiter().shared_limit")
_CUT = re.compile(r"\s*[,;|]\s*")
_LIMIT = regex(r"\d+\s*(?:/|\s+per\s+)\s*(?:\d+\s*)?(?:second|minute|hour|day|month|year)s?", re.IGNORECASE)


class LimitStringInvalid(Rule):
    """Read every constant limit by the notation that the documentation gives."""

    area = Area.LIMITS
    severity = Severity.HIGH
    cwe = (799,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each limit that does not parse."""
        for call in own_calls(project, *_CALLS):
            given = call.argument(0, "limit_value")
            text = constant(given)
            if (
                isinstance(text, str)
                and given is not None
                and not all(_LIMIT.fullmatch(one) for one in _CUT.split(text.strip()))
            ):
                yield self.found(
                    given.location,
                    f"{text!r} is no limit that Flask-Limiter understands: it is ignored, and nothing is limited",
                    remedy='"5 per minute"',
                    context=f"{call.function} {text}",
                )
