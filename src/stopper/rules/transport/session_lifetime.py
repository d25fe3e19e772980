"""A session must end in reasonable time.

Flask's sessions live in a signed cookie that the server cannot take back: whoever copied one keeps it until
it expires. 31 days is the default; more is too long for an account.

Bad::

    from flask import Flask, session

    app = Flask(__name__)
    app.config["PERMANENT_SESSION_LIFETIME"] = 60 * 60 * 24 * 365

Good::

    from flask import Flask, session

    app = Flask(__name__)
    app.config["PERMANENT_SESSION_LIFETIME"] = 60 * 60 * 12

References:
    - CWE-613
    - ASVS 5.0 V7.3.2
    - https://flask.palletsprojects.com/en/stable/config/#PERMANENT_SESSION_LIFETIME
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.policy import SESSION_DAYS
from stopper.rule import Rule
from stopper.rules._posture import judged_setting
from stopper.source.project import Project


class SessionLifetime(Rule):
    """Compare PERMANENT_SESSION_LIFETIME, as it holds in production, with the policy."""

    area = Area.TRANSPORT
    severity = Severity.LOW
    cwe = (613,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report a wrong value where it is written, and the absence of a right one at the app."""
        yield from judged_setting(
            self,
            project,
            "PERMANENT_SESSION_LIFETIME",
            wrong=lambda value: isinstance(value, int | float) and value > SESSION_DAYS * 86400,
            wrong_message="PERMANENT_SESSION_LIFETIME keeps a session valid for more than 31 days, also after logout",
            unset_message="",
            remedy='app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(hours=12)',
        )
