"""Lowering: the syntax tree of a function, or of a module's top level, becomes a graph of blocks.

Approximated: every block of a ``try`` body may lead to every handler; ``finally`` runs after the body and the handlers, not
after a ``return``; a loop runs any number of times. Functions defined inside are lowered by themselves.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

from stopper.source.module import Bound, Kind, Scope, parameters
from stopper.source.names import Names, RefKind
from stopper.source.values import evaluate
from stopper.taint.characters import MATCHES
from stopper.taint.domain import Target, Value
from stopper.taint.expressions import OPERATORS, Expressions
from stopper.taint.ir import (
    AccessPath,
    Assign,
    Call,
    Catch,
    Constant,
    Define,
    Edge,
    Function,
    Load,
    Operand,
    Raise,
    Return,
    Signature,
)
from stopper.taint.patterns import match_pattern

_SKIPPED = (ast.Import, ast.ImportFrom, ast.Pass, ast.Global, ast.Nonlocal)


def lower(scope: Scope, names: Names, rebound: Collection[str] = ()) -> Function:
    """Return the function, the class body or the module's top level that ``scope`` is, as blocks of operations.

    Args:
        scope: What to lower.
        names: The names of the project.
        rebound: The variables of the module that its functions assign, so that they are no constants.
    """
    lowering = _Lowering(scope, names, rebound)
    if isinstance(scope.node, ast.Lambda):
        lowering.return_(ast.copy_location(ast.Return(scope.node.body), scope.node.body))
    else:
        lowering.body(scope.body)
    lowering.free |= _handed_on(scope)
    args = getattr(scope.node, "args", None)
    if not isinstance(args, ast.arguments):
        return lowering.function(scope.dotted or scope.name)
    params = tuple(arg.arg for arg in parameters(args))
    return lowering.function(scope.dotted, params, _signature(args, lowering))


def _handed_on(scope: Scope) -> set[str]:
    """Return the variables of enclosing functions that only the functions inside read."""
    if not scope.children or scope.parent is None or scope.parent.function is None:
        return set()
    around = {
        name for place in scope.parent.chain() if place.kind is Kind.FUNCTION for name in place.bindings
    }
    nodes = [node for child in scope.children for node in ast.walk(child.node)]
    return {node.id for node in nodes if isinstance(node, ast.Name)}.intersection(around).difference(
        scope.bindings
    )


def lower_definition(scope: Scope, names: Names) -> Function:
    """Return what stands around a function: it is defined, handed through the project's own decorators, and returned."""
    lowering = _Lowering(scope.parent or scope, names)
    lowering.outside = True
    lowering.emit(Return(lowering.defined(scope), scope.node))
    return lowering.function(f"{scope.dotted} decorated")


def _signature(args: ast.arguments, lowering: _Lowering) -> Signature:
    positional = [*args.posonlyargs, *args.args]
    pairs = [
        *zip(positional[len(positional) - len(args.defaults) :], args.defaults, strict=True),
        *zip(args.kwonlyargs, args.kw_defaults, strict=True),
    ]
    defaults = [(arg.arg, lowering.default(value)) for arg, value in pairs if value is not None]
    star, double_star = args.vararg, args.kwarg
    return Signature(
        tuple(arg.arg for arg in positional), star.arg if star else "", double_star.arg if double_star else "",
        tuple((name, operand) for name, operand in defaults if operand is not None),
    )  # fmt: skip


