"""Building a function: blocks, temporaries, and the operations that several kinds of syntax become."""

from __future__ import annotations

import ast
from collections.abc import Collection

from stopper.source.module import Scope
from stopper.source.names import Names
from stopper.taint.ir import AccessPath, Block, Build, Call, Compute, Edge, Join, Op, Opaque, Operand


class Builder:
    """A function that is being built, one operation after the other."""

    def __init__(self, scope: Scope, names: Names, rebound: Collection[str] = ()) -> None:
        """Start an empty function for ``scope``; the variables ``rebound`` are assigned by functions of their module."""
        self.scope = scope
        self.names = names
        self.rebound = rebound
        self.free: set[str] = set()
        self.outside = False
        """Whether the function only looks at the scope from outside, so that all its variables are free."""
        self.blocks = [Block()]
        self.current = self.blocks[0]
        self.opaque = 0
        self._temporaries = 0

    def emit(self, op: Op) -> None:
        """Append an operation."""
        self.current.ops.append(op)

    def temporary(self) -> AccessPath:
        """Return a fresh target."""
        self._temporaries += 1
        return AccessPath(f"%{self._temporaries}")

    def block(self) -> int:
        """Add a block and return its number."""
        self.blocks.append(Block())
        return len(self.blocks) - 1

    def enter(self, number: int) -> None:
        """Go on in block ``number``."""
        self.current = self.blocks[number]

    def jump(self, number: int) -> None:
        """End the current block with a jump."""
        self.current.edges.append(Edge(number))

    def branch(self, test: Operand, then: int, otherwise: int) -> None:
        """End the current block with a jump that depends on ``test``."""
        self.current.edges += [Edge(then, test, truth=True), Edge(otherwise, test, truth=False)]

    def unknown(self, expr: ast.AST) -> Operand:
        """Append what stands for syntax that is not understood."""
        target = self.temporary()
        self.opaque += 1
        self.emit(Opaque(target, type(expr).__name__, expr))
        return target

    def joined(self, parts: list[Operand], at: ast.AST, quoted: tuple[int, ...] = ()) -> Operand:
        """Append the building of a text out of parts; those at the places ``quoted`` are written with ``!r``."""
        target = self.temporary()
        self.emit(Join(target, tuple(parts), quoted, at))
        return target

    def operation(self, operator: str, left: Operand, right: Operand, at: ast.AST) -> Operand:
        """Append an operator between two values: what may build a text is a ``Join``, ``/`` may join paths."""
        target = self.temporary()
        if operator == "/":
            self.emit(Call(target, "pathlib.PurePath.__truediv__", "/", None, (left, right), at=at))
        elif operator in ("+", "%"):
            self.emit(Join(target, (left, right), at=at, operator=operator))
        else:
            self.emit(Compute(target, operator, left, right, at))
        return target

    def slice_of(self, bounds: tuple[Operand, ...], at: ast.AST) -> AccessPath:
        """Append the building of a slice: start, stop, step."""
        target = self.temporary()
        self.emit(
            Build(target, "slice", tuple((f"[{place}]", bound) for place, bound in enumerate(bounds)), at)
        )
        return target
