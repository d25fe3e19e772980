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

from stopper.finding import Area, Confidence, Finding, Location, Severity
from stopper.rule import Rule
from stopper.rules.secrets._environment import gives_secret
from stopper.source.files import Role, role_of
from stopper.source.history import Committed, is_env_file
from stopper.source.project import Project
from stopper.source.settings_model import is_for_production


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
            sure = _may_hold_secret(project, path, past.get(path))
            if not sure:
                said += "; nothing in it looks like a secret"
            remedy = f"echo {path} >> .gitignore && git rm --cached {path}"
            yield self.found(
                Location(path), said, severity=severity if sure else Severity.LOW, remedy=remedy, context=path, code=path,
                confidence=_confidence(path) if sure else Confidence.LOW,
            )  # fmt: skip


def _confidence(path: str) -> Confidence:
    """Return how sure one can be that a secret is at stake: those of development often are none."""
    return Confidence.HIGH if is_for_production(path) else Confidence.MEDIUM


def _may_hold_secret(project: Project, path: str, past: Committed | None) -> bool:
    """Tell whether a file holds what looks like a secret; where it is gone, the commit that added it is asked.

    The disk is read, and not the tree: .gitignore can hide a tracked file from the tree.
    """
    if any(one.path == path for one in project.history.secrets()):
        return True
    file = project.tree.root / path
    if file.is_file() and not file.is_symlink():
        text: str | None = file.read_text(encoding="utf-8", errors="replace")
    else:
        text = project.history.content(past) if past is not None else None
    return text is None or gives_secret(text)
