"""The secret rules ask whether something is wrong here, and never print a secret whole."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.rules.asking import asked

from stopper.finding import Finding

TOKEN = "gh" + "p_" + "aB3dE5gH7jK9mN1pQ4rS6tU8vW0xY2zC5fG8"
PASSWORD = "k7!winter-night"
KEYED = "from flask import Flask\napp = Flask(__name__)\napp.secret_key = {}\n"


def found(folder: Path, slug: str, **files: str) -> list[Finding]:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return asked(folder, slug)


def committed(folder: Path, away: str = "", **files: str) -> None:
    """Commit files, also those that .gitignore names, or take one away."""
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    changes = [("rm", "-q", away)] if away else [("add", "-f", *files)]
    for words in (("init", "-q"), *changes, (*who, "commit", "-q", "-m", "Go on")):
        subprocess.run(["git", "-C", str(folder), *words], check=True)


@pytest.mark.parametrize(
    ("slug", "secret", "line"),
    [
        ("hardcoded-credential", TOKEN, f'TOKEN = "{TOKEN}"\n'),
        ("hardcoded-password", PASSWORD, f'MAIL_PASSWORD = "{PASSWORD}"\n'),
        ("password-in-url", "k7winter", 'URI = "mysql://blog:k7winter@db.bench.net/blog"\n'),
        ("secret-key-literal", PASSWORD, KEYED.format(f'"{PASSWORD}"')),
        ("secret-key-literal", r"k7!\xecw\nnight\x01", KEYED.format(r'b"k7!\xecw\nnight\x01"')),
        ("secret-key-literal", r"k7!\xe4w\u20acnight", KEYED.format(r'"k7!\xe4w\u20acnight"')),
        ("secret-key-literal", "winter", KEYED.format("'k7!winter' '-night-88'")),
        ("secret-key-literal", "night", KEYED.format("'k7!winter' + '-night-88'")),
        ("jwt-key-weak", PASSWORD, f'import jwt\ntoken = jwt.encode({{"sub": 1}}, "{PASSWORD}")\n'),
        (
            "jwt-key-weak",
            r"k7!\xecw\n",
            r"import jwt" + "\n" + r'token = jwt.encode({}, b"k7!\xecw\nnight")' + "\n",
        ),
        ("jwt-key-weak", PASSWORD, f'import jwt\ntoken = jwt.encode({{"sub": 1}}, b"{PASSWORD}")\n'),
    ],
)
def test_no_finding_holds_the_secret_whole(tmp_path: Path, slug: str, secret: str, line: str) -> None:
    findings = found(tmp_path, slug, app__py=line)

    assert len(findings) == 1
    assert findings[0].code
    assert secret not in findings[0].code
    assert secret not in repr(findings)


@pytest.mark.parametrize(
    "key",
    [
        '"192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf"',
        r"""b'_5#y2L"F4Q8z\n\xec]/'""",
        '"changeme"',
    ],
)
def test_a_key_that_everybody_knows_is_weak(tmp_path: Path, key: str) -> None:
    (finding,) = found(tmp_path, "secret-key-weak", app__py=KEYED.format(key))

    assert "everybody tries first" in finding.message


@pytest.mark.parametrize(
    ("name", "line", "confidence"),
    [
        ("settings.py", "MAIL_PASSWORD = {!r}", "high"),
        ("settings.py", "    # ('https://mail.bench.net', dict(password={!r}))", "low"),
        ("compose.prod.yml", "MAIL_PASSWORD: {}", "high"),
        ("compose.with-dev.yml", "MAIL_PASSWORD: {}", "low"),
    ],
)
def test_a_comment_and_a_file_for_development_are_doubted(
    tmp_path: Path, name: str, line: str, confidence: str
) -> None:
    (tmp_path / name).write_text(line.format("9fK2mQ7vT4xZ8bN1cR5w") + "\n")

    assert [one.confidence for one in found(tmp_path, "hardcoded-password")] == [confidence]


def test_a_key_of_a_development_class_is_not_in_production(tmp_path: Path) -> None:
    text = 'from flask import Flask\nclass DevelopmentConfig:\n    SECRET_KEY = "k7-winter-night-8812"\napp = Flask(__name__)\n'

    assert found(tmp_path, "secret-key-literal", app__py=text) == []


def test_debug_under_main_is_told_with_less_severity(tmp_path: Path) -> None:
    text = 'from flask import Flask\napp = Flask(__name__)\nif __name__ == "__main__":\n    app.run(debug=True)\n'

    assert [one.severity for one in found(tmp_path, "debug-enabled", app__py=text)] == ["medium"]


@pytest.mark.parametrize(
    ("text", "severity", "confidence"),
    [
        ("PROJECT=blog\n", "low", "low"),
        ("TLS_PRIVATE_KEY=${PWD}/tls/localhost.key\nAWS_SECRET_ACCESS_KEY=1\n", "low", "low"),
        ("MAIL_PASSWORD=k7-winter-night\n", "high", "high"),
        ("DATABASE_URL=mysql://blog:k7winter@db.bench.net/blog\n", "high", "high"),
    ],
)
def test_a_tracked_env_file_that_gitignore_names_is_judged_by_what_it_holds(
    tmp_path: Path, text: str, severity: str, confidence: str
) -> None:
    (tmp_path / ".gitignore").write_text(".env\n")
    committed(tmp_path, **{".env": text})

    judged = [(one.severity, one.confidence) for one in found(tmp_path, "dotenv-not-ignored")]
    assert judged == [(severity, confidence)]


@pytest.mark.parametrize(
    ("text", "severity"), [("SITE=http://localhost\n", "low"), ("API_TOKEN=k7winternight\n", "medium")]
)
def test_an_env_file_that_only_history_holds_is_judged_by_what_it_held(
    tmp_path: Path, text: str, severity: str
) -> None:
    committed(tmp_path, **{"web/.env.local": text})
    committed(tmp_path, away="web/.env.local")

    assert [one.severity for one in found(tmp_path, "dotenv-not-ignored")] == [severity]


@pytest.mark.parametrize(
    ("path", "times"),
    [
        ("settings.py", 1),
        ("example_settings.py", 0),
        ("testdata/settings.py", 0),
        ("pkg/settings_test.go", 0),
        ("molecule/settings.py", 0),
    ],
)
def test_a_credential_that_history_holds_counts_where_it_opens_something(
    tmp_path: Path, path: str, times: int
) -> None:
    committed(tmp_path, **{path: f'TOKEN = "{TOKEN}"\n'})
    committed(tmp_path, away=path)

    assert len(found(tmp_path, "hardcoded-credential")) == times


def test_a_made_up_password_in_history_is_none(tmp_path: Path) -> None:
    drawn = "WEj" + "wn8ZyczDhQSK24YKM8C9a"
    committed(
        tmp_path,
        **{"dev_data.py": f'test_password = "{drawn}"\n', "mail.py": f'mail_password = "{drawn}x"\n'},
    )
    committed(tmp_path, away="dev_data.py")
    committed(tmp_path, away="mail.py")

    assert [one.location.path for one in found(tmp_path, "hardcoded-credential")] == ["mail.py"]


@pytest.mark.parametrize(
    ("account", "times"), [("dbuser:dbpassword@dbhost", 0), ("blog:k7winter@db.bench.net", 1)]
)
def test_a_url_that_only_shows_the_form_holds_no_password(tmp_path: Path, account: str, times: int) -> None:
    text = f'URI = "postgresql://{account}/blog"\n'

    assert len(found(tmp_path, "password-in-url", app__py=text)) == times


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


@pytest.mark.parametrize(
    ("read", "confidence"),
    [
        ('first.get("iss")', "low"),
        ('first["iss"] + first["aud"]', "low"),
        ('first["sub"]', "high"),
        ('find(first, first["iss"])', "high"),
    ],
)
def test_a_first_look_at_who_issued_a_token_is_a_question(tmp_path: Path, read: str, confidence: str) -> None:
    text = (
        "import jwt\n"
        "def issuer(token):\n"
        '    first = jwt.decode(token, options={"verify_signature": False})\n'
        f"    return {read}\n"
    )

    assert [one.confidence for one in found(tmp_path, "jwt-verification-off", app__py=text)] == [confidence]


@pytest.mark.parametrize(
    ("path", "text", "confidence"),
    [
        ("tool/.env", "MAIL_PASSWORD=k7-winter-night\n", "high"),
        ("tool/.env", "KEY_PATH=./tls/localhost.key\n", "low"),
        ("web/.env", "MAIL_PASSWORD=k7-winter-night\n", "low"),
    ],
)
def test_a_folder_that_is_copied_into_an_image_is_judged_by_what_lies_in_it(
    tmp_path: Path, path: str, text: str, confidence: str
) -> None:
    for name, content in {"tool/Dockerfile": "FROM alpine:3.20\nCOPY . .\n", path: text}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)

    assert [one.confidence for one in found(tmp_path, "dotenv-in-image")] == [confidence]


@pytest.mark.parametrize(
    ("line", "confidence"),
    [("provider.update_app_config(app.config)", "medium"), ("print(app.config)", "high")],
)
def test_a_setting_that_something_unseen_may_change_is_told_less_surely(
    tmp_path: Path, line: str, confidence: str
) -> None:
    text = f"from elsewhere import provider\nfrom flask import Flask\napp = Flask(__name__)\napp.config['TESTING'] = True\n{line}\n"

    assert [one.confidence for one in found(tmp_path, "testing-mode-on", app__py=text)] == [confidence]
