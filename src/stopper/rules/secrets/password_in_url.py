"""A URL in the code must not hold a password.

URLs are logged, shown in errors and copied; the password goes with them.

Bad::

    from flask import Flask

    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "mysql://blog:k7winter@db.bench.net/blog"

Good::

    import os

    from flask import Flask

    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]

References:
    - CWE-798
    - CWE-522
    - ASVS 5.0 V13.3.1
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules.secrets._text import report, secrets_in
from stopper.source.project import Project


class PasswordInUrl(Rule):
    """Look for scheme://user:password@host, placeholders aside."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (798, 522)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each URL with a password."""
        for file, one in secrets_in(project):
            if one.kind == "password-in-url":
                yield report(
                    self,
                    project,
                    file,
                    one,
                    f"the {one.name} stands in {file.path}",
                    'os.environ["DATABASE_URL"]',
                )
