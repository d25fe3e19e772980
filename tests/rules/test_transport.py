"""The transport rules ask when a line runs, and not only what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.rules.asking import found


@pytest.mark.parametrize(
    "off",
    [
        "return ssl._create_unverified_context()",
        "made.verify_mode = ssl.CERT_NONE",
        "session.verify = False",
    ],
)
@pytest.mark.parametrize(
    ("test", "confidences"),
    [
        ("True", ["medium"]),
        ("not verify_ssl", ["medium"]),
        ("app.debug", []),
        ('os.environ["ENV"] == "development"', []),
    ],
)
def test_verification_switched_off_under_a_condition_is_judged_by_the_condition(
    tmp_path: Path, test: str, confidences: list[str], off: str
) -> None:
    text = (
        "import os, requests, ssl\nfrom flask import Flask\napp = Flask(__name__)\n"
        "def context(verify_ssl):\n    made = ssl.create_default_context()\n    session = requests.Session()\n"
        f"    if {test}:\n        {off}\n    return made, session\n"
    )
    findings = found(tmp_path, "certificate-verification-off", text)

    assert [one.confidence for one in findings] == confidences
