"""The secret rules ask whether something is wrong here, and never print a secret whole."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from stopper.finding import Finding
from stopper.rule import discover
from stopper.source.files import walk
from stopper.source.project import Project

TOKEN = "gh" + "p_" + "aB3dE5gH7jK9mN1pQ4rS6tU8vW0xY2zC5fG8"
PASSWORD = "k7!winter-night"


def found(folder: Path, slug: str, **files: str) -> list[Finding]:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    (rule,) = [one for one in discover() if one.slug == slug]
    return [item for item in rule.source(Project(walk(folder))) if isinstance(item, Finding)]


@pytest.mark.parametrize(
    ("slug", "secret", "line"),
    [
        ("hardcoded-credential", TOKEN, f'TOKEN = "{TOKEN}"\n'),
        ("hardcoded-password", PASSWORD, f'MAIL_PASSWORD = "{PASSWORD}"\n'),
        ("password-in-url", "k7winter", 'URI = "mysql://blog:k7winter@db.bench.net/blog"\n'),
        (
            "secret-key-literal",
            PASSWORD,
            f'from flask import Flask\napp = Flask(__name__)\napp.secret_key = "{PASSWORD}"\n',
        ),
    ],
)
def test_no_finding_holds_the_secret_whole(tmp_path: Path, slug: str, secret: str, line: str) -> None:
    findings = found(tmp_path, slug, app__py=line)

    assert len(findings) == 1
    assert findings[0].code
    assert secret not in repr(findings)


def test_a_key_of_a_development_class_is_not_in_production(tmp_path: Path) -> None:
    text = 'from flask import Flask\nclass DevelopmentConfig:\n    SECRET_KEY = "k7-winter-night-8812"\napp = Flask(__name__)\n'

    assert found(tmp_path, "secret-key-literal", app__py=text) == []


def test_debug_under_main_is_told_with_less_severity(tmp_path: Path) -> None:
    text = 'from flask import Flask\napp = Flask(__name__)\nif __name__ == "__main__":\n    app.run(debug=True)\n'

    assert [one.severity for one in found(tmp_path, "debug-enabled", app__py=text)] == ["medium"]


@pytest.mark.parametrize(
    ("text", "severity"), [("PROJECT=blog\n", "low"), ("MAIL_PASSWORD=k7-winter-night\n", "high")]
)
def test_a_tracked_env_file_that_gitignore_names_is_judged_by_what_it_holds(
    tmp_path: Path, text: str, severity: str
) -> None:
    (tmp_path / ".env").write_text(text)
    (tmp_path / ".gitignore").write_text(".env\n")
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")
    for words in (("init", "-q"), ("add", "-f", ".env"), (*who, "commit", "-q", "-m", "Start")):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)

    assert [one.severity for one in found(tmp_path, "dotenv-not-ignored")] == [severity]


def test_debug_beside_a_main_block_is_told_in_full(tmp_path: Path) -> None:
    text = 'from flask import Flask\napp = Flask(__name__)\napp.run(debug=True)\nif __name__ == "__main__":\n    print("?")\n'

    assert [one.severity for one in found(tmp_path, "debug-enabled", app__py=text)] == ["high"]


def test_a_first_look_at_a_token_that_is_checked_afterwards_is_a_question(tmp_path: Path) -> None:
    text = (
        "import jwt\n"
        "def who(token, keys):\n"
        '    first = jwt.decode(token, options={"verify_signature": False})\n'
        '    return jwt.decode(token, keys[first["iss"]], algorithms=["RS256"])\n'
        "def only(token):\n"
        '    return jwt.decode(token, options={"verify_signature": False})\n'
    )

    assert [
        (one.location.line, one.confidence) for one in found(tmp_path, "jwt-verification-off", app__py=text)
    ] == [
        (3, "low"),
        (6, "high"),
    ]


def test_only_the_last_stage_of_an_image_keeps_what_it_copies(tmp_path: Path) -> None:
    built = "FROM node:22 AS build\nCOPY . /web\nFROM python:3.13\nCOPY --from=build /web/dist /web\n"

    assert found(tmp_path, "dotenv-in-image", Dockerfile=built) == []
    assert len(found(tmp_path, "dotenv-in-image", Dockerfile=built + "COPY . /srv\n")) == 1


def test_a_role_for_test_machines_is_no_place_of_production_passwords(tmp_path: Path) -> None:
    for folder in ("roles/app-test/tasks", "roles/app/tasks"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "vars.py").write_text(f'MAIL_PASSWORD = "{PASSWORD}"\n')

    assert [one.location.path for one in found(tmp_path, "hardcoded-password")] == ["roles/app/tasks/vars.py"]
