"""Whatever a file holds becomes a tree that is safe to walk, and what was not read is told."""

import ast
import random
import time
from pathlib import Path

import pytest

from stopper.source.files import SourceFile, Text
from stopper.source.module import Module, read
from stopper.source.recover_part import OPAQUE
from stopper.source.syntax import MAX_DEPTH, Parsed, parse


def parsed(source: str) -> Parsed:
    return parse(Text(source))


def module(tmp_path: Path, source: bytes) -> Module:
    path = tmp_path / "app.py"
    path.write_bytes(source)
    return read(SourceFile("app.py", path, len(source)), "app")


def depth(tree: ast.AST) -> int:
    deepest = 0
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, level = waiting.pop()
        deepest = max(deepest, level)
        waiting.extend((child, level + 1) for child in ast.iter_child_nodes(node))
    return deepest


def test_good_code_has_no_problem() -> None:
    assert parsed("x = 1\n").problem == ""


def test_a_syntax_error_is_told_with_its_line_and_the_rest_is_read() -> None:
    result = parsed("def f(): pass\nx = = 1\ndef g(): pass\n")
    assert result.problem.startswith("syntax error at line 2")
    assert "1 line" in result.problem
    assert [node.name for node in result.tree.body if isinstance(node, ast.FunctionDef)] == ["f", "g"]


def test_python_2_is_read_whole() -> None:
    result = parsed("print 'hello'\ntry:\n    pass\nexcept E, e:\n    raise\n")
    assert result.problem == ""
    assert len(result.tree.body) == 2


def test_null_bytes_cost_nothing_but_themselves() -> None:
    result = parsed("x = 1\0\ny = f(2)\n")
    assert [type(node).__name__ for node in result.tree.body] == ["Assign", "Assign"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_counts_lines_as_the_text_does(tmp_path: Path, end: str) -> None:
    source = end.join(["x = 1", "", "def f():", "    return call('é', x)", ""])
    for text in (source, source + "broken = = 1" + end):
        found = module(tmp_path, text.encode())
        node = found.calls["call"][0].node
        assert found.location(node).line == 4
        assert found.source(node) == "call('é', x)"


def test_a_form_feed_is_space_and_no_line_end(tmp_path: Path) -> None:
    found = module(tmp_path, b"x = 1\n\x0c\ndef f():\n    call(x)\n\x0c\nbroken = = 1\n")
    assert found.location(found.calls["call"][0].node).line == 4


@pytest.mark.parametrize(
    "source",
    [
        "x = " + " + ".join(["'a'"] * 20_000),
        "x = " + " + ".join(["'a'"] * 900),
        "x = " + "lambda: " * 900 + "1",
        "x = " + "-" * 900 + "1",
        "x" + ".a" * 900,
        "x" + "[0]" * 900 + " = 1",
        "x" + "()" * 900,
        "if a: pass\n" + "elif b: pass\n" * 900,
        "x = " + "1 if 2 else " * 900 + "3",
        "x = " + "[i for i in " * 90 + "y" + "]" * 90,
        "".join(" " * level + f"def f{level}():\n" for level in range(95)) + " " * 95 + "pass",
        "(" * 100_000,
        "\0" * 100_000,
        "\r" * 100_000 + "x = 1",
    ],
    ids=lambda source: source[:14].encode("ascii", "replace").decode(),
)
def test_deep_code_ends_at_the_bound_and_soon(tmp_path: Path, source: str) -> None:
    started = time.process_time()
    found = module(tmp_path, b"first = call(1)\n" + source.encode() + b"\n")
    assert time.process_time() - started < 10
    assert depth(found.tree) <= MAX_DEPTH + 4


@pytest.mark.parametrize("terms", [900, 20_000])
def test_what_was_cut_off_is_told_and_the_rest_is_indexed(tmp_path: Path, terms: int) -> None:
    source = "before = call(1)\nx = " + " + ".join(["'a'"] * terms) + "\nafter = call(2)\n"
    found = module(tmp_path, source.encode())
    assert "too deep" in found.problem
    assert len(found.calls["call"]) == 2
    assert any(isinstance(node, ast.Name) and node.id == OPAQUE for node in ast.walk(found.tree))


@pytest.mark.parametrize(
    "source",
    [
        random.Random(0).randbytes(5_000),
        b"\xff\xfe" + b"x\0=\0" * 9,
        b"# coding: utf-7\nx = '+2AA-'",
        b"\xc3(",
    ],
)
def test_bytes_that_are_no_text_do_not_stop_the_reading(tmp_path: Path, source: bytes) -> None:
    found = module(tmp_path, source)
    for node in ast.walk(found.tree):
        if hasattr(node, "lineno"):
            assert found.location(node).line >= 1
            found.source(node)
