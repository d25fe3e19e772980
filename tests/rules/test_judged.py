"""What was reported of applications in use and was no hole is not reported again; its dangerous neighbour is."""

from __future__ import annotations

from pathlib import Path

import pytest

from stopper.finding import Finding
from stopper.rule import discover
from stopper.source.files import walk
from stopper.source.project import Project

RESET = """\
from flask import Flask, request
from models import User

app = Flask(__name__)


@app.post("/reset-password")
def reset_password():
    user = {user}
    user.set_password(request.form["password"])
    return "", 204
"""
ETAG = """\
import hashlib

from flask import Flask, current_app

app = Flask(__name__)


def {name}(day):
    return hashlib.md5((current_app.config["SECRET_KEY"] + day).encode()).hexdigest()
"""


LOGIN = """\
from flask import Flask, current_app, session

app = Flask(__name__)


def enter(user):
    {renew}
    session.permanent = True


@app.post("/login")
def login():
    session["user_id"] = 1
    enter(1)
    return "", 204
"""


def found(folder: Path, slug: str, text: str) -> list[Finding]:
    (folder / "app.py").write_text(text)
    (rule,) = [one for one in discover() if one.slug == slug]
    return [item for item in rule.source(Project(walk(folder))) if isinstance(item, Finding)]


@pytest.mark.parametrize(
    ("user", "times"),
    [
        ("User.verify_token(token)", 0),
        ("User.verify_hash(hash, salt='reset')", 0),
        ("serializer.loads(token, max_age=600)", 0),
        ('User.check_password(request.form["old"]) and User.verify_token(token)', 1),
        ("User.one().verify_totp(token)", 1),
        ('User.by_code(request.form["code"])', 1),
    ],
)
def test_a_reset_that_asks_for_a_signed_token_needs_no_limit(tmp_path: Path, user: str, times: int) -> None:
    assert len(found(tmp_path, "login-without-limit", RESET.replace("{user}", user))) == times


@pytest.mark.parametrize(("name", "times"), [("session_token", 1), ("build_etag", 0), ("cache_key", 0)])
def test_a_hash_that_labels_content_is_no_token(tmp_path: Path, name: str, times: int) -> None:
    assert len(found(tmp_path, "weak-password-hash", ETAG.replace("{name}", name))) == times


@pytest.mark.parametrize(
    ("renew", "times"),
    [
        ("current_app.session_interface.regenerate(session)", 0),
        ("session.clear()", 0),
        ("session.modified = True", 1),
    ],
)
def test_a_login_may_have_a_function_of_the_project_renew_the_session(
    tmp_path: Path, renew: str, times: int
) -> None:
    assert len(found(tmp_path, "session-survives-login", LOGIN.replace("{renew}", renew))) == times


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        (
            "import requests\ndef rates():\n    return requests.get('https://rates.bench.net').json()\n",
            "medium",
        ),
        ("import requests\nprint(requests.get('https://rates.bench.net').json())\n", "low"),
    ],
)
def test_a_request_that_is_made_once_holds_no_worker(tmp_path: Path, text: str, confidence: str) -> None:
    assert [one.confidence for one in found(tmp_path, "request-without-timeout", text)] == [confidence]
