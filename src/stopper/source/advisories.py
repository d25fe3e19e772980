"""Known vulnerabilities: read from a database in OSV form (a folder or a zip), or asked of pip-audit.

Nothing here goes on the network by itself; pip-audit does, and is only started when the caller says that it
may.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from stopper.errors import UsageError
from stopper.finding import Severity, Skipped
from stopper.records import dataclass, field
from stopper.source.cvss import base_score
from stopper.source.known_holes import FIXED_HOLES
from stopper.source.requirement import Requirement, normalise

TIME_LIMIT = 300
"""Seconds that pip-audit may take."""

_NAME = re.compile(rb'"name"\s*:\s*"([^"]+)"')
_WORDS = {
    "CRITICAL": Severity.CRITICAL,
    "HIGH": Severity.HIGH,
    "MODERATE": Severity.MEDIUM,
    "MEDIUM": Severity.MEDIUM,
    "LOW": Severity.LOW,
}


@dataclass(frozen=True, slots=True)
class Range:
    """A span of vulnerable versions."""

    introduced: str
    """``0`` for the first version."""
    fixed: str = ""
    last_affected: str = ""

    def holds(self, version: Version) -> bool:
        """Tell whether ``version`` lies in the span."""
        if self.introduced != "0" and version < Version(self.introduced):
            return False
        if self.fixed:
            return version < Version(self.fixed)
        return not self.last_affected or version <= Version(self.last_affected)


@dataclass(frozen=True, slots=True)
class Advisory:
    """One vulnerability of one package."""

    identifier: str
    """A CVE number where there is one."""
    package: str
    summary: str
    severity: Severity
    aliases: frozenset[str]
    """All its identifiers, its own among them."""
    versions: frozenset[str] = frozenset()
    ranges: tuple[Range, ...] = ()

    def affects(self, version: str) -> bool:
        """Tell whether ``version`` is vulnerable."""
        try:
            parsed = Version(version)
        except InvalidVersion:
            return version in self.versions
        if any(one.holds(parsed) for one in self.ranges):
            return True
        return any(_is(listed, parsed) for listed in self.versions)

    def fix_for(self, version: str) -> str:
        """Return the first release after ``version`` that mends this; "" when there is none."""
        later = [one.fixed for one in self.ranges if one.fixed and Version(one.fixed) > Version(version)]
        return min(later, key=Version, default="")


@dataclass(frozen=True)
class Advisories:
    """The advisories about a set of packages."""

    by_package: dict[str, tuple[Advisory, ...]] = field(default_factory=dict)
    records: int = 0
    """How many records about Python packages the database has; 0 means that it cannot answer."""
    skipped: tuple[Skipped, ...] = ()

    def about(self, package: str, version: str) -> tuple[Advisory, ...]:
        """Return what is known against ``version`` of ``package``, worst first."""
        hits = [one for one in self.by_package.get(package, ()) if one.affects(version)]
        return tuple(sorted(hits, key=lambda one: (-one.severity.rank, one.identifier)))

    def against_all(self, requirement: Requirement) -> tuple[Advisory, ...]:
        """Return what is known against every version that an open requirement allows."""
        holes = [
            hole
            for hole in self.by_package.get(requirement.name, ())
            if any(
                one.introduced == "0" and one.fixed and requirement.stays_below(one.fixed)
                for one in hole.ranges
            )
        ]
        return tuple(sorted(holes, key=lambda one: (-one.severity.rank, one.identifier)))

    def joined(self, other: Advisories) -> Advisories:
        """Return the advisories of both."""
        both = [one for source in (other, self) for group in source.by_package.values() for one in group]
        return Advisories(_merged(both), self.records + other.records, self.skipped + other.skipped)

    def upgrade(self, package: str, version: str) -> str:
        """Return the lowest release after ``version`` that nothing is known against; "" for none."""
        current = version
        for _ in range(200):
            fixes = [one.fix_for(current) for one in self.about(package, current)]
            if not fixes:
                return "" if current == version else current
            if "" in fixes:
                return ""
            current = max(fixes, key=Version)
        return ""


def built_in() -> Advisories:
    """Return the holes of the usual Flask stack that are known here, without any database."""
    found = [
        Advisory(
            one.identifier, one.name, f"it {one.what}", one.severity,
            frozenset({one.identifier}), frozenset(),
            tuple(Range(introduced, fixed) for introduced, fixed in one.ranges),
        )
        for one in FIXED_HOLES
    ]  # fmt: skip
    return Advisories(_merged(found))


def sort_key(version: str) -> Version:
    """Return what orders versions; 0 for a text that is none."""
    return Version(version) if _valid(version) else Version("0")


def load(path: Path, packages: Iterable[str]) -> Advisories:
    """Read what a database in OSV form has about ``packages`` (normalised names).

    Raises:
        UsageError: There is neither a folder nor a zip at ``path``.
    """
    wanted = frozenset(packages)
    found: list[Advisory] = []
    records, broken = 0, 0
    for raw in _documents(path):
        names = {normalise(name.decode("utf-8", "replace")) for name in _NAME.findall(raw)}
        records += b'"PyPI"' in raw
        if names.isdisjoint(wanted):
            continue
        try:
            found.extend(one for one in parse(json.loads(raw)) if one.package in wanted)
        except (
            json.JSONDecodeError,
            UnicodeDecodeError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
        ):
            broken += 1
    skipped = (Skipped(str(path), f"{broken} advisories are malformed and were not read"),) if broken else ()
    return Advisories(_merged(found), records, skipped)


def parse(record: dict[str, Any]) -> Iterator[Advisory]:
    """Yield one advisory for each Python package that an OSV record names; nothing when it was withdrawn."""
    if record.get("withdrawn"):
        return
    aliases = frozenset({record["id"], *record.get("aliases", [])})
    for affected in record.get("affected", []):
        package = affected.get("package", {})
        if package.get("ecosystem", "").partition(":")[0] != "PyPI":
            continue
        yield Advisory(
            _best_identifier(aliases),
            normalise(package["name"]),
            str(record.get("summary") or record.get("details", "").partition("\n")[0])[:160],
            _severity(record, affected),
            aliases,
            frozenset(affected.get("versions", [])),
            tuple(_ranges(affected)),
        )


def _documents(path: Path) -> Iterator[bytes]:
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            yield file.read_bytes()
        for file in sorted(path.rglob("*.zip")):
            yield from _documents(file)
        return
    import zipfile  # late: most audits are given none

    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith(".json") and entry.file_size < 50_000_000:
                    yield archive.read(entry)
    except (OSError, zipfile.BadZipFile) as error:
        raise UsageError(
            f"{path}: not a folder or zip of OSV advisories ({error}); give the all.zip of the PyPI ecosystem"
        ) from error


def _best_identifier(aliases: Iterable[str]) -> str:
    return min(aliases, key=lambda one: (not one.startswith("CVE-"), not one.startswith("GHSA-"), one))


def _ranges(affected: dict[str, Any]) -> Iterator[Range]:
    for entry in affected.get("ranges", []):
        if entry.get("type") not in {"ECOSYSTEM", "SEMVER"}:
            continue
        introduced = ""
        for event in entry.get("events", []):
            if "introduced" in event:
                introduced = str(event["introduced"])
            elif (
                introduced
                and _valid(introduced)
                and _valid(event.get("fixed") or event.get("last_affected") or "")
            ):
                yield Range(introduced, str(event.get("fixed", "")), str(event.get("last_affected", "")))
                introduced = ""
        if introduced and _valid(introduced) and not affected.get("versions"):
            yield Range(introduced)


def _valid(version: str) -> bool:
    try:
        Version(version)
    except InvalidVersion:
        return False
    return True


def _is(listed: str, version: Version) -> bool:
    try:
        return Version(listed) == version
    except InvalidVersion:
        return False


def _severity(record: dict[str, Any], affected: dict[str, Any]) -> Severity:
    word = str(record.get("database_specific", {}).get("severity", "")).upper()
    if word in _WORDS:
        return _WORDS[word]
    scores = [
        base_score(str(one.get("score", "")))
        for one in (record.get("severity") or affected.get("severity") or [])
    ]
    score = max((one for one in scores if one is not None), default=None)
    if score is None:
        return Severity.MEDIUM
    for limit, severity in ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM)):
        if score >= limit:
            return severity
    return Severity.LOW


def _merged(found: list[Advisory]) -> dict[str, tuple[Advisory, ...]]:
    """Make one of the records that several databases have about the same vulnerability."""
    result: dict[str, list[Advisory]] = {}
    for one in found:
        group = result.setdefault(one.package, [])
        same = [other for other in group if not other.aliases.isdisjoint(one.aliases)]
        merged = one
        for other in same:
            group.remove(other)
            merged = _joined(merged, other)
        group.append(merged)
    return {package: tuple(group) for package, group in result.items()}


def _joined(one: Advisory, other: Advisory) -> Advisory:
    aliases = one.aliases | other.aliases
    return replace(
        one if len(one.summary) >= len(other.summary) else other,
        identifier=_best_identifier(aliases),
        aliases=aliases,
        severity=max(one.severity, other.severity, key=lambda word: word.rank),
        versions=one.versions | other.versions,
        ranges=tuple(dict.fromkeys(one.ranges + other.ranges)),
    )


def ask_pip_audit(requirements: Iterable[Requirement]) -> Advisories:
    """Ask pip-audit about pinned requirements; what it did not answer for is in ``skipped``.

    It goes on the network: call it only when the user allowed that.
    """
    pinned = {one.name: one for one in requirements if one.pinned and not one.url}
    command = _pip_audit()
    if command is None:
        return Advisories(
            skipped=(
                Skipped(
                    "known vulnerabilities", "pip-audit is not installed: pip install 'stopper[advisories]'"
                ),
            )
        )
    import tempfile  # late: most audits ask nobody

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "requirements.txt"
        path.write_text("".join(f"{one.name}=={one.pinned}\n" for one in pinned.values()), encoding="utf-8")
        words = [
            *command,
            "--format",
            "json",
            "--progress-spinner",
            "off",
            "--no-deps",
            "--disable-pip",
            "-r",
            str(path),
        ]
        try:
            done = subprocess.run(  # noqa: S603 -- a fixed command, no shell
                words, capture_output=True, text=True, timeout=TIME_LIMIT, check=False, cwd=folder
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return Advisories(
                skipped=(Skipped("known vulnerabilities", f"pip-audit did not answer: {error}"),)
            )
    return read_pip_audit(done.stdout, done.stderr, pinned)


def read_pip_audit(output: str, problems: str, asked: Iterable[str]) -> Advisories:
    """Turn pip-audit's JSON into advisories; a package that it left out is ``skipped``, never a pass."""
    try:
        dependencies = json.loads(output)["dependencies"]
    except (json.JSONDecodeError, KeyError, TypeError):
        last = (problems.strip().splitlines() or ["no output"])[-1][:200]
        return Advisories(skipped=(Skipped("known vulnerabilities", f"pip-audit gave no answer: {last}"),))
    found: list[Advisory] = []
    skipped: list[Skipped] = []
    answered: set[str] = set()
    for entry in dependencies:
        name = normalise(str(entry.get("name", "")))
        if entry.get("skip_reason"):
            skipped.append(Skipped(f"known vulnerabilities of {name}", str(entry["skip_reason"])))
            answered.add(name)
            continue
        answered.add(name)
        for hole in entry.get("vulns", []):
            found.append(_from_pip_audit(name, str(entry.get("version", "")), hole))
    for name in sorted(set(asked) - answered):
        skipped.append(Skipped(f"known vulnerabilities of {name}", "pip-audit left it out"))
    return Advisories(_merged(found), len(answered), tuple(skipped))


def _from_pip_audit(name: str, version: str, hole: dict[str, Any]) -> Advisory:
    aliases = frozenset({str(hole["id"]), *hole.get("aliases", [])})
    fixes = [fix for fix in hole.get("fix_versions", []) if _valid(fix)]
    later = [fix for fix in fixes if _valid(version) and Version(fix) > Version(version)]
    ranges = (Range("0", min(later, key=Version)),) if later else ()
    summary = str(hole.get("description", "")).partition("\n")[0][:160]
    return Advisory(
        _best_identifier(aliases), name, summary, Severity.MEDIUM, aliases, frozenset({version}), ranges
    )


def _pip_audit() -> list[str] | None:
    import shutil  # late: most audits ask nobody
    from importlib.util import find_spec

    if find_spec("pip_audit") is not None:
        return [sys.executable, "-m", "pip_audit"]
    found = shutil.which("pip-audit")
    return [found] if found else None
