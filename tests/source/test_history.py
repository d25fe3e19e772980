"""Git is asked what was ever committed; what it cannot answer is skipped, with the reason."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from stopper.source.history import History, is_env_file

TOKEN = "gh" + "p_" + "aB3dE5gH7jK9mN1pQ4rS6tU8vW0xY2zC5fG8"


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false", *words],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / ".env").write_text("MAIL_PASSWORD=k7-winter-night\n")
    (tmp_path / "config.py").write_text(f'TOKEN = "{TOKEN}"\n')
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    (tmp_path / "config.py").write_text("TOKEN = None\n")
    git(tmp_path, "rm", "-q", "--cached", ".env")
    (tmp_path / ".gitignore").write_text(".env\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "second")
    return tmp_path


def test_a_removed_secret_is_told_with_commit_path_and_date(repository: Path) -> None:
    history = History(repository)
    (one,) = [item for item in history.secrets() if item.path == "config.py"]

    assert one.credential is not None
    assert one.credential.secret == TOKEN
    assert len(one.commit) >= 7
    assert len(one.date) == 10
    assert history.skipped == []


def test_an_env_file_that_was_ever_committed_is_remembered(repository: Path) -> None:
    history = History(repository)

    assert [item.path for item in history.env_files()] == [".env"]
    assert not history.tracked(".env")
    assert history.tracked("config.py")
    assert history.ignored(".env") is True
    assert history.ignored("config.py") is False


def test_a_folder_without_git_is_skipped_with_its_reason(tmp_path: Path) -> None:
    history = History(tmp_path)

    assert history.secrets() == ()
    assert history.env_files() == ()
    assert history.ignored("a") is None
    assert [note.reason for note in history.skipped] == ["not a git repository"]


def test_a_shallow_clone_says_so(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("clone")
    git(folder, "clone", "-q", "--depth", "1", f"file://{repository}", "copy")
    history = History(folder / "copy")
    history.secrets()

    assert "shallow" in history.skipped[0].reason


@pytest.mark.parametrize(
    ("path", "real"),
    [
        (".env", True),
        ("a/prod.env", True),
        (".env.local", True),
        (".env.example", False),
        (".flaskenv", False),
    ],
)
def test_a_template_of_an_env_file_is_none(path: str, real: bool) -> None:
    assert is_env_file(path) is real
