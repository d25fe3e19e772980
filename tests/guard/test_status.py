"""`flask stopper status` says what covers every route, and `flask stopper csp` which policy is the narrowest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Blueprint, Flask, redirect
from flask_limiter import Limiter
from flask_login import LoginManager, login_required

from stopper import Stopper
from stopper.errors import ConfigurationError
from stopper.guard.propose import propose, stored
from stopper.guard.status import status
from stopper.guard.violations import Violation

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
APP = f"""
from flask import Flask
from stopper import Stopper
app = Flask(__name__)
app.config.update(SECRET_KEY="{KEY}", TRUSTED_HOSTS=["shop.example"])
stopper = Stopper(app, csp_store="violations", mode_of_tests="off")
app.get("/")(lambda: "x")
app.post("/hook", endpoint="hook")(lambda: "x")
""".replace(', mode_of_tests="off"', "")


def guarded(**settings: object) -> tuple[Flask, Stopper]:
    """Return a whole app and its guard."""
    app = Flask("shop")
    app.config.update(SECRET_KEY=KEY, TRUSTED_HOSTS=["shop.example"])
    stopper = Stopper()
    stopper.init_app(app, **settings)
    return app, stopper


def gaps(app: Flask) -> dict[str, tuple[str, ...]]:
    """Return what is missing, by endpoint."""
    return {line.endpoint: line.gaps for line in status(app).lines if line.gaps}


def test_every_route_is_a_line_and_what_no_route_serves_too() -> None:
    app, _ = guarded()
    app.get("/")(lambda: "x")

    assert [line.endpoint for line in status(app).lines] == ["<lambda>", "stopper_csp_reports", "static", ""]
    assert gaps(app) == {}


def test_a_route_that_nothing_limits_is_a_gap() -> None:
    app, _ = guarded(limits="off")
    app.get("/")(lambda: "x")

    assert gaps(app)["<lambda>"] == ("limit",)


def test_a_route_that_nothing_checks_is_a_gap() -> None:
    app, _ = guarded(csrf="off")
    app.post("/send", endpoint="send")(lambda: "x")
    app.get("/read", endpoint="read")(lambda: "x")

    assert gaps(app)["send"] == ("csrf",)
    assert "read" not in gaps(app)


def test_what_was_exempted_is_said_and_is_no_gap() -> None:
    app, stopper = guarded()
    app.post("/hook", endpoint="hook")(stopper.exempt("csrf")(lambda: "x"))

    line = next(line for line in status(app).lines if line.endpoint == "hook")
    assert line.cells["csrf"].state == "exempt"
    assert line.gaps == ()


def test_a_policy_that_lets_inline_scripts_run_is_a_gap() -> None:
    app, stopper = guarded()
    app.get("/old", endpoint="old")(stopper.csp(script_src="'self' 'unsafe-inline'")(lambda: "x"))

    assert gaps(app)["old"] == ("csp",)


def test_what_a_library_does_is_counted_where_it_does_it() -> None:
    app = Flask("shop")
    app.config.update(SECRET_KEY=KEY, TRUSTED_HOSTS=["shop.example"])
    limiter = Limiter(lambda: "x", app=app, storage_uri="memory://")
    Stopper(app, limits="off")
    app.get("/below", endpoint="below")(limiter.limit("5 per minute")(lambda: "x"))

    def above() -> str:
        return "x"

    app.get("/above")(above)
    limiter.limit("5 per minute")(above)

    found = {line.endpoint: line for line in status(app).lines}
    assert "limit" not in found["below"].gaps
    assert "Flask-Limiter" in found["below"].cells["limit"].text
    assert "limit" in found["above"].gaps  # the decorator stands above the route and limits nothing


def test_what_asks_for_a_user_is_said() -> None:
    app, _ = guarded()
    LoginManager(app)
    admin = Blueprint("admin", "admin", url_prefix="/admin")
    admin.before_request(lambda: None)

    @admin.before_request
    def require_admin() -> object:
        return redirect("/")

    admin.add_url_rule("/", "index", lambda: "x")
    app.register_blueprint(admin)
    app.get("/me", endpoint="me")(login_required(lambda: "x"))
    app.get("/all", endpoint="all")(lambda: "x")

    auth = {line.endpoint: line.cells["auth"].text for line in status(app).lines}
    assert (auth["me"], auth["admin.index"], auth["all"]) == ("login_required", "require_admin", "nobody")


def test_what_no_nonce_reaches_is_listed(tmp_path: Path) -> None:
    app, _ = guarded()
    app.template_folder = str(tmp_path)
    (tmp_path / "a.html").write_text(
        '<p>\n<a onclick="x()" href="javascript:y()" style="color:red">z</a>\n{# <p onclick=x> #}\n'
    )

    assert status(app).unreached == (
        ("a.html", 2, "onclick"),
        ("a.html", 2, 'href="javascript:'),
        ("a.html", 2, "style"),
    )


def test_what_production_is_not_served_without_is_said() -> None:
    app = Flask("shop")
    Stopper(app)

    assert len(status(app).problems) == 2


def test_an_app_without_a_guard_is_told_so() -> None:
    with pytest.raises(ConfigurationError, match="has no guard"):
        status(Flask("bare"))


def run(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Return what a command of Flask did with the app in a folder."""
    (folder / "shop.py").write_text(APP)
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "shop", "stopper", *words],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_prints_a_line_a_route_into_a_pipe(tmp_path: Path) -> None:
    done = run(tmp_path, "status", "--strict")

    assert done.returncode == 0, done.stderr
    assert "POST /hook [hook] headers:" in done.stdout
    assert "\x1b" not in done.stdout
    assert "routes are covered in every column" in done.stdout


