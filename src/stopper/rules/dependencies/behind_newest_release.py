"""An app should not fall behind the newest release of what it is built on.

Each release that is skipped makes the next upgrade larger, and the day a hole is published is the wrong day
for a large one.

Stopper asks the package index when it may go online. Without, it compares the few packages whose newest
release it knows, and lists all the others as not looked at.

Bad::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    flask==3.1.1

Good::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    flask==3.1.3

References:
    - CWE-1104
    - ASVS 5.0 V15.2.1
    - https://pip.pypa.io/en/stable/cli/pip_index/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity, Skipped
from stopper.rule import Rule
from stopper.source.manifests import most_telling
from stopper.source.project import Project
from stopper.source.releases import KNOWN, ask_index
from stopper.source.requirement import Requirement, older


class BehindNewestRelease(Rule):
    """Compare the pinned version of each package that the app asks for with the newest release."""

    area = Area.DEPENDENCIES
    severity = Severity.INFO
    cwe = (1104,)

    def source(self, project: Project) -> Iterator[Finding | Skipped]:
        """Yield one finding a package, and one entry for what could not be compared."""
        asked = _asked(project)
        newest = dict(KNOWN)
        if project.options.online and asked:
            newest |= ask_index(asked)
        missing = sorted(name for name in asked if name not in newest)
        if missing:
            reason = "the index did not answer" if project.options.online else "not asked: only with --online"
            yield Skipped(f"newest release of {len(missing)} packages", reason)
        for name, one in asked.items():
            release = newest.get(name, "")
            if release and older(one.pinned or "", release):
                yield self.found(
                    one.location,
                    f"{name} {one.pinned} is behind {release}, the newest release.",
                    confidence=Confidence.HIGH,
                    remedy=f"{name}=={release}",
                    context=name,
                    related=(one.lock,) if one.lock else (),
                )


def _asked(project: Project) -> dict[str, Requirement]:
    groups: dict[str, list[Requirement]] = {}
    for one in project.manifests.requirements:
        if one.pinned and one.direct and not one.development and not one.url:
            groups.setdefault(one.name, []).append(one)
    return {name: most_telling(group) for name, group in groups.items()}
