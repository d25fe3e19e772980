"""An app is booted in a process of its own: what it is comes back as plain data, and what goes wrong comes back as a sentence."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from stopper.app.boot import Boot, boot
from stopper.app.booted import Booted
from stopper.errors import UnseenError

BLOG = """import functools
from datetime import timedelta
from flask import Flask, Blueprint, session

bp = Blueprint("posts", __name__, url_prefix="/posts")

def signed_in(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs)
    return wrapper

@bp.get("/<int:number>")
@signed_in
def post(number):
    return str(number)

def create_app(name="blog"):
    app = Flask(name)
    app.config.update(SECRET_KEY=b"k\\xff", PERMANENT_SESSION_LIFETIME=timedelta(hours=1), THING=object())
    app.register_blueprint(bp)

    @app.before_request
    def count():
        print("a request")

    @app.get("/")
    def index():
        session["seen"] = True
        return "hello"

    @app.get("/broken")
    def broken():
        raise LookupError("no such row")

    return app
"""


def booted(folder: Path, text: str, app: str = "blog", **how: object) -> Booted:
    (folder / "blog.py").write_text(text)
    return boot(Boot(app, folder, **how))  # type: ignore[arg-type]


def test_settings_routes_hooks_and_answers_come_back_as_plain_data(tmp_path: Path) -> None:
    app = booted(tmp_path, BLOG)

    assert (app.name, app.debug, app.production) == ("blog", False, True)
    assert app.config["PERMANENT_SESSION_LIFETIME"] == 3600
    assert app.config["SECRET_KEY"] == "k\\xff"
    assert app.config["THING"] == "<builtins.object>"
    post = app.rule_of("posts.post")
    assert post is not None
    assert (post.rule, post.arguments) == ("/posts/<int:number>", ("number",))
    assert post.view is not None
    assert (post.view.name, post.view.file, post.view.line) == ("post", "blog.py", 13)
    assert [(hook.kind, hook.place.line) for hook in app.hooks] == [("before_request", 23)]
    assert [(one.path, one.status) for one in app.answers][:2] == [("/", 200), ("/broken", 500)]
    assert app.answers[0].header("set-cookie") is not None
    assert [one.status for one in app.answers[-2:]] == [404, 405]


@pytest.mark.parametrize("name", ["blog", "blog:create_app", "blog:create_app('shop')"])
def test_an_app_is_named_as_for_flask(tmp_path: Path, name: str) -> None:
    assert booted(tmp_path, BLOG, name).name == ("shop" if "shop" in name else "blog")


def test_only_as_many_routes_are_asked_as_were_allowed(tmp_path: Path) -> None:
    assert next(one.path for one in booted(tmp_path, BLOG, requests=1).answers) == "/"
    assert booted(tmp_path, BLOG, requests=0).answers == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise LookupError('no database here')", "no database here"),
        ("import sys; sys.exit('set SECRET_KEY first')", "set SECRET_KEY first"),
        ("x = 1", "Failed to find Flask application"),
        ("def (", "SyntaxError"),
        ("import os; os._exit(7)", "ended with 7"),
        ("import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9/')", "--allow-network"),
    ],
)
def test_an_app_that_does_not_boot_is_told_with_its_last_words(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UnseenError, match=said):
        booted(tmp_path, text)


def test_an_app_that_hangs_is_stopped_in_time(tmp_path: Path) -> None:
    began = time.monotonic()

    with pytest.raises(UnseenError, match="after 2 seconds"):
        booted(tmp_path, "import time\ntime.sleep(60)\n", seconds=2.0)

    assert time.monotonic() - began < 30


def test_debug_mode_of_the_users_shell_is_not_the_apps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")

    assert booted(tmp_path, BLOG).debug is False


def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnseenError, match="--python"):
        booted(tmp_path, BLOG, python=tmp_path / "no-python")