class _Lowering(Expressions):
    """Lower statements."""

    def __init__(self, scope: Scope, names: Names, rebound: Collection[str] = ()) -> None:
        super().__init__(scope, names, rebound)
        self.loops: list[tuple[int, int]] = []

    def function(
        self, name: str, params: tuple[str, ...] = (), signature: Signature | None = None
    ) -> Function:
        """Return what has been lowered."""
        ops = [op for block in self.blocks for op in block.ops if hasattr(op, "target")]
        counts = Counter(op.target.base for op in ops)
        once = {op.target.base: op for op in ops if counts[op.target.base] == 1}
        return Function(
            name, params, self.blocks, self.scope, signature or Signature(), frozenset(self.free),
            frozenset(param for param in params if counts[param]), once,
        )  # fmt: skip

    def default(self, expr: ast.expr) -> Operand | None:
        """Return what a parameter holds when nothing is passed: a constant or a name, else None."""
        if isinstance(expr, ast.Constant):
            return Constant(expr.value)
        known = evaluate(expr, self.scope.parent or self.scope, self.names)
        if known.known and isinstance(known.constant, str | bytes | int | float | tuple | None):
            return Constant(known.constant)
        if isinstance(expr, ast.Name):
            self.free.add(expr.id)
            return AccessPath(expr.id)
        return self._made_default(expr)

    def _made_default(self, expr: ast.expr) -> Operand | None:
        """Return a library's thing by its name, or an object of a class of the project: what a parameter may hold by default."""
        ref = self.names.resolve(expr, self.scope.parent or self.scope)
        if ref is None or ref.kind in (RefKind.MODULE, RefKind.CLASS):
            return None
        made = Constant(None)
        if ref.scope is None:
            made.held = Value(name=ref.name)
        elif ref.kind is RefKind.INSTANCE:
            made.held = Value(classes=(ref.scope,))
        else:
            holder = Value(classes=(ref.scope.owner,)) if ref.scope.owner is not None else None
            made.held = Value(targets=(Target(ref.scope, receiver=holder),))
        return made

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
        if not isinstance(node.value, ast.Constant):
            self.value(node.value)

    def definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        """Lower a function or a class inside a function; those of modules and classes are known by their names."""
        if self.scope.kind is not Kind.FUNCTION:
            return
        scope = next((inner for inner in self.scope.children if inner.node is node), None)
        if scope is not None:
            self.emit(Assign(AccessPath(node.name), self.defined(scope), node))
            for name in map(self._named, scope.decorators):
                if name in _CALLING:
                    self.emit(
                        Call(
                            self.temporary(),
                            name,
                            name.rpartition(".")[2],
                            None,
                            (AccessPath(node.name),),
                            at=node,
                        )
                    )

    def _named(self, decorator: ast.expr) -> str:
        return self.names.name(decorator, self.scope) or ""

    def defined(self, scope: Scope) -> Operand:
        """Lower the definition of ``scope`` with those of its decorators that are the project's own."""
        own = [self.value(decorator) for decorator in reversed(scope.decorators) if self.is_own(decorator)]
        target = self.temporary()
        self.emit(Define(target, scope, tuple(own), scope.node))
        return target

    def is_own(self, decorator: ast.expr) -> bool:
        """Tell whether a decorator is a function or a class of the project."""
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        ref = self.names.resolve(called, self.scope)
        if ref is None or ref.scope is None:
            return isinstance(called, ast.Name) and ref is None
        return ref.kind in (RefKind.FUNCTION, RefKind.CLASS)

    def delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                base = self.value(target.value)
                key = self._key(target.slice)[1]
                given = key if key is not None else self.value(target.slice)
                self.emit(Call(self.temporary(), "", "pop", base, (given,), at=node))
            else:
                self.assign(target, Constant(None), node)

    def assignment(self, node: ast.Assign) -> None:
        source = self.value(node.value)
        for target in node.targets:
            self.assign(target, source, node)

    def annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.value(node.value), node)

    def augmented(self, node: ast.AugAssign) -> None:
        before, source = self.value(node.target), self.value(node.value)
        self.assign(node.target, self.operation(OPERATORS[type(node.op)], before, source, node), node)

    def return_(self, node: ast.Return) -> None:
        value = node.value
        if value is not None and self._is_verdict(value):
            self._verdict(value, node)
        elif isinstance(value, ast.IfExp):
            branches = [ast.copy_location(ast.Return(part), node) for part in (value.body, value.orelse)]
            self.if_(ast.copy_location(ast.If(value.test, [*branches[:1]], [*branches[1:]]), node))
        elif isinstance(value, ast.Call) and (test := _asked(value)) is not None:
            self._verdict(test, node)
        elif (
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Attribute)
            and value.func.attr in MATCHES
        ):
            self._alternatives(ast.BoolOp(ast.Or(), [value]), node)
        else:
            self.emit(Return(self.value(node.value) if node.value is not None else Constant(None), node))
        self.dead()

    def _is_verdict(self, value: ast.expr) -> bool:
        """Tell whether a value is what a test came out as: the test itself, or a variable that one test is assigned to."""
        if isinstance(value, ast.Name):
            bindings = self.scope.bindings.get(value.id, [])
            test = bindings[0].value if len(bindings) == 1 and bindings[0].how is Bound.ASSIGN else None
            asked = isinstance(test, ast.Call) and _asked(test) is test
            return asked or (
                test is not None and not isinstance(test, ast.Name | ast.BoolOp) and self._is_verdict(test)
            )
        negated = isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)
        return negated or isinstance(value, ast.Compare | ast.BoolOp)

    def _verdict(self, test: ast.expr, node: ast.Return) -> None:
        """Lower ``return a and not b`` as the branches that it is, so that a validator's verdict has its reasons."""
        if isinstance(test, ast.BoolOp) and not all(isinstance(part, _VERDICTS) for part in test.values):
            self.emit(Return(self.value(test), node))
            return
        if isinstance(test, ast.BoolOp) and any(map(_gives, test.values)):
            self._alternatives(test, node)
            return
        then, otherwise = self.block(), self.block()
        self.condition(test, then, otherwise)
        for number, verdict in ((then, True), (otherwise, False)):
            self.enter(number)
            self.emit(Return(Constant(verdict), node))

    def _alternatives(self, test: ast.BoolOp, node: ast.Return) -> None:
        """Lower ``return find(name) or make()``: what comes back is one of the values, or nothing."""
        either = isinstance(test.op, ast.Or)
        otherwise = self.block()
        for part in test.values:
            then, last = self.block(), part is test.values[-1]
            following = otherwise if last or not either else self.block()
            if either or last:
                value = self.value(part)
                self.branch(value, then, following)
                self.enter(then)
                self.emit(Return(value, node))
                self.enter(following)
            else:
                self.condition(part, then, otherwise)
                self.enter(then)
        self.enter(otherwise)
        self.emit(Return(Constant(value=False), node))

    def raise_(self, node: ast.Raise) -> None:
        raised = self.value(node.exc) if node.exc is not None else Constant(None)
        self.emit(Raise(raised, node))
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
        holds, fails = self.block(), self.block()
        self.condition(node.test, holds, fails)
        self.enter(fails)
        self.emit(Raise(Constant(None), node))
        self.enter(holds)

    def for_(self, node: ast.For | ast.AsyncFor) -> None:
        over = self.value(node.iter)
        head, inside, after = self.block(), self.block(), self.block()
        self.jump(head)
        self.enter(head)
        self.current.edges += [Edge(inside), Edge(after)]
        self.enter(inside)
        item = self.temporary()
        self.emit(Load(item, over, "[each]", at=node.iter))
        self.assign(node.target, item, node.iter)
        self._loop(node, head, after)

    def while_(self, node: ast.While) -> None:
        head, inside, after = self.block(), self.block(), self.block()
        self.jump(head)
        self.enter(head)
        self.condition(node.test, inside, after)
        self.enter(inside)
        self._loop(node, head, after)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, head: int, after: int) -> None:
        """Lower the body, and what is done ``after`` the last round, which ``break`` leaves out."""
        end = self.block() if node.orelse else after
        self.loops.append((head, end))
        self.body(node.body)
        self.jump(head)
        self.loops.pop()
        self.enter(after)
        if node.orelse:
            self.body(node.orelse)
            self.jump(end)
            self.enter(end)

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
            source, entered = self.value(item.context_expr), self.temporary()
            name = self.names.name(item.context_expr, self.scope) or ""
            self.emit(Call(entered, f"{name}.__enter__" if name else "", "__enter__", source, (), at=node))
            if item.optional_vars is not None:
                self.assign(item.optional_vars, entered, node)
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
                taken = [node for node in ast.walk(handler.type or handler) if node is not handler]
                classes = frozenset(str(getattr(node, "attr", getattr(node, "id", ""))) for node in taken)
                self.emit(Catch(AccessPath(handler.name), handler, broad, classes - {""}))
            self.body(handler.body)
            self.jump(after)
        self.enter(after)
        self.body(node.finalbody)

    def match(self, node: ast.Match) -> None:
        subject, after = self.value(node.subject), self.block()
        for case in node.cases:
            inside, following = self.block(), self.block()
            match_pattern(self, case.pattern, subject, inside, following)
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


