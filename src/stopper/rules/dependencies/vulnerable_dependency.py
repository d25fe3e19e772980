"""An app must not ship a release with known vulnerabilities.

What is wrong with a published release is published too, often with a working attack. Whoever scans for the
version finds it.

Stopper compares every pinned version, those of lock files included, with an advisory database in OSV form
(``--advisories``), or asks pip-audit when it may go online. Without either it knows the holes of some thirty
packages that most Flask apps have, and lists all the others as not looked at.

Bad::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    flask==2.2.2

Good::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    flask==3.1.3

References:
    - CWE-1395
    - ASVS 5.0 V15.2.1
    - https://google.github.io/osv.dev/data/
    - https://github.com/pypa/pip-audit
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stopper.errors import UsageError
from stopper.finding import Area, Finding, Severity, Skipped, few
from stopper.rule import Rule
from stopper.source import advisories
from stopper.source.advisories import Advisories, Advisory
from stopper.source.project import Project
from stopper.source.requirement import Manifest, Requirement

_WHAT = "known vulnerabilities"


class VulnerableDependency(Rule):
    """Compare each package's version with what is known against it."""

    area = Area.DEPENDENCIES
    severity = Severity.HIGH
    cwe = (1395,)

    def source(self, project: Project) -> Iterator[Finding | Skipped]:
        """Yield one finding a package and version, and what could not be looked at."""
        wanted = project.manifests.versions()
        known = self._known(project, wanted)
        for gap in known.skipped:
            yield replace(gap, areas=(self.area,)) if gap.what.startswith(_WHAT) else gap
        for one in wanted:
            if one.url:
                continue
            holes = known.about(one.name, one.pinned or "")
            if holes:
                yield self._finding(one, holes, known.upgrade(one.name, one.pinned or ""))
        yield from self._open(project, known)

    def _known(self, project: Project, wanted: tuple[Requirement, ...]) -> Advisories:
        names = {one.name for one in project.manifests.requirements}
        own = advisories.built_in()
        if not names:
            reason = "no manifest names a package: write a requirements.txt or a pyproject.toml with a lock"
            return Advisories(skipped=(Skipped(_WHAT, reason, (self.area,)),))
        if project.options.advisories is not None:
            try:
                found = advisories.load(project.options.advisories, names)
            except (UsageError, OSError) as error:
                return own.joined(Advisories(skipped=(Skipped(_WHAT, str(error), (self.area,)),)))
            if found.records:
                return own.joined(found)
            reason = f"{project.options.advisories} holds no advisory about a Python package"
            return own.joined(Advisories(skipped=(*found.skipped, Skipped(_WHAT, reason, (self.area,)))))
        if project.options.online:
            return own.joined(advisories.ask_pip_audit(wanted))
        reason = "no advisory source: give --advisories or --online; only the usual Flask stack was compared"
        return own.joined(Advisories(skipped=(Skipped(_WHAT, reason, (self.area,)),)))

    def _finding(self, one: Requirement, holes: tuple[Advisory, ...], upgrade: str) -> Finding:
        worst = max((hole.severity for hole in holes), key=lambda severity: severity.rank)
        names = few([hole.identifier for hole in holes], 4)
        version = one.pinned or one.specifier
        what = f": {holes[0].summary}" if holes[0].summary else ""
        message = f"{one.name} {version} has {_count(holes)} ({names}){what}."
        use = " It is only used for development." if one.development else ""
        remedy = f"{one.name}=={upgrade}" if upgrade else f"# no release of {one.name} mends this: replace it"
        return self.found(
            one.location,
            message + use,
            severity=Severity.LOW if one.development else worst,
            remedy=remedy,
            context=f"{one.name} {version}",
            related=(one.lock,) if one.lock else (),
        )

    def _open(self, project: Project, known: Advisories) -> Iterator[Finding | Skipped]:
        pinned = {one.name for one in project.manifests.versions()}
        unknown: list[str] = []
        for one in project.manifests.packages():
            if one.name in pinned or one.url or one.kind is Manifest.CONSTRAINTS:
                continue
            holes = known.against_all(one)
            if holes:
                fixed = max((hole.ranges[-1].fixed for hole in holes), key=advisories.sort_key)
                yield self._finding(one, holes, fixed)
            elif not one.development:
                unknown.append(one.name)
        if unknown:
            yield Skipped(f"{_WHAT} of {few(unknown, 5)}", "no version is pinned, so nothing can be compared")


def _count(holes: tuple[Advisory, ...]) -> str:
    return "a known vulnerability" if len(holes) == 1 else f"{len(holes)} known vulnerabilities"
