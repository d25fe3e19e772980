"""A syntax tree of text that Python itself refuses: tree-sitter's tree, turned into the nodes of ``ast``.

Whatever the parser could not make sense of is left out (a statement) or stands as the name
``__stopper_opaque__`` (an expression), and its lines are counted. Nothing here recurses: the tree is walked
with a cursor, children are made before their parents, and what nests deeper than ``MAX_DEPTH`` stays shut.
"""

from __future__ import annotations

import ast
import itertools
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import tree_sitter_python
from tree_sitter import Language, Node, Parser, Tree, TreeCursor

from stopper.source import recover_expressions as expressions
from stopper.source import recover_patterns as patterns
from stopper.source import recover_statements as statements
from stopper.source import recover_strings as strings
from stopper.source.recover_part import Lost, Part

MAX_DEPTH = 200
"""How deep in the parser's tree an expression may stand."""

MAX_SECONDS = 5.0
"""How long the parser may take. Measured: a million characters of code take it a third of a second."""

_PIECE = 65_536
_LANGUAGE = Language(tree_sitter_python.language())
_MARGIN = re.compile(rb"(?m)^(?:@.*\n(?:[@ \t#)].*\n){0,20})?(?:def|class|async def|import|from)\b")


def recover(text: str) -> tuple[ast.Module, int]:
    """Return the tree of ``text`` as far as it can be understood, and the number of lines that were not.

    Raises:
        ValueError: The parser needs longer than ``MAX_SECONDS``.
    """
    source = _plain(text)
    until = time.monotonic() + MAX_SECONDS
    body, lost = _read(source, 0, until)
    if not lost:
        return ast.Module(body, []), 0
    apart: list[ast.stmt] = []
    lost_apart = 0
    for row, piece in _pieces(source):
        statements_of_piece, lost_in_piece = _read(piece, row, until)
        apart.extend(statements_of_piece)
        lost_apart += lost_in_piece
    return (ast.Module(apart, []), lost_apart) if lost_apart < lost else (ast.Module(body, []), lost)


def _read(source: bytes, row: int, until: float) -> tuple[list[ast.stmt], int]:
    builder = _Builder(source, row)
    root = builder.build(_parsed(source, until).walk())
    return statements.block(root), len(builder.lost)