def _gives(part: ast.expr) -> bool:
    """Tell whether a part of a test may be more than true or false: what a function gives."""
    if isinstance(part, ast.BoolOp):
        return any(map(_gives, part.values))
    return isinstance(part, ast.Call) and _asked(part) is None


def _asked(call: ast.Call) -> ast.expr | None:
    """Return the test of a call that can only be true or false: ``path.startswith(base)``, ``bool(match)``."""
    if isinstance(call.func, ast.Attribute):
        return call if call.func.attr in _TRUTHS or call.func.attr.startswith("is_") else None
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name in _QUESTIONS:
        return call
    return (
        call.args[0]
        if name == "bool" and len(call.args) == 1 and not isinstance(call.args[0], ast.Starred)
        else None
    )


_CALLING = frozenset(("flask.after_this_request",))
"""The decorators of libraries that have a function called which a function has made."""
_QUESTIONS = frozenset(("all", "any", "compare_digest", "hasattr", "isinstance"))
_TRUTHS = frozenset(
    "startswith endswith isalnum isalpha isascii isdecimal isdigit isidentifier isnumeric isabs issubset issuperset isdisjoint "
    "compare_digest".split()
)
_VERDICTS = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Call)
_TABLE: dict[type[ast.stmt], Callable[[_Lowering, Any], None]] = {
    ast.FunctionDef: _Lowering.definition,
    ast.AsyncFunctionDef: _Lowering.definition,
    ast.ClassDef: _Lowering.definition,
    ast.Delete: _Lowering.delete,
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
