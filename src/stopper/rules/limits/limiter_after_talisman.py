"""Limits must be checked before Talisman redirects.

Both work in a hook before the request, in the order in which they were made. Where Talisman comes first it answers with a redirect, and
the limiter never sees the request: redirects are not limited.

Bad::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    from flask_talisman import Talisman

    Talisman(app)
    limiter = Limiter(get_remote_address, app=app)

Good::

    from flask import Flask
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    app = Flask(__name__)
    from flask_talisman import Talisman

    limiter = Limiter(get_remote_address, app=app)
    Talisman(app)

References:
    - CWE-799
    - ASVS 5.0 V2.4.1
    - https://flask-limiter.readthedocs.io/en/stable/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import LIMITER, TALISMAN, constant, own_calls
from stopper.source.project import Project


class LimiterAfterTalisman(Rule):
    """Compare the places where one function makes both."""

    area = Area.LIMITS
    severity = Severity.INFO
    cwe = (799,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each Limiter that is made after a Talisman in the same function."""
        redirecting = {
            (call.module.path, call.function): call.location
            for call in own_calls(project, *TALISMAN)
            if constant(call.argument(None, "force_https")) is not False
        }
        for call in own_calls(project, *LIMITER):
            first = redirecting.get((call.module.path, call.function))
            if first is not None and first < call.location:
                yield self.found(
                    call.location, "Talisman is made first: its redirects are never limited", confidence=Confidence.MEDIUM,
                    remedy="Limiter(...)  # above Talisman(app)", context=call.function, related=(first,),
                )  # fmt: skip
