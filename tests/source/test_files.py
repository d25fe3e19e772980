"""The walk takes what the project's people wrote, leaves out the rest, and tells what it could not read."""

import os
import pickle
import re
import tempfile
import tokenize
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopper.errors import TargetError
from stopper.source.files import MAX_BYTES, Role, SourceFile, Text, Tree, decode, role_of, walk

NOBODY = 65534


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")


def ignore(root: Path, folder: str, *lines: str) -> None:
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / folder / ".gitignore").write_text("\n".join(lines) + "\n")


def paths(tree: Tree) -> set[str]:
    return {file.path for file in tree.files if file.name != ".gitignore"}


def reasons(tree: Tree) -> dict[str, str]:
    return {skipped.what: skipped.reason for skipped in tree.skipped}


def test_files_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    write(tmp_path, "b.py", "a/z.py", "a.py", "src/blog/app.py")
    assert [file.path for file in walk(tmp_path).files] == ["a.py", "a/z.py", "b.py", "src/blog/app.py"]


def test_what_gitignore_names_is_left_out(tmp_path: Path) -> None:
    write(
        tmp_path, "app.py", "local.py", "build/x.py", "deep/build/y.py", "only/here.py", "deep/only/here.py"
    )
    ignore(tmp_path, "", "local.py", "build/", "/only/", "# a comment", "")
    assert paths(walk(tmp_path)) == {"app.py", "deep/only/here.py"}


def test_a_nested_gitignore_holds_for_its_own_folder(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "a/secret.py", "b/secret.py", "a/deep/secret.py")
    ignore(tmp_path, "a", "secret.py")
    assert paths(walk(tmp_path)) == {"app.py", "b/secret.py"}


def test_a_negated_pattern_brings_a_file_back(tmp_path: Path) -> None:
    write(tmp_path, "a.gen.py", "keep.gen.py", "sub/b.gen.py", "sub/c.gen.py")
    ignore(tmp_path, "", "*.gen.py", "!keep.gen.py")
    ignore(tmp_path, "sub", "!b.gen.py")
    assert paths(walk(tmp_path)) == {"keep.gen.py", "sub/b.gen.py"}


def test_nothing_in_an_ignored_folder_comes_back(tmp_path: Path) -> None:
    write(tmp_path, "out/a.py", "app.py")
    ignore(tmp_path, "", "out/", "!out/a.py")
    assert paths(walk(tmp_path)) == {"app.py"}


def test_the_innermost_gitignore_decides(tmp_path: Path) -> None:
    write(tmp_path, "sub/x.py", "sub/y.py")
    ignore(tmp_path, "", "!x.py")
    ignore(tmp_path, "sub", "x.py")
    assert paths(walk(tmp_path)) == {"sub/y.py"}


def test_lines_of_a_gitignore_that_make_no_sense_are_told_and_the_others_hold(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "local.py")
    ignore(tmp_path, "", "[z-a]", "!", "\\", "local.py")
    tree = walk(tmp_path)
    assert paths(tree) == {"app.py"}
    assert "no patterns" in reasons(tree)[".gitignore"]


@pytest.mark.parametrize("marker", ["pyvenv.cfg", "conda-meta/history"])
def test_a_virtual_environment_is_left_out_whatever_its_name(tmp_path: Path, marker: str) -> None:
    write(tmp_path, "app.py", f"mine/{marker}", "mine/lib/flask.py")
    assert paths(walk(tmp_path)) == {"app.py"}


@pytest.mark.parametrize(
    "folder", ["venv", ".venv", "node_modules", "lib/site-packages", "a/_vendor", "x.egg-info"]
)
def test_what_others_wrote_is_left_out(tmp_path: Path, folder: str) -> None:
    write(tmp_path, "app.py", f"{folder}/theirs.py")
    assert paths(walk(tmp_path)) == {"app.py"}


def test_links_that_go_round_end(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "a/b.py")
    (tmp_path / "a/up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self").symlink_to("self")
    tree = walk(tmp_path)
    assert paths(tree) == {"app.py", "a/b.py"}
    assert set(reasons(tree)) == {"self"}


def test_links_that_lead_away_or_nowhere_are_told(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write(outside, "x.py")
    root = tmp_path / "project"
    write(root, "app.py")
    (root / "away").symlink_to(outside, target_is_directory=True)
    (root / "gone.py").symlink_to(tmp_path / "nothing.py")
    (root / "alias.py").symlink_to(root / "app.py")
    tree = walk(root)
    assert paths(tree) == {"app.py", "alias.py"}
    assert "not followed" in reasons(tree)["away"]
    assert "nowhere" in reasons(tree)["gone.py"]


def test_pipes_and_sockets_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, "app.py")
    os.mkfifo(tmp_path / "pipe.py")
    assert paths(walk(tmp_path)) == {"app.py"}


def walked_as_nobody(folder: Path) -> Tree:
    """Walk a folder in a child process that is not root, for root may read everything."""
    if os.geteuid() != 0:
        return walk(folder)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        tree = walk(folder)
        os.write(writing, pickle.dumps((tree.root, [file.path for file in tree.files], tree.skipped)))
        os._exit(0)
    os.close(writing)
    root, files, skipped = pickle.loads(os.read(reading, 65536))
    os.waitpid(child, 0)
    os.close(reading)
    return Tree(root, tuple(SourceFile(path, root / path, 0) for path in files), skipped)


