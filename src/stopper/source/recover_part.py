"""One node of tree-sitter's tree on its way to becoming a node of ``ast``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, TypeVar

from stopper.records import dataclass, field

OPAQUE = "__stopper_opaque__"
"""The name that stands where an expression was not understood. It resolves to nothing."""

N = TypeVar("N", bound=ast.AST)


class Lost(Exception):  # noqa: N818  (it is not an error: the node is left out and counted)
    """Say that a node does not have the parts which its kind demands."""


@dataclass(slots=True, eq=False)
class Part:
    """A node with its children, which were made before it."""

    kind: str
    label: str | None
    """The grammar's field."""
    named: bool
    missing: bool
    start: tuple[int, int]
    """Row from 0 and byte column."""
    end: tuple[int, int]
    text_span: tuple[int, int]
    """Bytes in the source."""
    source: bytes
    outer: str
    """The kind of the node that holds this one."""
    children: list[Part] = field(default_factory=list)
    made: Any = None
    """What was built: a node of ``ast``, a list of them, a tuple of lists for arguments, or None."""
    left_out: list[Part] = field(default_factory=list)
    """Children that were understood and yet not kept."""

    @property
    def text(self) -> str:
        """Return the node's text."""
        return self.source[self.text_span[0] : self.text_span[1]].decode("utf-8", "replace")

    @property
    def parts(self) -> list[Part]:
        """Return the named children that the parser could make sense of."""
        return [child for child in self.children if child.named and child.kind != "ERROR"]

    @property
    def rows(self) -> range:
        """Return the rows on which the node stands."""
        last = self.end[0] + (self.end[1] > 0 or self.end[0] == self.start[0])
        return range(self.start[0], last)

    def has(self, token: str) -> bool:
        """Tell whether the keyword or sign ``token`` is a direct child."""
        return any(child.kind == token and not child.named for child in self.children)

    def get(self, name: str) -> Part | None:
        """Return the child in the grammar's field ``name``."""
        return next((child for child in self.children if child.label == name and child.kind != "ERROR"), None)

    def need(self, name: str) -> Part:
        """Return the child in the field ``name``.

        Raises:
            Lost: There is none.
        """
        part = self.get(name)
        if part is None:
            raise Lost(name)
        return part

    def every(self, name: str) -> Iterator[Part]:
        """Yield the children in the field ``name``; a comma in the field is no child."""
        return (
            child
            for child in self.children
            if child.label == name and child.kind not in {"ERROR", ",", "(", ")"}
        )

    def first(self, *kinds: str) -> Part | None:
        """Return the first child of one of the kinds."""
        return next((child for child in self.children if child.kind in kinds), None)

    def only(self) -> Part:
        """Return the first named child.

        Raises:
            Lost: There is none.
        """
        parts = self.parts
        if not parts:
            raise Lost(self.kind)
        return parts[0]

    def expr(self) -> ast.expr:
        """Return the expression that was made of this node, or the opaque one."""
        return self.made if isinstance(self.made, ast.expr) else self.opaque()

    def opaque(self) -> ast.expr:
        """Return the expression that stands for "not understood"."""
        return self.at(ast.Name(OPAQUE, ast.Load()))

    def body(self) -> list[ast.stmt]:
        """Return the statements made of this block, never an empty list."""
        made = self.made if isinstance(self.made, list) else []
        kept: list[ast.stmt] = [item for item in made if isinstance(item, ast.stmt)]
        return kept or [self.at(ast.Pass())]

    def at(self, node: N) -> N:
        """Put ``node`` at the place of this one."""
        return put(node, self.start, self.end)

    def between(self, node: N, first: Part, last: Part) -> N:
        """Put ``node`` where ``first`` starts and ``last`` ends."""
        return put(node, first.start, last.end)


def put(node: N, start: tuple[int, int], end: tuple[int, int]) -> N:
    """Give ``node`` its place; rows count from 0."""
    place: Any = node
    place.lineno, place.col_offset = start[0] + 1, start[1]
    place.end_lineno, place.end_col_offset = end[0] + 1, end[1]
    return node


def turn(target: ast.expr, context: type[ast.expr_context] = ast.Store) -> ast.expr:
    """Make ``target`` one that is assigned to or deleted, and what it unpacks into too."""
    waiting: list[ast.expr] = [target]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            node.ctx = context()
        elif isinstance(node, ast.Starred):
            node.ctx = context()
            waiting.append(node.value)
        elif isinstance(node, ast.Tuple | ast.List):
            node.ctx = context()
            waiting.extend(node.elts)
    return target
