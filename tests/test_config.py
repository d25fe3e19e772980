"""The configuration is read strictly, from the nearest pyproject.toml, and its patterns work like .gitignore."""

from __future__ import annotations

from pathlib import Path

import pytest

from stopper.config import Config, load, matches, read
from stopper.errors import ConfigError
from stopper.finding import Area, Confidence, Severity


def test_an_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'exclude'"):
        read({"exlude": []}, tmp_path)


def test_an_unknown_word_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'critical'"):
        read({"fail-on": "critcal"}, tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("exclude", "legacy"),
        ("skip", [1]),
        ("online", "yes"),
        ("second-order", "no"),
        ("baseline", ""),
        ("baseline", 3),
        ("per-path-ignores", ["x"]),
        ("fail-on", ["high"]),
        ("areas", ["nowhere"]),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_its_key(tmp_path: Path, key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=key):
        read({key: value}, tmp_path)


def test_every_key_is_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.stopper]\nfail-on = "high"\nmin-confidence = "medium"\nareas = ["sql"]\nonline = false\n'
        'baseline = "known.json"\nper-path-ignores = { "scripts/**" = ["debug-enabled"] }\n'
    )
    config = load(tmp_path)
    assert (config.fail_on, config.min_confidence) == (Severity.HIGH, Confidence.MEDIUM)
    assert config.areas == (Area.SQL,)
    assert config.baseline == tmp_path.resolve() / "known.json"
    assert not config.online
    assert config.ignores("scripts/a/run.py", "debug-enabled")
    assert not config.ignores("app/run.py", "debug-enabled")


def test_patterns_are_read_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.stopper]\nexclude = ["web/legacy"]\n')
    (tmp_path / "web").mkdir()
    config = load(tmp_path / "web")
    assert config.excludes("legacy/a.py")
    assert not config.excludes("web/legacy/a.py")


def test_the_search_ends_at_the_top_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.stopper]\nfail-on = "high"\n')
    inner = tmp_path / "repo"
    (inner / ".git").mkdir(parents=True)
    assert load(inner) == Config()


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("legacy", "a/legacy/b.py", True),
        ("legacy/", "legacy/b.py", True),
        ("legacy", "legacy2/b.py", False),
        ("/legacy", "a/legacy/b.py", False),
        ("*.py", "a/b/c.py", True),
        ("a/*.py", "a/b/c.py", False),
        ("a/**", "a/b/c.py", True),
        ("a/**/c.py", "a/c.py", True),
        ("a/**/c.py", "a/x/y/c.py", True),
        ("a?c.py", "abc.py", True),
        ("[id].py", "i.py", True),
        ("[!i].py", "i.py", False),
        ("a[", "a[", True),
        ("a.py", "aXpy", False),
    ],
)
def test_patterns_match_like_gitignore(pattern: str, path: str, expected: bool) -> None:
    assert matches(pattern, path) is expected


def test_what_the_command_line_leaves_out_keeps_what_the_file_says() -> None:
    config = Config(fail_on=Severity.HIGH, areas=(Area.SQL,))
    assert config.override(fail_on=None, areas=()) == config
    assert config.override(fail_on=Severity.LOW).fail_on is Severity.LOW


def test_a_broken_file_is_said_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.stopper\n")
    with pytest.raises(ConfigError, match=r"pyproject\.toml: not valid TOML"):
        load(tmp_path)
