"""The secret key must not be the salt of short ids.

Hashids turns numbers into short texts and back; it encrypts nothing. Whoever sees some ids can work out the salt. If it
is the app's secret key, they sign a session with it next and are whoever they like.

Bad::

    from flask import Flask
    from hashids import Hashids

    app = Flask(__name__)
    ids = Hashids(salt=app.config["SECRET_KEY"], min_length=8)

Good::

    from flask import Flask
    from hashids import Hashids

    app = Flask(__name__)
    ids = Hashids(salt=app.config["IDS_SALT"], min_length=8)

References:
    - CWE-327
    - CWE-320
    - ASVS 5.0 V11.1.1
    - https://carnage.github.io/2015/08/cryptanalysis-of-hashids
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import own_calls
from stopper.source.project import Project

_KEY = re.compile(r"\bSECRET_KEY\b|\.secret_key$")


class SecretKeyAsSalt(Rule):
    """Look for the key among the salts of Hashids, as it is read from the configuration."""

    area = Area.SECRETS
    severity = Severity.MEDIUM
    cwe = (327, 320)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each such salt."""
        for call in own_calls(project, "hashids.Hashids", "flask_hashids.Hashids"):
            salt = call.argument(0, "salt")
            if salt is not None and _KEY.search(salt.source):
                yield self.found(
                    call.location,
                    f"{salt.source} is the salt of ids that everyone sees, and can be worked out from them",
                    remedy='Hashids(salt=app.config["IDS_SALT"], min_length=8)',
                    context=f"{call.function} salt",
                )
