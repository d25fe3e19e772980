"""A provider's credential must not lie in the project or in its history.

Bots read every public commit within minutes. What was ever committed stays readable in every clone,
so only withdrawing it helps.

Bad::

    from flask import Flask

    app = Flask(__name__)
    SENTRY = "https://3f9a1c7e5b2d8f604a9c1e7b3d5f82a0@o1.ingest.sentry.io/17"

Good::

    import os

    from flask import Flask

    app = Flask(__name__)
    SENTRY = os.environ["SENTRY_DSN"]

References:
    - CWE-798
    - CWE-540
    - ASVS 5.0 V13.3.1
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Location, Severity, Skipped
from stopper.rule import Rule
from stopper.rules.secrets._text import report, secrets_in
from stopper.source.history import digest
from stopper.source.project import Project

_OTHERS = {"named", "private-key", "password-in-url"}


class HardcodedCredential(Rule):
    """Match the forms of fifty providers in the files, and in what commits ever added."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (798, 540)

    def source(self, project: Project) -> Iterator[Finding | Skipped]:
        """Report credentials in the files, then those that only history holds."""
        seen = set()
        for file, one in secrets_in(project):
            seen.add(digest(one.secret))
            if one.kind not in _OTHERS:
                remedy = f"withdraw it ({one.revoke or 'where it was issued'}) and read the new one from os.environ"
                yield report(
                    self,
                    project,
                    file,
                    one,
                    f"{file.path} holds a credential: {one.name} {one.masked}",
                    remedy,
                )
        for past in project.history.secrets():
            if past.digest not in seen:
                message = f"commit {past.commit} of {past.date} added {past.name} {past.masked} to {past.path}; every clone still holds it"
                yield self.found(
                    Location(past.path), message, confidence=past.confidence, severity=past.severity, code=past.masked,
                    remedy=f"withdraw it ({past.revoke or 'where it was issued'}); rewriting history alone does not help",
                    context=f"{past.commit} {past.masked}",
                )  # fmt: skip
        yield from project.history.skipped
