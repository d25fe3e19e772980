"""An app must not be built from whatever release is newest on the day.

Without a pin or a lock, two builds of the same commit differ, a broken or hijacked release goes live by
itself, and nobody can say afterwards which version ran.

Bad::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    flask
    gunicorn>=20

Good::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    flask==3.1.3
    gunicorn==23.0.0

Good::

    from flask import Flask

    app = Flask(__name__)

    # file: pyproject.toml
    [project]
    name = "blog"
    version = "1"
    dependencies = ["flask>=3.1"]
    # file: uv.lock
    version = 1

    [[package]]
    name = "flask"
    version = "3.1.3"
    source = { registry = "https://pypi.org/simple" }

References:
    - CWE-1357
    - ASVS 5.0 V15.1.2
    - https://pip.pypa.io/en/stable/topics/repeatable-installs/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.source.requirement import Manifest, Requirement


class UnpinnedRequirement(Rule):
    """Look for production requirements that neither a manifest nor a lock fixes to one version."""

    area = Area.DEPENDENCIES
    severity = Severity.LOW
    cwe = (1357,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield one finding a package; a package that is pinned anywhere for production counts as pinned."""
        pinned = {one.name for one in project.manifests.requirements if one.pinned and not one.development}
        apps = tuple(app.location.path for app in project.applications)
        for one in project.manifests.packages():
            if one.name in pinned or one.development or not one.direct or not _counts(one, apps=apps):
                continue
            if one.location.path.endswith(".in") and f"{one.location.path[:-3]}.txt" in project.tree.by_path:
                continue
            held = f"{one.name}{one.specifier}" if one.specifier else f"{one.name} in any version"
            yield self.found(
                one.location,
                f"{held} is asked for, and no lock file says which release is installed.",
                confidence=Confidence.HIGH if one.kind is Manifest.REQUIREMENTS else Confidence.MEDIUM,
                remedy=f"{one.name}==<the release you tested>, or a lock file: uv lock",
                context=one.name,
            )


def _counts(one: Requirement, *, apps: tuple[str, ...]) -> bool:
    if one.url:
        return False
    if one.kind is Manifest.PROJECT:
        folder = one.location.path.rpartition("/")[0]
        return not one.library and any(not folder or path.startswith(folder + "/") for path in apps)
    return one.kind in {Manifest.REQUIREMENTS, Manifest.PIPFILE, Manifest.CONDA}
