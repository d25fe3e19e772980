"""The checklist on itself: its own code samples, put together as the app that its reader would write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stopper.audit import audit
from stopper.config import Config
from stopper.finding import Area, Finding
from stopper.report import Report

SEED = Path(__file__).parent / "apps" / "seed"


@pytest.fixture(scope="module")
def report() -> Report:
    """Return what the audit says of the checklist's app."""
    return audit(SEED, Config(online=False))


def at(report: Report, path: str, text: str) -> list[Finding]:
    """Return the findings whose marked lines hold a text."""
    lines = (SEED / path).read_text(encoding="utf-8").splitlines()
    return [
        finding
        for finding in report.findings
        if finding.location.path == path
        and text in "\n".join(lines[finding.location.line - 1 : finding.location.end_line])
    ]


@pytest.mark.parametrize(
    ("path", "text", "area", "said"),
    [
        ("app.py", "app.secret_key = os.environ.get", Area.SECRETS, r"None|not set|unset"),
        ("app.py", "'unsafe-inline'", Area.HEADERS, r"unsafe-inline"),
        (
            "app.py",
            "limiter = Limiter(app, key_func",
            Area.LIMITS,
            r"TypeError|signature|first argument|key_func=",
        ),
        ("app.py", "limiter = Limiter(app, key_func", Area.LIMITS, r"memory|process"),
        ("app.py", "remote_addr", Area.LIMITS, r"proxy"),
        ("requirements.txt", "bleach", Area.DEPENDENCIES, r"nh3"),
        ("requirements.txt", "flask", Area.DEPENDENCIES, r"any version|pin"),
    ],
)
def test_what_is_wrong_with_the_checklist_is_found(
    report: Report, path: str, text: str, area: Area, said: str
) -> None:
    findings = [finding for finding in at(report, path, text) if finding.area == area]

    assert [one for one in findings if re.search(said, f"{one.message} {one.remedy}", re.IGNORECASE)]


@pytest.mark.parametrize("text", ["cursor.execute", "SESSION_COOKIE_SECURE", "def login():"])
def test_what_is_right_is_left_alone(report: Report, text: str) -> None:
    assert [f"{one.rule}: {one.message}" for one in at(report, "app.py", text)] == []


def test_a_parametrised_query_closes_the_area(report: Report) -> None:
    assert [finding for finding in report.findings if finding.area == Area.SQL] == []


def test_talisman_s_redirect_is_seen(report: Report) -> None:
    missing = [
        one
        for one in report.findings
        if re.search(r"no redirect|redirects? nothing|hsts", one.message, re.IGNORECASE)
    ]

    assert missing == []
