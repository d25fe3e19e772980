"""The input rules tell a client who chooses a URL from one who chooses its path only."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.rules.asking import found

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
    findings = found(tmp_path, "server-side-request-forgery", PROXY.replace("{part}", part))

    assert [one.confidence for one in findings] == [confidence]


@pytest.mark.parametrize(
    ("urls", "listed"), [("abc", "/a, /b, /c"), ("abcd", "/a, /b, /c and 1 more"), ("aab", "/a, /b")]
)
def test_a_url_without_a_check_is_counted_once_however_many_views_it_has(
    tmp_path: Path, urls: str, listed: str
) -> None:
    views = [
        f'@app.post("/{url}")\n@app.route("/{url}", methods=["POST", "DELETE"])\ndef view{number}():\n'
        '    session["name"] = request.form["name"]\n    return ""\n'
        for number, url in enumerate(urls)
    ]
    head = "from flask import Flask, request, session\napp = Flask(__name__)\n"
    (finding,) = found(tmp_path, "csrf-missing", head + "".join(views))

    assert finding.message == f"no request to {listed} is checked for coming from the app's own pages"
