"""Git is asked what was ever committed; what it cannot answer is skipped, with the reason."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from stopper.source.history import History, digest, is_env_file
from stopper.source.versions import brought, listed

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

    assert one.digest == digest(TOKEN)
    assert TOKEN not in repr(one)
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


def test_a_secret_is_told_with_the_first_commit_that_held_it_however_the_file_grew(repository: Path) -> None:
    page = repository / "notes.py"
    filler = "".join(f"line_{number} = {number}\n" for number in range(400))
    for tail in ("", f'KEY = "{TOKEN[::-1]}"\nAPI_TOKEN = "{TOKEN[4:]}x"\n', "other = 1\n"):
        page.write_text(filler + tail + filler)
        git(repository, "add", ".")
        git(repository, "commit", "-qm", f"with {tail[:5]}", "--allow-empty")
    log = subprocess.run(
        ["git", "log", "--format=%H"], cwd=repository, check=True, capture_output=True, text=True
    )
    (one,) = [item for item in History(repository).secrets() if item.path == "notes.py"]

    assert log.stdout.split()[1].startswith(one.commit)


def test_a_folder_inside_a_repository_has_paths_of_its_own(repository: Path) -> None:
    inner = repository / "inner"
    inner.mkdir()
    (inner / "settings.py").write_text(f'TOKEN = "{TOKEN}"\n')
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "third")

    assert {item.path for item in History(inner).secrets()} == {"settings.py"}


def test_what_was_not_read_in_time_is_told(repository: Path) -> None:
    versions, complete = listed(repository, inside=False, seconds=60)
    missed: list[tuple[int, str]] = []

    def note(count: int, why: str) -> None:
        missed.append((count, why))

    assert complete
    assert {(one.path, len(one.commit)) for one in versions} == {
        (".env", 10), ("config.py", 10), (".gitignore", 10),
    }  # fmt: skip
    assert list(brought(repository, versions, seconds=0, missed=note)) == []
    assert missed == [(len(versions), "the time was over")]


def test_a_history_that_is_too_long_is_read_as_far_as_it_is_everywhere(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stopper.source.versions.MOST", 10)
    history = History(repository)
    history.secrets()

    assert [note.reason for note in history.skipped] == [
        "0 MB of history were read; 3 versions of files were not read"
    ]


@pytest.mark.parametrize(
    "content", [b"\0binary " + TOKEN.encode(), b"x" * 3000 + TOKEN.encode()], ids=["binary", "long line"]
)
def test_data_is_not_read_for_secrets(tmp_path: Path, content: bytes) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "data.bin").write_bytes(content)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "data")

    assert History(tmp_path).secrets() == ()