def test_the_command_ends_with_1_where_something_is_missing(tmp_path: Path) -> None:
    done = run(tmp_path, "status", "--strict", "--format", "json", STOPPER_LIMITS="off")
    document = json.loads(done.stdout)

    assert done.returncode == 1
    assert document["schema"] == "stopper-status/1"
    assert {route["endpoint"]: route["gaps"] for route in document["routes"]}["hook"] == ["limit"]


def test_the_command_proposes_what_was_reported(tmp_path: Path) -> None:
    violation = {"directive": "img-src", "blocked": "https://img.example", "document": "/a"}
    (tmp_path / "violations").write_text(json.dumps(violation) + "\nnot json\n")

    done = run(tmp_path, "csp")

    assert done.returncode == 0, done.stderr
    assert "\"img-src\": [\"'self'\", 'data:', 'https://img.example']," in done.stdout


def test_a_proposal_holds_what_templates_load_and_says_what_no_policy_mends(tmp_path: Path) -> None:
    app, _ = guarded()
    app.template_folder = str(tmp_path)
    (tmp_path / "a.html").write_text(
        '<img src="https://img.example/a.png"><img src="/own.png"><iframe src="//video.example/1"></iframe>'
        '<script src="https://cdn.example/a.js"></script><img src="{{ url }}">'
    )
    reports = [
        Violation("script-src-elem", "inline", "/b"),
        Violation("style-src-attr", "inline", "/b"),
        Violation("connect-src", "https://api.example", "/b"),
    ]

    made = propose(app.jinja_env, reports)

    assert made.sources == {
        "img-src": {"https://img.example"},
        "frame-src": {"https://video.example"},
        "connect-src": {"https://api.example"},
    }
    assert len(made.remarks) == 2
    assert "frame-src" not in made.closed


def test_a_proposal_can_be_written_as_it_is(tmp_path: Path) -> None:
    from stopper.cli.csp import said

    app, _ = guarded()
    names: dict[str, dict[str, object]] = {}
    exec("\n".join(said(propose(app.jinja_env, [Violation("img-src", "https://i.example", "/")]), 1)), names)

    guarded(csp_policy=names["STOPPER_CSP_POLICY"], csp_report_only=names["STOPPER_CSP_REPORT_ONLY"])


def test_a_file_of_violations_may_hold_anything(tmp_path: Path) -> None:
    path = tmp_path / "violations"
    path.write_bytes(b'\xff\xfe\n[]\n"x"\n{}\n{"directive": 1}\n')

    assert len(list(stored(path))) == 2
