"""Lower expressions: one short method a node type, in a table; what is not in it becomes ``Opaque``."""

from __future__ import annotations

import ast
import string
from collections.abc import Callable
from typing import Any

from stopper.source.module import Scope
from stopper.source.names import Names, RefKind
from stopper.source.values import State, evaluate
from stopper.taint.ir import (
    AccessPath,
    Assign,
    Block,
    Build,
    Call,
    Compare,
    Constant,
    Edge,
    Join,
    Load,
    Op,
    Opaque,
    Operand,
    Store,
)

MAX_NESTING = 60
"""How deeply an expression is followed; hand-written code stays far below."""

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_SHAPES = {ast.List: "list", ast.Tuple: "tuple", ast.Set: "set"}


class Expressions:
    """Append the operations of expressions to the current block."""

    def __init__(self, scope: Scope, names: Names) -> None:
        """Start an empty function for ``scope``."""
        self.scope = scope
        self.names = names
        self.blocks = [Block()]
        self.current = self.blocks[0]
        self.opaque = 0
        self._temporaries = 0
        self._nesting = 0
        self._globals: dict[str, Operand] = {}

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

    def value(self, expr: ast.expr) -> Operand:
        """Lower an expression and return where its value is."""
        method = _TABLE.get(type(expr))
        self._nesting += 1
        try:
            if method is None or self._nesting > MAX_NESTING:
                return self._unknown(expr)
            return method(self, expr)
        finally:
            self._nesting -= 1

    def condition(self, expr: ast.expr, then: int, otherwise: int) -> None:
        """Lower a test: control goes to ``then`` or ``otherwise``, by way of each part of ``and``, ``or`` and ``not``."""
        if isinstance(expr, ast.UnaryOp) and isinstance(expr.op, ast.Not):
            self.condition(expr.operand, otherwise, then)
        elif isinstance(expr, ast.BoolOp):
            for part in expr.values[:-1]:
                following = self.block()
                ways = (following, otherwise) if isinstance(expr.op, ast.And) else (then, following)
                self.condition(part, *ways)
                self.enter(following)
            self.condition(expr.values[-1], then, otherwise)
        else:
            test = self.value(expr)
            self.current.edges += [Edge(then, test, truth=True), Edge(otherwise, test, truth=False)]

    def assign(self, target: ast.expr, source: Operand, node: ast.AST) -> None:
        """Lower the assignment of ``source`` to a target of any form."""
        if isinstance(target, ast.Name):
            self.emit(Assign(AccessPath(target.id), source, node))
        elif isinstance(target, ast.Tuple | ast.List):
            for index, part in enumerate(target.elts):
                piece = self.temporary()
                self.emit(Load(piece, source, f"[{index}]", at=node))
                self.assign(part, piece, node)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, source, node)
        elif isinstance(target, ast.Attribute | ast.Subscript):
            self._store(target, source, node)

    def _store(self, target: ast.Attribute | ast.Subscript, source: Operand, node: ast.AST) -> None:
        base = self.value(target.value)
        name = self.names.name(target.value, self.scope) or ""
        if isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Constant | ast.Slice):
            key = self.value(target.slice)
            self.emit(
                Call(self.temporary(), f"{name}.__setitem__", "__setitem__", base, (key, source), at=node)
            )
        part = f".{target.attr}" if isinstance(target, ast.Attribute) else self._key(target.slice)
        self.emit(Store(base, part, source, name, node))

    def _key(self, index: ast.expr) -> str:
        if isinstance(index, ast.Constant):
            return f"[{index.value!r}]"
        if isinstance(index, ast.UnaryOp) and isinstance(index.operand, ast.Constant):
            return f"[-{index.operand.value!r}]"
        if isinstance(index, ast.Slice):
            return "[:]"
        self.value(index)
        return "[*]"

    def _unknown(self, expr: ast.expr) -> Operand:
        target = self.temporary()
        self.opaque += 1
        self.emit(Opaque(target, type(expr).__name__, expr))
        return target

    def _constant(self, expr: ast.Constant) -> Operand:
        return Constant(expr.value)

    def _name(self, expr: ast.Name) -> Operand:
        name = expr.id
        scope: Scope | None = self.scope
        if name in self.scope.bindings or scope is None or scope.parent is None:
            return AccessPath(name)
        if name not in self._globals:
            known = evaluate(expr, self.scope, self.names)
            self._globals[name] = (
                Constant(known.constant) if known.state is State.CONSTANT else AccessPath(name)
            )
        return self._globals[name]

    def _attribute(self, expr: ast.Attribute) -> Operand:
        name = self.names.name(expr, self.scope) or ""
        base = self.value(expr.value)
        target = self.temporary()
        self.emit(Load(target, base, f".{expr.attr}", name, expr))
        return target

    def _subscript(self, expr: ast.Subscript) -> Operand:
        base = self.value(expr.value)
        part = self._key(expr.slice)
        target = self.temporary()
        self.emit(Load(target, base, part, "", expr))
        return target

    def _call(self, expr: ast.Call) -> Operand:
        func = expr.func
        ref = self.names.resolve(func, self.scope)
        receiver = self.value(func.value) if isinstance(func, ast.Attribute) else None
        last = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        if (
            last == "format"
            and receiver is not None
            and isinstance(receiver, Constant)
            and isinstance(receiver.value, str)
        ):
            return self._format(expr, receiver.value)
        args = tuple(self.value(arg.value if isinstance(arg, ast.Starred) else arg) for arg in expr.args)
        keywords = tuple((keyword.arg or "**", self.value(keyword.value)) for keyword in expr.keywords)
        callee = ref.scope if ref is not None and ref.kind is RefKind.FUNCTION else None
        name = ref.name if ref else ""
        if ref is not None and ref.kind is RefKind.CLASS and ref.scope is not None:
            base = next(
                (base.name for base in self.names.bases(ref.scope) if base.kind is RefKind.EXTERNAL), "object"
            )
            name = f"{base}.__init__"
        target = self.temporary()
        self.emit(Call(target, name, last, receiver, args, keywords, callee, expr))
        return target

    def _format(self, expr: ast.Call, template: str) -> Operand:
        """Lower ``"...{}...".format(a, b)`` with every value in its place."""
        positional = [self.value(arg) for arg in expr.args]
        named = {keyword.arg or "**": self.value(keyword.value) for keyword in expr.keywords}
        try:
            pieces = list(string.Formatter().parse(template))
        except ValueError:
            pieces = []
        parts: list[Operand] = []
        counter = 0
        for literal, name, _, _ in pieces:
            parts.append(Constant(literal))
            if name is None:
                continue
            key = name.partition(".")[0].partition("[")[0]
            index = int(key) if key.isdecimal() else counter
            counter += 1
            found = named.get(key) if key and not key.isdecimal() else None
            parts.append(
                found or (positional[index] if index < len(positional) else named.get("**", Constant("")))
            )
        return self._joined(parts, expr)

    def _joined(self, parts: list[Operand], expr: ast.expr, quoted: tuple[int, ...] = ()) -> Operand:
        target = self.temporary()
        self.emit(Join(target, tuple(parts), quoted, expr))
        return target

    def _fstring(self, expr: ast.JoinedStr) -> Operand:
        parts: list[Operand] = []
        quoted: list[int] = []
        for part in expr.values:
            if isinstance(part, ast.FormattedValue):
                if part.conversion == ord("r"):
                    quoted.append(len(parts))
                parts.append(self.value(part.value))
            else:
                parts.append(self.value(part))
        return self._joined(parts, expr, tuple(quoted))

    def _binary(self, expr: ast.BinOp) -> Operand:
        if (
            isinstance(expr.op, ast.Mod)
            and isinstance(expr.left, ast.Constant)
            and isinstance(expr.left.value, str)
        ):
            return self._percent(expr, expr.left.value)
        left, right = self.value(expr.left), self.value(expr.right)
        if isinstance(expr.op, ast.Add | ast.Mod | ast.Div | ast.BitOr):
            if isinstance(expr.op, ast.Div):
                target = self.temporary()
                self.emit(Call(target, "pathlib.PurePath.__truediv__", "/", None, (left, right), at=expr))
                return target
            return self._joined([left, right], expr)
        return self._unknown(expr)

    def _percent(self, expr: ast.BinOp, template: str) -> Operand:
        right = expr.right
        values = (
            [self.value(part) for part in right.elts] if isinstance(right, ast.Tuple) else [self.value(right)]
        )
        pieces = template.split("%s")
        if len(pieces) - 1 != len(values):
            return self._joined([Constant(template), *values], expr)
        parts: list[Operand] = [Constant(pieces[0])]
        for piece, value in zip(pieces[1:], values, strict=True):
            parts += [value, Constant(piece)]
        return self._joined(parts, expr)

    def _sequence(self, expr: ast.List | ast.Tuple | ast.Set) -> Operand:
        items: list[tuple[str, Operand]] = []
        for index, item in enumerate(expr.elts):
            starred = isinstance(item, ast.Starred)
            value = self.value(item.value if isinstance(item, ast.Starred) else item)
            items.append(("**" if starred else f"[{index}]", value))
        target = self.temporary()
        self.emit(Build(target, _SHAPES[type(expr)], tuple(items), expr))
        return target

    def _dict(self, expr: ast.Dict) -> Operand:
        items = [
            ("**" if key is None else self._key(key), self.value(value))
            for key, value in zip(expr.keys, expr.values, strict=True)
        ]
        target = self.temporary()
        self.emit(Build(target, "dict", tuple(items), expr))
        return target

    def _comparison(self, expr: ast.Compare) -> Operand:
        left = self.value(expr.left)
        rights = [self.value(right) for right in expr.comparators]
        if len(rights) != 1:
            return self._unknown(expr)
        target = self.temporary()
        self.emit(Compare(target, _COMPARISONS[type(expr.ops[0])], left, rights[0], expr))
        return target

    def _unary(self, expr: ast.UnaryOp) -> Operand:
        operand = self.value(expr.operand)
        if not isinstance(expr.op, ast.Not):
            return self._unknown(expr)
        target = self.temporary()
        self.emit(Compare(target, "not", operand, Constant(None), expr))
        return target

    def _choice(self, expr: ast.IfExp) -> Operand:
        then, otherwise, after, target = self.block(), self.block(), self.block(), self.temporary()
        self.condition(expr.test, then, otherwise)
        for number, branch in ((then, expr.body), (otherwise, expr.orelse)):
            self.enter(number)
            self.emit(Assign(target, self.value(branch), expr))
            self.jump(after)
        self.enter(after)
        return target

    def _boolean(self, expr: ast.BoolOp) -> Operand:
        after, target = self.block(), self.temporary()
        for part in expr.values[:-1]:
            following = self.block()
            value = self.value(part)
            self.emit(Assign(target, value, expr))
            short = isinstance(expr.op, ast.Or)
            self.current.edges += [Edge(after, value, truth=short), Edge(following, value, truth=not short)]
            self.enter(following)
        self.emit(Assign(target, self.value(expr.values[-1]), expr))
        self.jump(after)
        self.enter(after)
        return target

    def _comprehension(self, expr: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Operand:
        after, target = self.block(), self.temporary()
        for generator in expr.generators:
            item = self.temporary()
            self.emit(Load(item, self.value(generator.iter), "[*]", at=generator.iter))
            self.assign(generator.target, item, generator.iter)
            for test in generator.ifs:
                following = self.block()
                self.condition(test, following, after)
                self.enter(following)
        if isinstance(expr, ast.DictComp):
            items = (("[*]", self.value(expr.value)), ("[*]", self.value(expr.key)))
            self.emit(Build(target, "dict", items, expr))
        else:
            shape = {ast.ListComp: "list", ast.SetComp: "set"}.get(type(expr), "iterator")
            self.emit(Build(target, shape, (("[*]", self.value(expr.elt)),), expr))
        self.jump(after)
        self.enter(after)
        return target

    def _walrus(self, expr: ast.NamedExpr) -> Operand:
        source = self.value(expr.value)
        self.assign(expr.target, source, expr)
        return source

    def _inner(self, expr: Any) -> Operand:
        return self.value(expr.value) if expr.value is not None else Constant(None)


_TABLE: dict[type[ast.AST], Callable[[Expressions, Any], Operand]] = {
    ast.Constant: Expressions._constant,  # noqa: SLF001 - a table of this class's own methods
    ast.Name: Expressions._name,  # noqa: SLF001
    ast.Attribute: Expressions._attribute,  # noqa: SLF001
    ast.Subscript: Expressions._subscript,  # noqa: SLF001
    ast.Call: Expressions._call,  # noqa: SLF001
    ast.JoinedStr: Expressions._fstring,  # noqa: SLF001
    ast.BinOp: Expressions._binary,  # noqa: SLF001
    ast.List: Expressions._sequence,  # noqa: SLF001
    ast.Tuple: Expressions._sequence,  # noqa: SLF001
    ast.Set: Expressions._sequence,  # noqa: SLF001
    ast.Dict: Expressions._dict,  # noqa: SLF001
    ast.Compare: Expressions._comparison,  # noqa: SLF001
    ast.UnaryOp: Expressions._unary,  # noqa: SLF001
    ast.IfExp: Expressions._choice,  # noqa: SLF001
    ast.BoolOp: Expressions._boolean,  # noqa: SLF001
    ast.ListComp: Expressions._comprehension,  # noqa: SLF001
    ast.SetComp: Expressions._comprehension,  # noqa: SLF001
    ast.GeneratorExp: Expressions._comprehension,  # noqa: SLF001
    ast.DictComp: Expressions._comprehension,  # noqa: SLF001
    ast.NamedExpr: Expressions._walrus,  # noqa: SLF001
    ast.Await: Expressions._inner,  # noqa: SLF001
    ast.YieldFrom: Expressions._inner,  # noqa: SLF001
    ast.FormattedValue: Expressions._inner,  # noqa: SLF001
}
