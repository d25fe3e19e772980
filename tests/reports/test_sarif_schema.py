"""The SARIF of a real audit holds against the OASIS schema and Microsoft's validator with GitHub's own rules.

Both come with the validator's npm package, which is kept in pytest's cache folder between runs, where pytest has one.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from stopper.audit import audit
from stopper.config import Config
from stopper.reports import sarif

PACKAGE = "@microsoft/sarif-multitool-linux"
VERSION = "5.7.0"
BLOG = Path(__file__).parents[2] / "examples" / "blog"


@pytest.fixture(scope="module")
def validator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = getattr(request.config, "cache", None)
    kept = Path(cache.mkdir("sarif-validator")) if cache else tmp_path_factory.mktemp("sarif-validator")
    folder = kept / VERSION
    if not folder.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm is not installed: it brings the SARIF schema and the validator")
        half = folder.with_name("half")
        fetched = subprocess.run(
            [npm, "install", "--silent", "--ignore-scripts", "--no-save", "--prefix", half, f"{PACKAGE}@{VERSION}"],
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        if fetched.returncode:
            pytest.skip(f"npm could not fetch {PACKAGE}: {(fetched.stderr or fetched.stdout).strip()[-200:]}")
        half.rename(folder)
    return folder / "node_modules" / PACKAGE


@pytest.fixture(scope="module")
def text() -> str:
    return sarif.render(audit(BLOG, Config()))


def test_a_real_report_holds_against_the_schema_of_sarif_2_1_0(validator: Path, text: str) -> None:
    schema = json.loads((validator / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    judge = jsonschema.validators.validator_for(schema)
    judge.check_schema(schema)
    errors = [
        f"{error.json_path}: {error.message}"
        for error in judge(schema, format_checker=judge.FORMAT_CHECKER).iter_errors(json.loads(text))
    ]

    assert json.loads(text)["runs"][0]["results"]
    assert errors == []


def test_a_wrong_report_does_not_hold_against_the_schema(validator: Path, text: str) -> None:
    schema = json.loads((validator / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    wrong: dict[str, Any] = json.loads(text)
    wrong["runs"][0]["results"][0]["level"] = "dreadful"

    assert not jsonschema.validators.validator_for(schema)(schema).is_valid(wrong)


def test_githubs_own_rules_find_nothing_but_the_address_that_stopper_has_not_yet(
    validator: Path, text: str, tmp_path: Path
) -> None:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        pytest.skip("the validator is built for Linux on x86-64")
    (tmp_path / "blog.sarif").write_text(text, encoding="utf-8")
    command = validator / "Sarif.Multitool"
    command.chmod(0o755)
    subprocess.run(
        [command, "validate", "blog.sarif", "--rule-kind", "Sarif;Ghas", "--output", "said.sarif"],
        cwd=tmp_path, capture_output=True, timeout=120, check=True,
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1", "DOTNET_BUNDLE_EXTRACT_BASE_DIR": str(tmp_path)},
    )  # fmt: skip
    (run,) = json.loads((tmp_path / "said.sarif").read_text(encoding="utf-8-sig"))["runs"]

    assert {result["ruleId"] for result in run["results"]} <= {"SARIF2005"}
