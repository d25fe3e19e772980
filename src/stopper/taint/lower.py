"""Lowering: the syntax tree of a function, or of a module's top level, becomes a graph of blocks.

Approximated: every block of a ``try`` body may lead to every handler; ``finally`` runs after the body and the handlers, not
after a ``return``; a loop runs any number of times. Functions defined inside are lowered by themselves.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable
from typing import Any

from stopper.source.module import Scope, parameters
from stopper.source.names import Names
from stopper.taint.expressions import Expressions
from stopper.taint.ir import (
    AccessPath,
    Catch,
    Compare,
    Constant,
    Edge,
    Function,
    Join,
    Load,
    Op,
    Operand,
    Return,
)

_SKIPPED = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Pass, ast.Global, ast.Nonlocal,
    ast.Delete,
)  # fmt: skip


def lower(scope: Scope, names: Names) -> Function:
    """Return the function (or the module's top level) that ``scope`` is, as blocks of operations."""
    lowering = _Lowering(scope, names)
    if isinstance(scope.node, ast.Lambda):
        lowering.emit(Return(lowering.value(scope.node.body), scope.node.body))
    else:
        lowering.body(scope.body)
    args = getattr(scope.node, "args", None)
    params = tuple(arg.arg for arg in parameters(args)) if isinstance(args, ast.arguments) else ()
    return Function(scope.dotted or scope.name, params, lowering.blocks, scope, _definitions(lowering))


def _definitions(lowering: _Lowering) -> dict[str, Op]:
    ops = [op for block in lowering.blocks for op in block.ops if hasattr(op, "target")]
    counts = Counter(op.target.base for op in ops)
    return {op.target.base: op for op in ops if counts[op.target.base] == 1}


class _Lowering(Expressions):
    """Lower statements."""

    def __init__(self, scope: Scope, names: Names) -> None:
        super().__init__(scope, names)
        self.loops: list[tuple[int, int]] = []

    def body(self, statements: list[ast.stmt]) -> None:
        """Lower statements one after the other."""
        for statement in statements:
            method = _TABLE.get(type(statement))
            if method is not None:
                method(self, statement)
            elif not isinstance(statement, _SKIPPED):
                self.opaque += 1

    def dead(self) -> None:
        """Go on in a block that nothing leads to."""
        self.enter(self.block())

    def expression(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Yield):
            self.emit(Return(self._inner(node.value), node))
        elif not isinstance(node.value, ast.Constant):
            self.value(node.value)

    def assignment(self, node: ast.Assign) -> None:
        source = self.value(node.value)
        for target in node.targets:
            self.assign(target, source, node)

    def annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.value(node.value), node)

    def augmented(self, node: ast.AugAssign) -> None:
        before, source, target = self.value(node.target), self.value(node.value), self.temporary()
        self.emit(Join(target, (before, source), at=node))
        self.assign(node.target, target, node)

    def return_(self, node: ast.Return) -> None:
        if isinstance(node.value, ast.Compare | ast.BoolOp) or (
            isinstance(node.value, ast.UnaryOp) and isinstance(node.value.op, ast.Not)
        ):
            self._verdict(node.value, node)
        else:
            self.emit(Return(self.value(node.value) if node.value is not None else Constant(None), node))
        self.dead()

    def _verdict(self, test: ast.expr, node: ast.Return) -> None:
        """Lower ``return a and not b`` as the branches that it is, so that a validator's verdict has its reasons."""
        if isinstance(test, ast.BoolOp) and not all(isinstance(part, _VERDICTS) for part in test.values):
            self.emit(Return(self.value(test), node))
            return
        then, otherwise = self.block(), self.block()
        self.condition(test, then, otherwise)
        for number, verdict in ((then, True), (otherwise, False)):
            self.enter(number)
            self.emit(Return(Constant(verdict), node))

    def raise_(self, node: ast.Raise) -> None:
        if node.exc is not None:
            self.value(node.exc)
        self.dead()

    def if_(self, node: ast.If) -> None:
        then, otherwise, after = self.block(), self.block(), self.block()
        self.condition(node.test, then, otherwise)
        for number, branch in ((then, node.body), (otherwise, node.orelse)):
            self.enter(number)
            self.body(branch)
            self.jump(after)
        self.enter(after)

    def assert_(self, node: ast.Assert) -> None:
        self.value(node.test)

    def for_(self, node: ast.For | ast.AsyncFor) -> None:
        over = self.value(node.iter)
        head, inside, after = self.block(), self.block(), self.block()
        self.jump(head)
        self.enter(head)
        self.current.edges += [Edge(inside), Edge(after)]
        self.enter(inside)
        item = self.temporary()
        self.emit(Load(item, over, "[*]", at=node.iter))
        self.assign(node.target, item, node.iter)
        self._loop(node.body, head, after)
        self.body(node.orelse)

    def while_(self, node: ast.While) -> None:
        head, inside, after = self.block(), self.block(), self.block()
        self.jump(head)
        self.enter(head)
        self.condition(node.test, inside, after)
        self.enter(inside)
        self._loop(node.body, head, after)
        self.body(node.orelse)

    def _loop(self, body: list[ast.stmt], head: int, after: int) -> None:
        self.loops.append((head, after))
        self.body(body)
        self.jump(head)
        self.loops.pop()
        self.enter(after)

    def continue_(self, _: ast.Continue) -> None:
        if self.loops:
            self.jump(self.loops[-1][0])
        self.dead()

    def break_(self, _: ast.Break) -> None:
        if self.loops:
            self.jump(self.loops[-1][1])
        self.dead()

    def with_(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            source = self.value(item.context_expr)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, source, node)
        self.body(node.body)

    def try_(self, node: ast.Try) -> None:
        before, first = self.current, self.block()
        self.jump(first)
        self.enter(first)
        self.body(node.body)
        inside = [before, *self.blocks[first:]]
        self.body(node.orelse)
        after = self.block()
        self.jump(after)
        for handler in node.handlers:
            number = self.block()
            for block in inside:
                block.edges.append(Edge(number))
            self.enter(number)
            if handler.name:
                broad = getattr(handler.type, "id", "") in ("Exception", "BaseException")
                self.emit(Catch(AccessPath(handler.name), handler, broad))
            self.body(handler.body)
            self.jump(after)
        self.enter(after)
        self.body(node.finalbody)

    def match(self, node: ast.Match) -> None:
        subject, after = self.value(node.subject), self.block()
        for case in node.cases:
            inside, following = self.block(), self.block()
            self._pattern(case.pattern, subject, inside, following)
            self.enter(inside)
            if case.guard is not None:
                guarded = self.block()
                self.condition(case.guard, guarded, following)
                self.enter(guarded)
            self.body(case.body)
            self.jump(after)
            self.enter(following)
        self.jump(after)
        self.enter(after)

    def _pattern(self, pattern: ast.pattern, subject: Operand, inside: int, following: int) -> None:
        choices = pattern.patterns if isinstance(pattern, ast.MatchOr) else [pattern]
        for choice in choices:
            if isinstance(choice, ast.MatchValue):
                test, other = self.temporary(), self.block()
                self.emit(Compare(test, "==", subject, self.value(choice.value), pattern))
                self.current.edges += [Edge(inside, test, truth=True), Edge(other, test, truth=False)]
                self.enter(other)
            else:
                name = getattr(choice, "name", None)
                if name:
                    self.assign(ast.Name(name, ast.Store()), subject, pattern)
                self.current.edges.append(Edge(inside))
        self.jump(following)


_VERDICTS = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Call)
_TABLE: dict[type[ast.stmt], Callable[[_Lowering, Any], None]] = {
    ast.Expr: _Lowering.expression,
    ast.Assign: _Lowering.assignment,
    ast.AnnAssign: _Lowering.annotated,
    ast.AugAssign: _Lowering.augmented,
    ast.Return: _Lowering.return_,
    ast.Raise: _Lowering.raise_,
    ast.If: _Lowering.if_,
    ast.Assert: _Lowering.assert_,
    ast.For: _Lowering.for_,
    ast.AsyncFor: _Lowering.for_,
    ast.While: _Lowering.while_,
    ast.Continue: _Lowering.continue_,
    ast.Break: _Lowering.break_,
    ast.With: _Lowering.with_,
    ast.AsyncWith: _Lowering.with_,
    ast.Try: _Lowering.try_,
    ast.TryStar: _Lowering.try_,
    ast.Match: _Lowering.match,
}
