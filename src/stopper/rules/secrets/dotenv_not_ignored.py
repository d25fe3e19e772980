"""A .env file must stay out of version control.

One `git add .` puts it into every clone for good. Add .env to .gitignore, and give .env.example
without values instead.

Bad::

    from flask import Flask

    app = Flask(__name__)
    # file: .env
    MAIL_PASSWORD=k7-winter-night

Good::

    from flask import Flask

    app = Flask(__name__)
    # file: .gitignore
    .env
    # file: .env
    MAIL_PASSWORD=k7-winter-night

References:
    - CWE-538
    - CWE-540
    - ASVS 5.0 V13.3.1
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stopper.finding import Area, Finding, Location, Severity
from stopper.rule import Rule
from stopper.source.credentials import is_secret_name
from stopper.source.files import Role, role_of
from stopper.source.history import is_env_file
from stopper.source.project import Project


class DotenvNotIgnored(Rule):
    """Look for .env files that are tracked, not ignored, or were ever committed."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (538, 540)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each .env file once, for the worst that is known of it."""
        history = project.history
        past = {one.path: one for one in history.env_files()}
        present = {
            file.path for file in project.tree.files if is_env_file(file.path) and file.role is Role.APP
        }
        for path in sorted(present | set(past)):
            if role_of(path) is not Role.APP:
                continue
            if history.available and history.tracked(path):
                said, severity = f"{path} is tracked by git", Severity.HIGH
            elif path in past:
                said, severity = (
                    f"{path} was committed in {past[path].commit} ({past[path].date}); every clone still holds it",
                    Severity.MEDIUM,
                )
            else:
                said, severity = (
                    f"{path} is not in .gitignore: the next `git add .` commits it",
                    Severity.MEDIUM,
                )
            if not _may_hold_secret(project.tree.root / path):
                severity = Severity.LOW
            remedy = f"echo {path} >> .gitignore && git rm --cached {path}"
            yield self.found(Location(path), said, severity=severity, remedy=remedy, context=path, code=path)


def _may_hold_secret(file: Path) -> bool:
    """Tell whether a name in ``file`` says secret; .gitignore can hide a tracked file from the tree, so the disk is read."""
    if not file.is_file() or file.is_symlink():
        return True
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return any(is_secret_name(line.partition("=")[0].strip()) for line in lines if "=" in line)
