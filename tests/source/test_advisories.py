"""Advisories in OSV form are matched as the OSV specification says; what gave no answer is never a pass."""

from __future__ import annotations

import datetime as dt
import json
import zipfile
from pathlib import Path

import pytest

from stopper.errors import UsageError
from stopper.finding import Location, Severity
from stopper.source import advisories
from stopper.source.cvss import base_score
from stopper.source.known_holes import FIXED_HOLES
from stopper.source.lifecycles import ABANDONED, PACKAGES, PYTHON, branch_of, image_branch
from stopper.source.requirement import Manifest, Requirement, normalise


def record(identifier: str, package: str, events: list[dict[str, str]], **more: object) -> dict[str, object]:
    affected = {
        "package": {"ecosystem": "PyPI", "name": package},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    return {"id": identifier, "summary": "It leaks.", "affected": [affected], **more}


def database(folder: Path, *records: dict[str, object]) -> Path:
    folder.mkdir(exist_ok=True)
    for one in records:
        (folder / f"{one['id']}.json").write_text(json.dumps(one))
    return folder


BEFORE_2 = [{"introduced": "0"}, {"fixed": "2.0"}]


@pytest.mark.parametrize(
    ("version", "hit"),
    [
        ("1.9", True),
        ("2.0rc1", True),
        ("2.0", False),
        ("2.5", False),
        ("3.0", True),
        ("3.1.0", True),
        ("3.1.1", False),
    ],
)
def test_ranges_are_half_open_and_last_affected_is_affected(tmp_path: Path, version: str, hit: bool):
    events = [*BEFORE_2, {"introduced": "3.0"}, {"last_affected": "3.1"}]
    known = advisories.load(database(tmp_path / "db", record("GHSA-1", "Flask", events)), ["flask"])

    assert bool(known.about("flask", version)) is hit


def test_listed_versions_are_affected(tmp_path: Path):
    entry = record("GHSA-1", "flask", [])
    entry["affected"][0]["versions"] = ["1.0", "1.1.0"]
    known = advisories.load(database(tmp_path / "db", entry), ["flask"])

    assert known.about("flask", "1.1")
    assert not known.about("flask", "1.2")


def test_a_zip_is_read_as_a_folder_is(tmp_path: Path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("GHSA-1.json", json.dumps(record("GHSA-1", "flask", BEFORE_2)))

    assert advisories.load(path, ["flask"]).about("flask", "1.0")
    assert advisories.load(tmp_path, ["flask"]).about("flask", "1.0")


def test_records_of_several_databases_about_one_hole_are_one(tmp_path: Path):
    known = advisories.load(
        database(
            tmp_path / "db",
            record(
                "GHSA-1", "flask", BEFORE_2, aliases=["CVE-2020-1"], database_specific={"severity": "HIGH"}
            ),
            record("PYSEC-1", "flask", BEFORE_2, aliases=["CVE-2020-1"]),
        ),
        ["flask"],
    )

    [hole] = known.about("flask", "1.0")
    assert (hole.identifier, hole.severity) == ("CVE-2020-1", Severity.HIGH)


def test_withdrawn_records_and_other_ecosystems_do_not_count(tmp_path: Path):
    other = record("GHSA-2", "flask", BEFORE_2)
    other["affected"][0]["package"]["ecosystem"] = "npm"
    folder = database(
        tmp_path / "db", record("GHSA-1", "flask", BEFORE_2, withdrawn="2024-01-01T00:00:00Z"), other
    )

    assert advisories.load(folder, ["flask"]).about("flask", "1.0") == ()


def test_the_upgrade_mends_every_hole_and_brings_no_new_one(tmp_path: Path):
    known = advisories.load(
        database(
            tmp_path / "db",
            record("GHSA-1", "flask", BEFORE_2),
            record("GHSA-2", "flask", [{"introduced": "2.0"}, {"fixed": "2.2"}]),
        ),
        ["flask"],
    )

    assert known.upgrade("flask", "1.0") == "2.2"
    assert known.upgrade("flask", "3.0") == ""


def test_a_hole_that_no_release_mends_has_no_upgrade(tmp_path: Path):
    known = advisories.load(
        database(tmp_path / "db", record("GHSA-1", "flask", [{"introduced": "0"}])), ["flask"]
    )

    assert known.about("flask", "9.0")
    assert known.upgrade("flask", "9.0") == ""


def test_malformed_records_are_skipped_and_counted(tmp_path: Path):
    folder = database(tmp_path / "db", record("GHSA-1", "flask", BEFORE_2))
    (folder / "broken.json").write_text('{"affected": [{"package": {"name": "flask"')

    known = advisories.load(folder, ["flask"])

    assert known.about("flask", "1.0")
    assert "1 advisories are malformed" in known.skipped[0].reason


def test_a_database_that_is_not_there_says_what_to_give(tmp_path: Path):
    with pytest.raises(UsageError, match="OSV"):
        advisories.load(tmp_path / "gone.zip", ["flask"])


def test_an_open_requirement_that_allows_only_vulnerable_versions_is_seen():
    below = Requirement("flask", Location("requirements.txt"), Manifest.REQUIREMENTS, "<2.2")
    open_one = Requirement("flask", Location("requirements.txt"), Manifest.REQUIREMENTS, ">=2")

    assert advisories.built_in().against_all(below)
    assert not advisories.built_in().against_all(open_one)


def test_what_pip_audit_skipped_is_skipped_and_never_a_pass():
    output = json.dumps(
        {
            "dependencies": [
                {
                    "name": "flask",
                    "version": "0.5",
                    "vulns": [{"id": "PYSEC-2019-1", "fix_versions": ["1.0"], "aliases": ["CVE-2018-1"]}],
                },
                {"name": "private", "skip_reason": "Dependency not found on PyPI"},
            ]
        }
    )

    known = advisories.read_pip_audit(output, "", ["flask", "private", "left-out"])

    [hole] = known.about("flask", "0.5")
    assert (hole.identifier, known.upgrade("flask", "0.5")) == ("CVE-2018-1", "1.0")
    assert [one.what for one in known.skipped] == [
        "known vulnerabilities of private",
        "known vulnerabilities of left-out",
    ]


def test_pip_audit_without_an_answer_is_skipped():
    known = advisories.read_pip_audit("", "ERROR: no route to host\n", ["flask"])

    assert known.by_package == {}
    assert "no route to host" in known.skipped[0].reason


@pytest.mark.parametrize(
    ("vector", "score"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 7.5),
        ("CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ("CVSS:4.0/AV:N/AC:L", None),
        ("CVSS:3.1/AV:N", None),
    ],
)
def test_cvss_scores_are_those_of_the_specification(vector: str, score: float | None):
    assert base_score(vector) == score


@pytest.mark.parametrize(
    ("version", "hit"), [("2.2.4", True), ("2.2.5", False), ("2.3.1", True), ("2.3.2", False)]
)
def test_a_backported_fix_counts(version: str, hit: bool):
    found = {one.identifier for one in advisories.built_in().about("flask", version)}

    assert ("CVE-2023-30861" in found) is hit


def test_the_data_is_in_order():
    names = [*(one.name for one in FIXED_HOLES), *(one.name for one in ABANDONED), *PACKAGES]
    assert names == [normalise(name) for name in names]
    assert len({one.identifier for one in FIXED_HOLES}) == len(FIXED_HOLES)
    assert [one.end for one in PYTHON[2:]] == sorted(one.end for one in PYTHON[2:])


def test_versions_and_tags_are_laid_to_their_branch():
    assert branch_of("3.10.4", PYTHON).end == dt.date(2026, 10, 31)
    assert branch_of("3.1", PYTHON) is None
    assert image_branch("python", "3.8-slim-buster")[0] == "debian"
    assert image_branch("python", "3.11-alpine3.16")[1].cycle == "3.16"
    assert image_branch("debian", "10-slim")[1].name == "buster"
    assert image_branch("python", "3.10") is None
