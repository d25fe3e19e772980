"""A signing key must come from a source that cannot be guessed.

random, time and uuid1 are predictable: whoever knows when the app was started, or has seen some of its numbers, can work the key out and sign
sessions for any user.

Bad::

    from flask import Flask
    import random

    app = Flask(__name__)
    app.secret_key = str(random.random())

Good::

    from flask import Flask
    import os

    app = Flask(__name__)
    app.secret_key = os.environ["SECRET_KEY"]

References:
    - CWE-338
    - CWE-330
    - ASVS 5.0 V11.5.1
    - https://docs.python.org/3/library/secrets.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules.secrets._text import KEYS
from stopper.source.files import Role
from stopper.source.project import Project

_GUESSED = re.compile(
    r"\brandom\.(?!SystemRandom|_urandom)\w+|\bnp\.random\b|\btime\.time\(|\buuid1\(|\bdatetime\.(?:datetime\.)?now\(|\bgetnode\("
)


class SecretKeyPredictable(Rule):
    """Look for random, time and uuid1 in what a signing key is given."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (338, 330)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each key that is made of what can be guessed."""
        for key in KEYS:
            for setting in project.settings.in_production(key):
                text = setting.expr.source if setting.expr is not None else ""
                if _GUESSED.search(text) and project.role(setting.location.path) is Role.APP:
                    yield self.found(
                        setting.location,
                        f"{key} is made of numbers that can be guessed",
                        remedy=f'os.environ["{key}"]',
                        context=key,
                    )
