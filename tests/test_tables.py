"""Stopper's own tables are read as TOML says, however they are kept."""

from __future__ import annotations

import os
import sys
import tomllib
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from stopper.tables import read_table

SRC = Path(__file__).parents[1] / "src" / "stopper"
TABLES = sorted(SRC.rglob("*.toml"))


@pytest.fixture(autouse=True)
def _keep_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


@pytest.mark.parametrize("file", TABLES, ids=lambda file: file.name)
def test_a_table_is_what_its_file_says(file: Path) -> None:
    assert read_table(file) == tomllib.loads(file.read_text("utf-8"))


@pytest.mark.parametrize("file", TABLES, ids=lambda file: file.name)
def test_a_table_shares_its_name_with_no_module(file: Path) -> None:
    assert not file.with_suffix(".py").exists(), "both would be compiled to the same file"


def test_a_table_that_changed_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "numbers.toml"
    file.write_text("one = 1")
    assert read_table(file) == {"one": 1}
    assert Path(cache_from_source(str(file))).exists()

    file.write_text("one = 2")
    os.utime(file, (1, 1))

    assert read_table(file) == {"one": 2}


def test_what_was_compiled_may_be_spoilt(tmp_path: Path) -> None:
    file = tmp_path / "numbers.toml"
    file.write_text("one = 1")
    read_table(file)
    Path(cache_from_source(str(file))).write_bytes(b"\0\0\0\0")

    assert read_table(file) == {"one": 1}


def test_a_folder_that_cannot_be_written_to_does_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "numbers.toml"
    file.write_text("one = 1")
    (tmp_path / "__pycache__").write_text("in the way")

    assert read_table(file) == {"one": 1}


def test_a_table_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "numbers.toml"
    file.write_text("one = ")

    with pytest.raises(tomllib.TOMLDecodeError):
        read_table(file)
