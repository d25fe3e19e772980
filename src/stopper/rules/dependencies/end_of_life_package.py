"""An app must not run on a feature branch of Flask, Werkzeug or Jinja that is no longer mended.

Pallets mends only the newest feature branch. A hole found in an older one is published together with the fix
for the newest, and the older one never gets it.

Bad::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    flask==2.3.3

Good::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    flask==3.1.3

References:
    - CWE-1104
    - ASVS 5.0 V15.2.1
    - https://palletsprojects.com/versions
    - https://flask.palletsprojects.com/en/stable/changes/
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.lifecycles import NEWEST_BRANCH, PACKAGES, Branch, branch_of
from stopper.source.manifests import most_telling
from stopper.source.project import Project
from stopper.source.requirement import Requirement


class EndOfLifePackage(Rule):
    """Compare the pinned version, or an upper bound, with the end of its feature branch."""

    area = Area.DEPENDENCIES
    severity = Severity.MEDIUM
    cwe = (1104,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield one finding a package."""
        today = dt.datetime.now(dt.UTC).date()
        for name, branches in PACKAGES.items():
            ended = [
                one
                for one in project.manifests.named(name)
                if not one.development and _ended(one, branches, today)
            ]
            if ended:
                yield self._finding(most_telling(ended), branches, today)

    def _finding(self, one: Requirement, branches: tuple[Branch, ...], today: dt.date) -> Finding:
        branch = _ended(one, branches, today) or branches[0]
        newest = NEWEST_BRANCH[one.name]
        held = f"{one.name} {one.pinned}" if one.pinned else f"{one.name}{one.specifier}"
        kept = (
            f"is of the branch {branch.cycle}, which"
            if one.pinned
            else f"allows nothing newer than {branch.cycle}, which"
        )
        return self.found(
            one.location,
            f"{held} {kept} has had no fixes since {branch.ended}; the branch that is mended is {newest}.",
            remedy=f"{one.name}~={newest}.0",
            context=f"{one.name} {branch.cycle}",
            related=(one.lock,) if one.lock else (),
        )


def _ended(one: Requirement, branches: tuple[Branch, ...], today: dt.date) -> Branch | None:
    """Return the ended branch that the requirement is held to."""
    if one.pinned:
        branch = branch_of(one.pinned, branches)
        return branch if branch and branch.end <= today else None
    if one.url or not one.stays_below(NEWEST_BRANCH[one.name]):
        return None
    for branch in reversed(branches):
        if branch.end <= today and (one.allows(branch.cycle) or one.allows(f"{branch.cycle}.99")):
            return branch
    return None
