"""Tell which installed packages are known to be vulnerable, as of the last `stopper audit`: a file is read, the network never asked.

Write the file where the app is built: `stopper audit --online -o stopper.json`, and name it: `STOPPER_AUDIT = "stopper.json"`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar, Final

from stopper.errors import ConfigurationError
from stopper.guard.guard import Cell, Guard, Place
from stopper.guard.route import Route
from stopper.guard.settings import Settings, setting

RULE: Final = "vulnerable-dependency"
SCHEMA: Final = "stopper-report/1"
SAID: Final = re.compile(r"(?P<name>\S+) (?P<version>\S+) has [^(]*\((?P<holes>[^)]*)\)")
"""How the rule begins its message; `tests/guard/test_installed.py` holds it to that."""

DAY: Final = 86_400


@dataclass(frozen=True)
class InstalledSettings(Settings):
    """Hold where the last audit is."""

    audit: str | None = None
    """The JSON report of the last `stopper audit`. Without it nobody knows of what is installed, and `status` says so."""

    audit_days: int = setting(30, least=1, most=365)
    """After how many days a report is told to be old: holes become known every day."""


@dataclass(frozen=True, slots=True)
class Hole:
    """One installed package that is known to be vulnerable."""

    name: str
    """The package's name."""
    version: str
    """The version that is installed, and that the audit saw."""
    identifiers: str
    """What the holes are called, such as `CVE-2026-1`."""
    remedy: str
    """What to write instead."""


class Installed(Guard):
    """Read the last report when the app is first served in production."""

    name = "dependencies"
    area = "dependencies"
    Settings: ClassVar[type[Settings]] = InstalledSettings

    def start(self) -> None:
        """Read the report; one that is named and cannot be read is an error."""
        self.holes: tuple[Hole, ...] = ()
        self.age = 0.0
        self.unseen = ""
        path = self.settings.audit
        if path is None:
            return
        try:
            report = json.loads(Path(path).read_text(encoding="utf-8"))
            self.age = (time.time() - Path(path).stat().st_mtime) / DAY
            self.holes = tuple(holes(report))
            self.unseen = unseen(report)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigurationError(
                f"STOPPER_AUDIT = {path!r} is no report: {error}; write it with stopper audit -o {path}"
            ) from None

    def settle(self, environ: dict[str, Any]) -> None:
        """Tell what is known, in production."""
        del environ
        if self.state.place is not Place.PRODUCTION or self.settings.audit is None:
            return
        for hole in self.holes:
            self.state.tell(
                self.name,
                f"{hole.name} {hole.version} is known to be vulnerable ({hole.identifiers}): install {hole.remedy}",
            )
        if self.unseen:
            self.state.tell(self.name, f"The last audit did not look at every package: {self.unseen}")
        if self.age > self.settings.audit_days:
            self.state.tell(
                self.name,
                f"The last audit is {self.age:.0f} days old: run stopper audit --online -o {self.settings.audit}",
            )

    def covers(self, route: Route) -> Iterator[Cell]:
        """Yield what is known of the installed packages."""
        del route
        if self.settings.audit is None:
            yield Cell("packages", "never looked at: write STOPPER_AUDIT", "open")
        elif self.holes:
            yield Cell(
                "packages",
                f"{len(self.holes)} known to be vulnerable: {', '.join(one.name for one in self.holes)}",
                "open",
            )
        elif self.unseen:
            yield Cell("packages", f"not all looked at: {self.unseen}", "open")
        else:
            yield Cell("packages", f"none known to be vulnerable {self.age:.0f} days ago")


def holes(report: Mapping[str, Any]) -> Iterator[Hole]:
    """Yield the vulnerable packages of a report that are installed in the version which the audit saw."""
    if report.get("schema") != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    for finding in report["findings"]:
        if finding["rule"] != RULE:
            continue
        match = SAID.match(finding["message"])
        if match is not None and _installed(match["name"]) == match["version"]:
            yield Hole(match["name"], match["version"], match["holes"], finding["remedy"])


def unseen(report: Mapping[str, Any]) -> str:
    """Return why an audit could not look at known vulnerabilities; empty where it could."""
    reasons = [one["reason"] for one in report["skipped"] if one["what"].startswith("known vulnerabilities")]
    return "; ".join(dict.fromkeys(reasons))


def _installed(name: str) -> str:
    """Return the version of a package that is installed; empty where it is not."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
