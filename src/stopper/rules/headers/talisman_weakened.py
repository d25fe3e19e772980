"""Talisman's protections must not be switched off.

Talisman is there for HSTS, the redirect to HTTPS, the policy and the frame options. Each can be switched off
by one argument, often for a test that was forgotten.

Bad::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    Talisman(app, content_security_policy=None, force_https=False)

Good::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    Talisman(app)

References:
    - CWE-693
    - CWE-319
    - ASVS 5.0 V3.4.1
    - ASVS 5.0 V3.4.3
    - https://github.com/wntrblm/flask-talisman#options
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import TALISMAN, constant, own_calls
from stopper.source.project import Project

_FLAGS = (
    "force_https",
    "strict_transport_security",
    "x_content_type_options",
    "session_cookie_secure",
    "session_cookie_http_only",
)
_VALUES = ("content_security_policy", "frame_options", "referrer_policy")


class TalismanWeakened(Rule):
    """Look at the arguments of Talisman that take a protection away."""

    area = Area.HEADERS
    severity = Severity.MEDIUM
    cwe = (693, 319)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each Talisman with the protections it was told to leave out."""
        for call in own_calls(project, *TALISMAN):
            off = [name for name in _FLAGS if constant(call.argument(None, name)) is False]
            off += [name for name in _VALUES if constant(call.argument(None, name)) in (None, False, "")]
            if off:
                yield self.found(
                    call.location,
                    f"Talisman is told to leave out {', '.join(off)}",
                    confidence=Confidence.MEDIUM,
                    remedy=f"Talisman(app)  # without {', '.join(off)}",
                    context=call.function,
                )