def _pieces(source: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut the source before each definition and import at the margin, so that an open bracket ends there."""
    cuts = [match.start() for match in _MARGIN.finditer(source)]
    row = 0
    for start, end in itertools.pairwise(sorted({0, *cuts, len(source)})):
        yield row, source[start:end]
        row += source.count(b"\n", start, end)


def _parsed(source: bytes, until: float) -> Tree:
    """Parse within a bound of time: there are texts for which the parser needs the square of their length."""

    def piece(offset: int, _: object) -> bytes:
        return source[offset : offset + _PIECE]

    def too_late(*_: object) -> bool:
        return time.monotonic() > until

    return Parser(_LANGUAGE).parse(piece, progress_callback=too_late)


def _plain(text: str) -> bytes:
    """Encode ``text``; what may not stand in source is replaced by as many bytes, so that no column moves."""
    unix = re.sub(r"\r\n?", "\n", text).replace("\0", " ")
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", unix).encode()


class _Builder:
    """Walk the parser's tree and make each node after its children."""

    def __init__(self, source: bytes, row: int) -> None:
        self.source = source
        self.row = row
        """The row at which the source starts in its file."""
        self.lost: set[int] = set()
        """The rows that were not understood."""

    def build(self, cursor: TreeCursor) -> Part:
        root = self._part(cursor, "")
        stack = [root]
        while True:
            if len(stack) < MAX_DEPTH and cursor.goto_first_child():
                stack.append(self._part(cursor, stack[-1].kind))
                continue
            if len(stack) >= MAX_DEPTH and _node(cursor).child_count:
                self.lost.update(stack[-1].rows)
                self._finish(stack, cut=True)
            else:
                self._finish(stack)
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return root
                self._finish(stack)
            stack.append(self._part(cursor, stack[-1].kind))

    def _part(self, cursor: TreeCursor, outer: str) -> Part:
        node = _node(cursor)
        start, end = node.start_point, node.end_point
        return Part(
            node.type, cursor.field_name, node.is_named, node.is_missing,
            (start[0] + self.row, start[1]), (end[0] + self.row, end[1]),
            (node.start_byte, node.end_byte), self.source, outer,
        )  # fmt: skip

    def _finish(self, stack: list[Part], *, cut: bool = False) -> None:
        part = stack.pop()
        if part.kind in {"comment", "line_continuation"}:
            return
        if stack:
            stack[-1].children.append(part)
        if not cut:
            self._make(part)

    def _make(self, part: Part) -> None:
        if part.missing or part.kind == "ERROR":
            self._lose(part)
        make = _MAKERS.get(part.kind) if part.named and not part.missing else None
        if make is None:
            return
        try:
            part.made = make(part)
        except (Lost, LookupError, TypeError, ValueError, AttributeError):
            self.lost.update(part.rows)
        for child in part.left_out:
            self.lost.update(child.rows)
        if isinstance(part.made, ast.stmt) and part.kind != "assignment":
            part.children.clear()

    def _lose(self, part: Part) -> None:
        """Count the rows of an error, without those of the statements that it holds."""
        if not part.children:
            self.lost.update(part.rows)
        for child in part.children:
            if not isinstance(child.made, ast.stmt | list):
                self.lost.update(child.rows)


def _node(cursor: TreeCursor) -> Node:
    node = cursor.node
    if node is None:
        raise ValueError("the parser gave no tree")
    return node


def _listed(part: Part) -> Any:
    return patterns.sequence(part) if patterns.is_pattern(part) else expressions.list_(part)


def _tupled(part: Part) -> Any:
    return patterns.sequence(part) if patterns.is_pattern(part) else expressions.tuple_pattern(part)


def _as_pattern(part: Part) -> Any:
    return patterns.as_(part) if part.outer == "case_pattern" else None


_MAKERS: dict[str, Callable[[Part], Any]] = {
    "ERROR": statements.block,
    "argument_list": expressions.argument_list,
    "as_pattern": _as_pattern,
    "as_pattern_target": expressions.inner,
    "assert_statement": statements.assert_,
    "assignment": statements.assignment,
    "attribute": expressions.attribute,
    "augmented_assignment": statements.augmented,
    "await": expressions.await_,
    "binary_operator": expressions.binary,
    "block": statements.block,
    "boolean_operator": expressions.boolean,
    "break_statement": statements.simple,
    "call": expressions.call,
    "case_clause": statements.case,
    "case_pattern": patterns.case_pattern,
    "class_definition": statements.class_,
    "class_pattern": patterns.class_,
    "comparison_operator": expressions.comparison,
    "complex_pattern": patterns.complex_,
    "concatenated_string": strings.concatenated,
    "conditional_expression": expressions.conditional,
    "continue_statement": statements.simple,
    "decorated_definition": statements.decorated,
    "decorator": expressions.inner,
    "delete_statement": statements.delete,
    "dict_pattern": patterns.mapping,
    "dictionary": expressions.dictionary,
    "dictionary_comprehension": expressions.comprehension,
    "dictionary_splat": expressions.dictionary_splat,
    "ellipsis": strings.constant,
    "except_clause": statements.except_,
    "except_group_clause": statements.except_,
    "exec_statement": statements.exec_,
    "expression_list": expressions.tuple_,
    "expression_statement": statements.expression_statement,
    "false": strings.constant,
    "float": strings.number,
    "for_in_clause": expressions.for_in_clause,
    "for_statement": statements.for_,
    "format_expression": strings.interpolation,
    "format_specifier": strings.format_specifier,
    "function_definition": statements.function,
    "future_import_statement": statements.import_from,
    "generator_expression": expressions.comprehension,
    "generic_type": expressions.generic_type,
    "global_statement": statements.outer_names,
    "identifier": strings.identifier,
    "if_clause": expressions.inner,
    "if_statement": statements.if_,
    "import_from_statement": statements.import_from,
    "import_statement": statements.import_,
    "integer": strings.number,
    "interpolation": strings.interpolation,
    "keyword_argument": expressions.keyword_argument,
    "keyword_pattern": patterns.keyword,
    "lambda": expressions.lambda_,
    "lambda_parameters": expressions.signature,
    "list": expressions.list_,
    "list_comprehension": expressions.comprehension,
    "list_pattern": _listed,
    "list_splat": expressions.splat,
    "list_splat_pattern": expressions.splat,
    "match_statement": statements.match,
    "member_type": expressions.member_type,
    "named_expression": expressions.walrus,
    "none": strings.constant,
    "nonlocal_statement": statements.outer_names,
    "not_operator": expressions.not_,
    "pair": expressions.pair,
    "parameters": expressions.signature,
    "parenthesized_expression": expressions.inner,
    "pass_statement": statements.simple,
    "pattern_list": expressions.tuple_,
    "print_statement": statements.print_,
    "raise_statement": statements.raise_,
    "return_statement": statements.return_,
    "set": expressions.set_,
    "set_comprehension": expressions.comprehension,
    "slice": expressions.slice_,
    "splat_pattern": patterns.splat,
    "splat_type": expressions.splat,
    "string": strings.string,
    "subscript": expressions.subscript,
    "true": strings.constant,
    "try_statement": statements.try_,
    "tuple": expressions.tuple_,
    "tuple_pattern": _tupled,
    "type": expressions.inner,
    "type_alias_statement": statements.type_alias,
    "unary_operator": expressions.unary,
    "union_pattern": patterns.union,
    "union_type": expressions.union_type,
    "while_statement": statements.while_,
    "with_item": statements.with_item,
    "with_statement": statements.with_,
    "yield": expressions.yield_,
}
"""What makes each kind of node. A kind that is missing is left to its holder, or not understood."""
