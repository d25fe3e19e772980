"""A private key must not lie in the project.

Whoever has the project can read what is sent to the server, or pass for it.

Bad::

    from flask import Flask

    app = Flask(__name__)
    # file: server.key
    -----BEGIN PRIVATE KEY-----
    qX3vT9mKf2LwZ8sRb5NcYh7PdJ4gUaE1xVo6iCtSkMzQrBnWpHyDlFjGuAeOI0TM
    b7Rk2WcXz9VfLq4NsJh6PmYt8GdEaU3oKi5SxCvBnMwQrZpHyDlFjTgAeOu1I0RX
    -----END PRIVATE KEY-----

Good::

    from flask import Flask

    app = Flask(__name__)
    # file: server.pub
    -----BEGIN PUBLIC KEY-----
    qX3vT9mKf2LwZ8sRb5NcYh7PdJ4gUaE1xVo6iCtSkMzQrBnWpHyDlFjGuAeOI0TM
    -----END PUBLIC KEY-----

References:
    - CWE-321
    - CWE-538
    - ASVS 5.0 V13.3.1
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules.secrets._text import report, secrets_in
from stopper.source.project import Project


class PrivateKeyInTree(Rule):
    """Look for PEM and PGP armour with a body."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (321, 538)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each private key."""
        for file, one in secrets_in(project):
            if one.kind == "private-key":
                yield report(
                    self,
                    project,
                    file,
                    one,
                    f"{file.path} holds a {one.name}",
                    "draw a new key and keep it outside the project",
                )