def test_what_may_not_be_read_is_told() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write(root, "app.py", "locked.py", "shut/x.py")
        root.chmod(0o755)
        (root / "locked.py").chmod(0)
        (root / "shut").chmod(0)
        tree = walked_as_nobody(root)
        (root / "shut").chmod(0o700)
    assert paths(tree) == {"app.py"}
    assert set(reasons(tree)) == {"locked.py", "shut"}


def test_a_file_that_refuses_at_the_walk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "app.py", "locked.py")
    monkeypatch.setattr(os, "access", lambda path, mode: "locked" not in str(path))
    tree = walk(tmp_path)
    assert paths(tree) == {"app.py"}
    assert "permission denied" in reasons(tree)["locked.py"]


@pytest.mark.parametrize(
    "name", ["big.py", "big.html", "big.env", "requirements.txt", "Dockerfile", "big.toml"]
)
def test_a_file_above_the_bound_is_told_and_not_read(tmp_path: Path, name: str) -> None:
    write(tmp_path, "app.py")
    with (tmp_path / name).open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    tree = walk(tmp_path)
    assert paths(tree) == {"app.py"}
    assert "are not read" in reasons(tree)[name]


def test_one_file_may_be_the_target(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "other.py")
    tree = walk(tmp_path / "app.py")
    assert tree.root == tmp_path.resolve()
    assert paths(tree) == {"app.py"}
    assert tree.files[0].absolute == (tmp_path / "app.py").resolve()


def test_one_file_above_the_bound_is_told_too(tmp_path: Path) -> None:
    with (tmp_path / "app.py").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    tree = walk(tmp_path / "app.py")
    assert not tree.files
    assert "are not read" in reasons(tree)["app.py"]


def test_a_target_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="name the folder"):
        walk(tmp_path / "nothing")


def test_folders_that_nest_deeper_than_the_bound_are_told(tmp_path: Path) -> None:
    write(tmp_path, "app.py")
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    tree = walk(tmp_path)
    assert paths(tree) == {"app.py"}
    assert "nest deeper" in next(iter(reasons(tree).values()))


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("x = 'é'".encode(), "x = 'é'"),
        (b"\xef\xbb\xbfx = 1", "x = 1"),
        ("x = 'é'".encode("utf-16"), "x = 'é'"),
        (b"\xfe\xff" + "x = 'é'".encode("utf-16-be"), "x = 'é'"),
        ("# -*- coding: latin-1 -*-\nx = 'é'".encode("latin-1"), "# -*- coding: latin-1 -*-\nx = 'é'"),
        (
            "#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n'€'".encode("cp1252"),
            "#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n'€'",
        ),
        (b"x = '\xe9'", "x = 'é'"),
        (b"# coding: no-such-thing\nx", "# coding: no-such-thing\nx"),
        (b"# coding: undefined\nx", "# coding: undefined\nx"),
        (b"# coding: hex\nx", "# coding: hex\nx"),
        (b"\xff\xfex", "\N{REPLACEMENT CHARACTER}"),
        (b"", ""),
    ],
)
def test_any_encoding_becomes_text(raw: bytes, text: str) -> None:
    assert decode(raw) == text


@given(
    st.lists(st.sampled_from(("#", " coding: latin-1", "coding=utf-8", "x", "\n", "\r\n", "é", "\xff"))).map(
        "".join
    )
)
def test_a_file_without_a_cookie_is_read_as_one_with_a_cookie_is(text: str) -> None:
    raw = text.encode("latin-1")
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(raw).readline)
        wanted = raw.decode(encoding)
    except (SyntaxError, ValueError):
        wanted = text

    assert decode(raw) == wanted


@given(st.text(alphabet="a\r\n\x0cé"))
def test_every_line_starts_behind_an_end(content: str) -> None:
    wanted = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", content))]

    assert list(Text(content).starts) == wanted


def test_lines_end_where_python_ends_them() -> None:
    text = Text("a\r\nb\rc\x0cd\u2028e\nf")
    assert [text.line(number) for number in range(1, 6)] == ["a", "b", "c\x0cd\u2028e", "f", ""]
    assert text.line_count == 4
    assert Text("").line_count == 0
    assert Text("a\n").line_count == 1


def test_places_count_characters_where_parsers_count_bytes() -> None:
    text = Text("é = 'ü'; x\n")
    assert text.column(1, len("é = 'ü'; ".encode())) == 10
    assert text.position(text.offset(1, 10)) == (1, 10)
    where = text.location("app.py", 9, 10)
    assert (where.line, where.column, where.end_line, where.end_column) == (1, 10, 1, 11)


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("blog/app.py", Role.APP),
        ("tests/test_app.py", Role.TEST),
        ("blog/conftest.py", Role.TEST),
        ("docs/conf.py", Role.DOCS),
        ("migrations/versions/1.py", Role.MIGRATION),
        ("blog/contest.py", Role.APP),
    ],
)
def test_a_path_says_what_a_file_is_for(path: str, role: Role) -> None:
    assert role_of(path) is role


def test_a_file_that_is_gone_reads_as_empty(tmp_path: Path) -> None:
    assert SourceFile("gone.py", tmp_path / "gone.py", 1).text.content == ""


def test_files_are_found_by_name_whatever_the_case(tmp_path: Path) -> None:
    write(tmp_path, "Dockerfile", "deep/dockerfile", "a.py")
    assert [file.path for file in walk(tmp_path).named("dockerfile*")] == ["Dockerfile", "deep/dockerfile"]
