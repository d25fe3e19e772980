"""Python text to a syntax tree, whatever the text holds.

The tree is that of the standard library's ``ast`` module. What ``ast`` of the running Python refuses (a syntax error, Python 2,
syntax newer than the running Python) is parsed by tree-sitter and turned into the same nodes (``recover``), so that one error
does not hide the rest of the file.

Measured on 198,000 lines with the garbage collector off: ``ast.parse`` takes 4.5 µs a line, tree-sitter's parse 5.1, and
turning its nodes into Python objects another 14 to 19.
"""

from __future__ import annotations

import ast
import warnings

from stopper.records import dataclass
from stopper.source.files import Text
from stopper.source.recover_part import OPAQUE

MAX_DEPTH = 200
"""How deeply expressions and statements may nest. Measured: hand-written code of the standard library stays below 40.

Whoever walks a tree may recurse with up to four calls a level and stays below Python's limit of 1,000."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A syntax tree, and what was wrong with the text."""

    tree: ast.Module
    problem: str = ""
    """Why the file was not read whole; "" when it was."""


def parse(text: Text) -> Parsed:
    """Return the tree of ``text``; never raises for anything a file can hold."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return _recovered(text, error)
    return Parsed(tree)


def _recovered(text: Text, error: Exception) -> Parsed:
    from stopper.source.recover import recover

    reason = _reason(error)
    try:
        tree, lost = recover(text.content)
    except (RecursionError, MemoryError, ValueError):
        return Parsed(ast.Module([], []), f"not read: {reason}")
    return Parsed(tree, f"{reason}; {lost} lines were not understood, the rest was read" if lost else "")


def _reason(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"syntax error at line {error.lineno}: {error.msg}"
    if isinstance(error, ValueError):
        return str(error)
    return "the code is nested too deeply"


def shut(node: ast.AST) -> None:
    """Take everything out of ``node``, so that the tree ends here: opaque expressions, ``pass``, ``_`` stand there."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                setattr(node, name, [_shut(item, waiting) for item in value])
            elif isinstance(value, ast.AST):
                setattr(node, name, _shut(value, waiting))


def _shut(value: object, waiting: list[ast.AST]) -> object:
    """Return what stands for ``value``; what is neither expression, statement nor pattern waits to be shut itself."""
    if isinstance(value, ast.expr):
        return ast.copy_location(ast.Name(OPAQUE, ast.Load()), value)
    if isinstance(value, ast.stmt):
        return ast.copy_location(ast.Pass(), value)
    if isinstance(value, ast.pattern):
        return ast.copy_location(ast.MatchAs(), value)
    if isinstance(value, ast.AST):
        waiting.append(value)
    return value
