"""The input rules tell a client who chooses a URL from one who chooses its path only."""

from __future__ import annotations

from pathlib import Path

import pytest

from stopper.finding import Finding
from stopper.rule import discover
from stopper.source.files import walk
from stopper.source.project import Project

PROXY = """\
from urllib.parse import urljoin

import requests
from flask import Flask, request

app = Flask(__name__)


@app.get("/api/<path:rest>")
def proxy(rest):
    url = urljoin(app.config["UPSTREAM"], {part})
    return requests.get(url, timeout=5).text
"""


@pytest.mark.parametrize(
    ("part", "confidence"),
    [
        ("request.path", "low"),
        ("request.full_path", "low"),
        ("request.path[1:]", "high"),
        ("request.path.lstrip('/')", "high"),
        ("request.args['to']", "high"),
    ],
)
def test_a_path_that_begins_with_one_slash_keeps_the_host(tmp_path: Path, part: str, confidence: str) -> None:
    (tmp_path / "app.py").write_text(PROXY.replace("{part}", part))
    (rule,) = [one for one in discover() if one.slug == "server-side-request-forgery"]
    findings = [item for item in rule.source(Project(walk(tmp_path))) if isinstance(item, Finding)]

    assert [one.confidence for one in findings] == [confidence]
