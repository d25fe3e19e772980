"""The dependency rules ask whether something is wrong *here*, and say what they could not look at."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from stopper.finding import Area, Confidence, Finding, Severity, Skipped
from stopper.rule import Rule
from stopper.source import advisories, releases
from stopper.source.advisories import Advisories
from stopper.source.files import walk
from stopper.source.project import Options, Project

APP = "from flask import Flask\n\napp = Flask(__name__)\n"


@pytest.fixture
def look(tmp_path: Path):
    def run(slug: str, options: Options | None = None, **files: str) -> tuple[list[Finding], list[Skipped]]:
        folder = tmp_path / "project"
        for name, text in {"app.py": APP, **files}.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        results = list(rule_named(slug).source(Project(walk(folder), options=options or Options())))
        findings = [one for one in results if isinstance(one, Finding)]
        return findings, [one for one in results if isinstance(one, Skipped)]

    return run


def rule_named(slug: str) -> Rule:
    module = importlib.import_module(f"stopper.rules.dependencies.{slug.replace('-', '_')}")
    return getattr(module, "".join(part.capitalize() for part in slug.split("-")))()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    folder = tmp_path / "osv"
    folder.mkdir()
    affected = {
        "package": {"ecosystem": "PyPI", "name": "Example-Lib"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1"}]}],
    }
    entry = {"id": "GHSA-x", "aliases": ["CVE-2024-1"], "summary": "It leaks.", "affected": [affected]}
    entry["database_specific"] = {"severity": "CRITICAL"}
    (folder / "GHSA-x.json").write_text(json.dumps(entry))
    return folder


def test_a_hole_is_told_with_the_upgrade_that_mends_it(look, database: Path):
    options = Options(advisories=database)

    [finding], skipped = look(
        "vulnerable-dependency", options, **{"requirements.txt": "example.lib==2.0\nclick==8.1.7\n"}
    )

    assert (finding.severity, finding.remedy) == (Severity.CRITICAL, "example-lib==2.1")
    assert "CVE-2024-1" in finding.message
    assert skipped == []


def test_a_hole_in_a_test_tool_weighs_little(look, database: Path):
    options = Options(advisories=database)

    [finding], _ = look("vulnerable-dependency", options, **{"requirements-dev.txt": "example-lib==2.0\n"})

    assert finding.severity is Severity.LOW


def test_one_finding_a_package_however_many_files_name_it(look):
    files = {
        "requirements.in": "flask\n",
        "requirements.txt": "flask==2.2.2\n",
        "setup.cfg": "[options]\ninstall_requires = flask\n",
    }

    findings, _ = look("vulnerable-dependency", **files)

    assert len(findings) == 1


def test_without_a_source_of_advisories_the_area_is_not_closed(look):
    findings, skipped = look("vulnerable-dependency", **{"requirements.txt": "example-lib==2.0\n"})

    assert findings == []
    assert [(one.what, one.areas) for one in skipped] == [("known vulnerabilities", (Area.DEPENDENCIES,))]


def test_an_app_without_a_manifest_is_not_closed(look):
    findings, skipped = look("vulnerable-dependency")

    assert findings == []
    assert skipped[0].areas == (Area.DEPENDENCIES,)


def test_a_database_about_nothing_of_python_is_no_answer(look, tmp_path: Path):
    (tmp_path / "empty").mkdir()

    _, skipped = look(
        "vulnerable-dependency",
        Options(advisories=tmp_path / "empty"),
        **{"requirements.txt": "flask==3.1.3\n"},
    )

    assert "holds no advisory" in skipped[0].reason


def test_a_version_that_nobody_knows_is_skipped(look, database: Path):
    _, skipped = look(
        "vulnerable-dependency", Options(advisories=database), **{"requirements.txt": "example-lib\n"}
    )

    assert skipped[0].what == "known vulnerabilities of example-lib"


def test_online_pip_audit_is_asked(look, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def answer(requirements):
        asked.extend(one.name for one in requirements)
        return Advisories(skipped=(Skipped("known vulnerabilities of flask", "not found"),))

    monkeypatch.setattr(advisories, "ask_pip_audit", answer)
    _, skipped = look("vulnerable-dependency", Options(online=True), **{"requirements.txt": "flask==3.1.3\n"})

    assert asked == ["flask"]
    assert [(one.what, one.areas) for one in skipped] == [
        ("known vulnerabilities of flask", (Area.DEPENDENCIES,))
    ]


def test_offline_nothing_is_asked(look, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr("subprocess.run", refuse)

    look("vulnerable-dependency", **{"requirements.txt": "example-lib==2.0\n"})
    _, skipped = look("behind-newest-release", **{"requirements.txt": "example-lib==2.0\n"})
    assert skipped[0].what == "newest release of 1 packages"


def test_online_the_index_is_asked_for_the_newest_release(look, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(releases, "_newest", lambda name: {"example-lib": "2.1"}.get(name, ""))

    findings, skipped = look(
        "behind-newest-release",
        Options(online=True),
        **{"requirements.txt": "example-lib==2.0\nother==1.0\n"},
    )

    assert [one.remedy for one in findings] == ["example-lib==2.1"]
    assert [one.reason for one in skipped] == ["the index did not answer"]


def test_an_abandoned_package_that_only_tests_use_is_left_alone(look):
    findings, _ = look("abandoned-package", **{"requirements-dev.txt": "nose==1.3.7\n"})

    assert findings == []


def test_an_abandoned_package_that_nothing_imports_is_less_certain(look):
    [finding], _ = look("abandoned-package", **{"requirements.txt": "flask-talisman==1.1.0\n"})

    assert finding.confidence is Confidence.MEDIUM
    assert "drop it" in finding.message


@pytest.mark.parametrize("module", ["MySQLdb", "sklearn", "Crypto", "flask_uploads"])
def test_an_import_that_a_living_package_may_answer_is_left_alone(look, module: str):
    assert look("abandoned-package", **{"store.py": f"import {module}\n"}) == ([], [])


def test_a_name_that_came_back_to_life_is_not_abandoned(look):
    old, _ = look("abandoned-package", **{"requirements.txt": "flask-security==3.0.0\n"})
    new, _ = look("abandoned-package", **{"requirements.txt": "flask-security==5.6.0\n"})

    assert (len(old), new) == (1, [])


@pytest.mark.parametrize(
    "files",
    [
        {"requirements-dev.txt": "pytest\n"},
        {"requirements.in": "flask\n", "requirements.txt": "flask==3.1.3\n"},
        {"requirements.txt": "flask\n-c constraints.txt\n", "constraints.txt": "flask==3.1.3\n"},
        {"plugin/setup.py": "from setuptools import setup\nsetup(install_requires=['flask'])\n"},
        {"requirements.system": "nginx\n"},
    ],
    ids=["development", "compiled", "constrained", "another package", "not pip's"],
)
def test_what_need_not_be_pinned(look, files: dict[str, str]):
    findings, _ = look("unpinned-requirement", **files)

    assert findings == []


def test_a_library_is_not_asked_to_pin(look):
    text = '[project]\nname = "lib"\ndependencies = ["flask>=3"]\nclassifiers = ["Topic :: Software Development :: Libraries"]\n'

    findings, _ = look("unpinned-requirement", **{"pyproject.toml": text})

    assert findings == []


def test_hashes_settle_which_archive_is_meant(look):
    text = "--extra-index-url https://packages.example.com/simple\nflask==3.1.3 --hash=sha256:00\n"

    findings, _ = look("dependency-confusion", **{"requirements.txt": text})

    assert findings == []


def test_uv_does_not_mix_its_indexes_unless_told(look):
    index = '[[tool.uv.index]]\nurl = "https://packages.example.com/simple"\n'

    safe, _ = look("dependency-confusion", **{"pyproject.toml": index})
    mixed, _ = look(
        "dependency-confusion",
        **{"pyproject.toml": f'[tool.uv]\nindex-strategy = "unsafe-best-match"\n{index}'},
    )

    assert (safe, len(mixed)) == ([], 1)


def test_the_password_of_an_index_is_never_shown(look):
    text = "--extra-index-url https://me:hunter22@packages.example.com/simple\nflask==3.1.3\n"

    [finding], _ = look("dependency-confusion", **{"requirements.txt": text})
    [plain], _ = look("insecure-package-index", **{"requirements.txt": text.replace("https", "http")})

    assert "hunter22" not in repr(finding)
    assert "hunter22" not in repr(plain)


def test_the_token_of_a_repository_is_never_shown(look):
    text = "git+https://ghp_secret@github.com/example/lib.git#egg=lib\n"

    [finding], _ = look("unpinned-repository", **{"requirements.txt": text})

    assert "ghp_secret" not in repr(finding)


@pytest.mark.parametrize(
    "text",
    [
        "FROM python:3.13-slim\n",
        "FROM python@sha256:00\n",
        "FROM blog-base\n",
        "ARG TAG\nFROM python:${TAG}\n",
        "FROM scratch\n",
        "FROM debian:trixie-slim\n",
    ],
)
def test_images_that_stay_what_they_are(look, text: str):
    findings, _ = look("unpinned-base-image", Dockerfile=text)

    assert findings == []


def test_only_the_stage_that_ships_counts_for_an_end_of_life(look):
    findings, _ = look("end-of-life-image", Dockerfile="FROM debian:buster AS build\nFROM debian:trixie\n")

    assert findings == []


def test_a_python_bounded_below_the_living_ones_is_found(look):
    [finding], _ = look(
        "end-of-life-python", **{"pyproject.toml": '[project]\nname = "a"\nrequires-python = ">=3.6,<3.9"\n'}
    )

    assert (finding.confidence, finding.location.line) == (Confidence.MEDIUM, 3)
    assert "3.8" in finding.message


def test_a_bound_below_the_mended_branch_is_found(look):
    [finding], _ = look("end-of-life-package", **{"requirements.txt": "flask<2\n"})

    assert "allows nothing newer than 1.1" in finding.message
