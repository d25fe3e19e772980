"""What the last audit knows of the installed packages is told in production, without asking the network."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from stopper import Stopper
from stopper.cli.main import main
from stopper.errors import ConfigurationError
from stopper.guard.installed import Installed

Make = Callable[..., Flask]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Return the report of a real audit that knows of a hole in the installed waitress."""
    project, database = tmp_path / "project", tmp_path / "database"
    project.mkdir()
    database.mkdir()
    (project / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (project / "requirements.txt").write_text(
        f"flask=={version('flask')}\nwaitress=={version('waitress')}\nredis==1.0\n"
    )
    for name in ("waitress", "redis"):
        package = {"ecosystem": "PyPI", "name": name}
        span = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}
        hole = {
            "id": f"TEST-{name}",
            "summary": "a hole",
            "affected": [{"package": package, "ranges": [span]}],
        }
        (database / f"{name}.json").write_text(json.dumps(hole))
    path = tmp_path / "stopper.json"
    said = ["audit", str(project), "--area", "dependencies", "--advisories", str(database), "-o", str(path)]
    result = CliRunner().invoke(main, said)
    assert path.exists(), result.output
    return path


def installed(app: Flask) -> Installed:
    """Return the guard of an app."""
    return app.extensions["stopper"].state.guards["dependencies"]


def test_a_vulnerable_package_that_is_installed_is_told_with_what_to_install(
    make: Make, report: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = make(audit=str(report))
    app.test_client().get("/")

    assert [one.name for one in installed(app).holes] == ["waitress"]  # redis 1.0 is not what is installed
    assert "is known to be vulnerable (TEST-waitress): install waitress==99.0" in caplog.text


def test_a_report_that_is_old_is_told(make: Make, report: Path, caplog: pytest.LogCaptureFixture) -> None:
    long_ago = time.time() - 40 * 86_400
    os.utime(report, (long_ago, long_ago))
    make(audit=str(report)).test_client().get("/")

    assert "The last audit is 40 days old" in caplog.text


def test_a_package_that_nobody_looked_at_is_never_a_pass(
    make: Make, report: Path, caplog: pytest.LogCaptureFixture
) -> None:
    document = json.loads(report.read_text())
    document["skipped"].append({"what": "known vulnerabilities", "reason": "the index serves no advisories"})
    report.write_text(json.dumps(document))
    make(audit=str(report)).test_client().get("/")

    assert "did not look at every package: the index serves no advisories" in caplog.text


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": "other"}', '{"schema": "stopper-report/1", "findings": 1}']
)
def test_a_file_that_is_no_report_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)

    with pytest.raises(ConfigurationError, match="is no report"):
        Stopper(Flask("one"), audit=str(path))


def test_development_is_not_told(make: Make, report: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = make(audit=str(report))
    app.debug = True
    app.test_client().get("/")

    assert "vulnerable" not in caplog.text
