"""A limit on a view must not take the default away.

In Flask-Limiter a decorated limit replaces the default limits of its route. A default of 200 a day and five a minute on the
login page gives 7,200 guesses a day: the day's limit no longer holds there.

Bad::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, default_limits=["200 per day"])

    @app.post("/login")
    @limiter.limit("5 per minute")
    def login():
        return "welcome"

Good::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    limiter = Limiter(get_remote_address, app=app, default_limits=["200 per day"])

    @app.post("/login")
    @limiter.limit("5 per minute", override_defaults=False)
    def login():
        return "welcome"

References:
    - CWE-799
    - CWE-307
    - ASVS 5.0 V6.3.1
    - https://flask-limiter.readthedocs.io/en/stable/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import LIMITER, constant, own_calls
from stopper.source.project import Project

_PERIODS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "month": 2_592_000, "year": 31_536_000}


class LimitReplacesDefault(Rule):
    """Compare the longest period of each decorated limit with that of the defaults."""

    area = Area.LIMITS
    severity = Severity.LOW
    cwe = (799, 307)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each limit of a short time that replaces one of a longer time."""
        defaults = [constant(call.argument(None, "default_limits")) for call in own_calls(project, *LIMITER)]
        longest = max((_period(one) for one in defaults), default=0)
        for call in own_calls(project, *(f"{name}().limit" for name in LIMITER)):
            given = constant(call.argument(0, "limit_value"))
            if not isinstance(given, str) or constant(call.argument(None, "override_defaults")) is False:
                continue
            if 0 < _period(given) < longest:
                yield self.found(
                    call.location, f"{given!r} replaces the default limits here, and those hold for a longer time",
                    remedy=f'@limiter.limit("{given}", override_defaults=False)', context=f"{call.function} {given}",
                )  # fmt: skip


def _period(limits: object) -> int:
    """Return the longest period, in seconds, that a limit or a list of limits speaks of; 0 for none."""
    texts = limits if isinstance(limits, list | tuple) else [limits]
    words = [word for text in texts if isinstance(text, str) for word in re.findall(r"[a-z]+", text.lower())]
    return max((_PERIODS.get(word.removesuffix("s"), 0) for word in words), default=0)
