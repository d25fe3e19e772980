"""Keep the findings that are known already, so that only new ones fail a build.

A baseline is a JSON file of fingerprints, each with how often it stands for a finding. Fingerprints hold no
line numbers, so a baseline survives edits and merges; and because the number is kept, the third copy of a
known mistake is a new finding and not swallowed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from stopper.errors import ConfigError
from stopper.finding import Finding
from stopper.records import dataclass, field

SCHEMA = "stopper-baseline/1"


@dataclass(frozen=True, slots=True)
class Known:
    """One line of a baseline."""

    fingerprint: str
    count: int
    rule: str
    path: str
    """Rule and path are for the people who review the file; matching goes by fingerprint."""


@dataclass(frozen=True, slots=True)
class Sifted:
    """What a baseline makes of the findings of a run."""

    new: tuple[Finding, ...]
    known: tuple[Finding, ...]
    gone: tuple[Known, ...]
    """Lines, with the count that was left over: their findings are mended, so the baseline can shrink."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The findings that are known already."""

    entries: tuple[Known, ...] = field(default=())

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Baseline:
        """Return the baseline that knows exactly these findings."""
        listed = list(findings)
        tally = Counter(finding.fingerprint for finding in listed)
        first = {finding.fingerprint: finding for finding in reversed(listed)}
        entries = [Known(key, tally[key], one.rule, one.location.path) for key, one in first.items()]
        return cls(tuple(sorted(entries, key=lambda one: (one.path, one.rule, one.fingerprint))))

    @classmethod
    def load(cls, file: Path) -> Baseline:
        """Read a baseline.

        Raises:
            ConfigError: The file cannot be read or is no baseline.
        """
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(
                f"{file}: no baseline can be read: {error.strerror}; make one with --write-baseline"
            ) from error
        except ValueError as error:
            raise ConfigError(f"{file}: this is not a baseline: {error}") from error
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise ConfigError(f"{file}: no baseline of the kind {SCHEMA!r}; make one with --write-baseline")
        try:
            return cls(tuple(_known(entry) for entry in data["findings"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"{file}: this line is malformed: {error}; make a new baseline") from error

    def dump(self) -> str:
        """Return the file's text: the same findings always give the same bytes."""
        lines = [
            {"fingerprint": one.fingerprint, "count": one.count, "rule": one.rule, "path": one.path}
            for one in self.entries
        ]
        return json.dumps({"schema": SCHEMA, "findings": lines}, indent=2, ensure_ascii=False) + "\n"

    def sift(self, findings: Iterable[Finding]) -> Sifted:
        """Part the findings that are known from the new ones; of more than are known, the last are new."""
        left = Counter({one.fingerprint: one.count for one in self.entries})
        new: list[Finding] = []
        known: list[Finding] = []
        for finding in findings:
            seen = left[finding.fingerprint] > 0
            left[finding.fingerprint] -= seen
            (known if seen else new).append(finding)
        gone = [Known(one.fingerprint, left[one.fingerprint], one.rule, one.path) for one in self.entries]
        return Sifted(tuple(new), tuple(known), tuple(one for one in gone if one.count > 0))


def _known(entry: dict[str, object]) -> Known:
    fingerprint, count = entry["fingerprint"], entry["count"]
    if not isinstance(fingerprint, str) or not isinstance(count, int) or count < 1:
        raise ValueError(f"{entry!r}")
    return Known(fingerprint, count, str(entry.get("rule", "")), str(entry.get("path", "")))
