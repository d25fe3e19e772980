"""A real password guesser against a real server does not get the password that it has on its list."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LOGIN = """
from flask import Flask, redirect, request, session
{guard}
app = Flask(__name__)
app.config.update(SECRET_KEY="b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9", TRUSTED_HOSTS=["127.0.0.1"])
{more}

@app.route("/login", methods=["GET", "POST"])
def login():
    if request.form.get("username") == "admin" and request.form.get("password") == "secret040":
        session["user_id"] = 1
        return redirect("/")
    return "<form method=post>bad</form>"
"""
IMPORT = "from stopper import Stopper"


def found(
    folder: Path,
    port: int,
    right: str = "secret040",
    service: str = "http-post-form",
    address: str = "127.0.0.1",
) -> list[str]:
    """Let hydra try sixty passwords for the user `admin`, the right one the 41st; return those that it takes for right."""
    command = shutil.which("hydra")
    if command is None:
        pytest.skip("hydra is not installed")
    words, report = folder / "words", folder / "report.json"
    report.unlink(missing_ok=True)
    tried = [f"secret{number:03}" for number in range(60)]
    tried[40] = right
    words.write_text("".join(f"{word}\n" for word in tried))
    form = "/login:username=^USER^&password=^PASS^:S=302"
    options = [
        "-l",
        "admin",
        "-P",
        str(words),
        "-t",
        "4",
        "-f",
        "-I",
        "-b",
        "json",
        "-o",
        str(report),
        "-s",
        str(port),
    ]
    subprocess.run(
        [command, *options, address, service, form],
        capture_output=True,
        timeout=120,
        check=False,
    )
    return [one["password"] for one in json.loads(report.read_text())["results"]]


def test_without_the_guard_the_password_is_found(serve: Callable[..., Any], tmp_path: Path) -> None:
    server = serve(LOGIN.format(guard="", more=""))

    assert found(tmp_path, server.port) == ["secret040"], "else this judge judges nothing"


@pytest.mark.parametrize("only", ["limits", "lockout"])
def test_limits_alone_and_lockout_alone_keep_it(serve: Callable[..., Any], tmp_path: Path, only: str) -> None:
    off = ", ".join(f'{name}="off"' for name in ("limits", "lockout", "csrf", "https") if name != only)
    server = serve(LOGIN.format(guard=IMPORT, more=f"Stopper(app, {off})"))

    assert found(tmp_path, server.port) == []


def test_the_whole_guard_keeps_it(serve: Callable[..., Any], tmp_path: Path) -> None:
    server = serve(LOGIN.format(guard=IMPORT, more='Stopper(app, https="off")'))

    assert found(tmp_path, server.port) == []
