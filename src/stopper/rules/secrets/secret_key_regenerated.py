"""A signing key must not be drawn anew at every start.

Each worker and each restart then has a key of its own: sessions break, and so does everything else
that was signed.

Bad::

    import os

    from flask import Flask

    app = Flask(__name__)
    app.secret_key = os.urandom(32)

Good::

    import os

    from flask import Flask

    app = Flask(__name__)
    app.secret_key = os.environ["SECRET_KEY"]

References:
    - CWE-330
    - https://flask.palletsprojects.com/en/stable/config/#SECRET_KEY
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules.secrets._text import at_key, key_settings
from stopper.source.project import Project

_DRAWN = {"os.urandom", "secrets.token_hex", "secrets.token_bytes", "secrets.token_urlsafe", "uuid.uuid4"}


class SecretKeyRegenerated(Rule):
    """Ask whether the key's expression is a call that draws random bytes."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (330,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each signing key that is drawn when the app starts."""
        for setting in key_settings(project):
            call = setting.expr.call if setting.expr is not None else None
            drawn = (
                {call.name, call.receiver.call.name if call.receiver and call.receiver.call else ""}
                if call
                else set()
            )
            if drawn & _DRAWN:
                yield at_key(
                    self,
                    project,
                    setting,
                    f"{setting.key} is another one in every worker and after every restart",
                )
