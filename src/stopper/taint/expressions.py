"""Lower expressions: one short method a node type, in a table; what is not in it becomes ``Opaque``."""

from __future__ import annotations

import ast
import string
from collections.abc import Callable, Collection
from typing import Any

from stopper.source.module import Kind, Scope
from stopper.source.names import Names, Ref, RefKind
from stopper.source.values import UNKNOWN, State, evaluate
from stopper.taint.building import Builder
from stopper.taint.ir import (
    APART,
    AccessPath,
    Assign,
    Build,
    Call,
    Compare,
    Compute,
    Constant,
    Define,
    Edge,
    Load,
    Operand,
    Return,
    Share,
    Store,
)

ANY = "[*]"
MAX_NESTING = 60
"""How deeply an expression is followed; hand-written code stays far below."""

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**", ast.BitOr: "|", ast.BitAnd: "&",
    ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>", ast.MatMult: "@", ast.Div: "/",
}  # fmt: skip
_SETTLED = (str, bytes, int, float, bool, type(None), tuple, frozenset)
_SHAPES = {ast.List: "list", ast.Tuple: "tuple", ast.Set: "set"}


class Expressions(Builder):
    """Append the operations of expressions to the current block."""

    def __init__(self, scope: Scope, names: Names, rebound: Collection[str] = ()) -> None:
        """Start an empty function for ``scope``; the variables ``rebound`` are assigned by functions of their module."""
        super().__init__(scope, names, rebound)
        self._nesting = 0
        self._globals: dict[str, Operand] = {}
        self._walking: dict[str, AccessPath] = {}
        """What stands for the variables of the comprehension being lowered that are not the function's of that name."""

    def value(self, expr: ast.expr) -> Operand:
        """Lower an expression and return where its value is."""
        method = _TABLE.get(type(expr))
        self._nesting += 1
        try:
            if method is None or self._nesting > MAX_NESTING:
                return self.unknown(expr)
            return method(self, expr)
        finally:
            self._nesting -= 1

    def condition(self, expr: ast.expr, then: int, otherwise: int) -> None:
        """Lower a test: control goes to ``then`` or ``otherwise``, by way of each part of ``and``, ``or`` and ``not``."""
        if isinstance(expr, ast.UnaryOp) and isinstance(expr.op, ast.Not):
            self.condition(expr.operand, otherwise, then)
        elif isinstance(expr, ast.Compare) and len(expr.comparators) > 1:
            self.condition(_unchained(expr), then, otherwise)
        elif isinstance(expr, ast.BoolOp):
            for part in expr.values[:-1]:
                following = self.block()
                ways = (following, otherwise) if isinstance(expr.op, ast.And) else (then, following)
                self.condition(part, *ways)
                self.enter(following)
            self.condition(expr.values[-1], then, otherwise)
        else:
            test = self.value(expr)
            self.branch(test, then, otherwise)

    def assign(self, target: ast.expr, source: Operand, node: ast.AST) -> None:
        """Lower the assignment of ``source`` to a target of any form."""
        if isinstance(target, ast.Name) and target.id in self._walking:
            self.emit(Assign(self._walking[target.id], source, node))
        elif isinstance(target, ast.Name):
            shared = target.id in self.scope.outer
            self.emit(
                Share(target.id, source, node) if shared else Assign(AccessPath(target.id), source, node)
            )
        elif isinstance(target, ast.Tuple | ast.List):
            self._unpack(target.elts, source, node)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, source, node)
        elif isinstance(target, ast.Attribute | ast.Subscript):
            self._store(target, source, node)

    def _unpack(self, parts: list[ast.expr], source: Operand, node: ast.AST) -> None:
        """Lower ``a, *b, c = source``: places after the star count from the end; ``source`` may be one of the targets."""
        star = next((at for at, part in enumerate(parts) if isinstance(part, ast.Starred)), len(parts))
        pieces = [self.temporary() for _ in parts]
        for index, piece in enumerate(pieces):
            if index == star:
                end = index - len(parts) + 1
                bounds = (Constant(index), Constant(end or None), Constant(None))
                self.emit(Load(piece, source, "[:]", at=node, key=self.slice_of(bounds, node)))
            else:
                self.emit(Load(piece, source, f"[{index if index < star else index - len(parts)}]", at=node))
        for part, piece in zip(parts, pieces, strict=True):
            self.assign(part, piece, node)

    def _store(self, target: ast.Attribute | ast.Subscript, source: Operand, node: ast.AST) -> None:
        base = self.value(target.value)
        name = self.names.name(target.value, self.scope) or ""
        if isinstance(target, ast.Attribute):
            self.emit(Store(base, f".{target.attr}", source, name, node))
            return
        part, key = self._key(target.slice)
        if key is not None and part == ANY:
            self.emit(
                Call(
                    self.temporary(),
                    name and f"{name}.__setitem__",
                    "__setitem__",
                    base,
                    (key, source),
                    at=node,
                )
            )
        self.emit(Store(base, part, source, name, node, key))

    def _key(self, index: ast.expr) -> tuple[str, Operand | None]:
        """Return the part that a subscript reads, and what it is computed from where it is no constant."""
        if isinstance(index, ast.Constant):
            return f"[{index.value!r}]", None
        if isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub):
            number = getattr(index.operand, "value", None)
            if type(number) is int:
                return f"[-{number}]", None
        if isinstance(index, ast.Slice):
            bounds = tuple(
                self.value(bound) if bound is not None else Constant(None)
                for bound in (index.lower, index.upper, index.step)
            )
            return "[:]", self.slice_of(bounds, index)
        return ANY, self.value(index)

    def _constant(self, expr: ast.Constant) -> Operand:
        return Constant(expr.value)

    def _name(self, expr: ast.Name) -> Operand:
        name = expr.id
        if name in self._walking:
            return self._walking[name]
        if self.outside:
            self.free.add(name)
            return AccessPath(name)
        if self.scope.parent is None or (name in self.scope.bindings and name not in self.scope.outer):
            if self.scope.kind is not Kind.FUNCTION:
                self.free.add(name)
            return AccessPath(name)
        found = self._globals.get(name)
        if found is None:
            found = self._globals[name] = self._outer(expr)
            if isinstance(found, AccessPath):
                self.free.add(name)
        return found

    def _outer(self, expr: ast.Name) -> Operand:
        """Return a variable of an enclosing scope: its constant, where nothing else is ever assigned to it."""
        if expr.id in self.rebound or expr.id in self.scope.outer:
            return AccessPath(expr.id)
        known = evaluate(expr, self.scope, self.names)
        settled = known.state is State.CONSTANT and isinstance(known.constant, _SETTLED)
        if not settled or (isinstance(known.constant, tuple) and UNKNOWN in known.constant):
            return AccessPath(expr.id)
        return Constant(known.constant)

    def _attribute(self, expr: ast.Attribute) -> Operand:
        name = self.names.name(expr, self.scope) or ""
        base = self.value(expr.value)
        target = self.temporary()
        self.emit(Load(target, base, f".{expr.attr}", name, expr))
        return target

    def _subscript(self, expr: ast.Subscript) -> Operand:
        base = self.value(expr.value)
        part, key = self._key(expr.slice)
        target = self.temporary()
        holder = self.names.name(expr.value, self.scope) if part == ANY and key is not None else ""
        if key is not None and holder in ("globals()", "locals()"):  # it is asked as by its method
            self.emit(Call(target, f"{holder}.get", "get", base, (key,), at=expr))
        else:
            self.emit(Load(target, base, part, "", expr, key))
        return target

    def _call(self, expr: ast.Call) -> Operand:
        func = expr.func
        ref = self.names.resolve(func, self.scope)
        receiver = self._receiver(func)
        last = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        if (
            last == "format"
            and receiver is not None
            and isinstance(receiver, Constant)
            and isinstance(receiver.value, str)
        ):
            return self._format(expr, receiver.value)
        args = tuple(self.value(arg.value if isinstance(arg, ast.Starred) else arg) for arg in expr.args)
        stars = tuple(place for place, arg in enumerate(expr.args) if isinstance(arg, ast.Starred))
        keywords = tuple((keyword.arg or "**", self.value(keyword.value)) for keyword in expr.keywords)
        callee = ref.scope if ref is not None and ref.kind in (RefKind.FUNCTION, RefKind.CLASS) else None
        name = self._called(ref)
        target = self.temporary()
        self.emit(Call(
            target, name, last, receiver, args, keywords, callee, expr, self._function(func, ref), _is_super(func), stars,
        ))  # fmt: skip
        return target

    def _called(self, ref: Ref | None) -> str:
        """Return the name of what is called; a class of the project goes by the library's class that it is made from."""
        if ref is None or ref.kind is not RefKind.CLASS or ref.scope is None:
            return ref.name if ref else ""
        base = next(
            (base.name for base in self.names.bases(ref.scope) if base.kind is RefKind.EXTERNAL), "object"
        )
        return f"{base}.__init__"

    def _receiver(self, func: ast.expr) -> Operand | None:
        if not isinstance(func, ast.Attribute):
            return None
        if _is_super(func):
            first = next(iter(self.scope.bindings), "")
            return AccessPath(first) if first else None
        return self.value(func.value)

    def _function(self, func: ast.expr, ref: Ref | None) -> Operand | None:
        """Return where the called thing is kept; None where its name says all."""
        if isinstance(func, ast.Attribute):
            return None
        if not isinstance(func, ast.Name):
            return self.value(func)
        made = ref is not None and ref.kind is RefKind.EXTERNAL and ref.name.endswith("()")
        if (
            made
            or func.id in self.scope.bindings
            or (ref is None and self.names.lookup(func.id, self.scope) is not None)
        ):
            return self.value(func)
        if ref is not None and ref.kind is RefKind.INSTANCE:
            return self.value(func)
        inside = ref is not None and ref.scope is not None and ref.kind is RefKind.FUNCTION
        bound = inside and ref is not None and ref.scope is not None and ref.scope.owner is not None
        nested = inside and ref is not None and ref.scope is not None and _is_nested(ref.scope)
        return self.value(func) if nested or bound else None

    def _format(self, expr: ast.Call, template: str) -> Operand:
        """Lower ``"...{}...".format(a, b)`` with every value in its place."""
        positional = [self.value(arg) for arg in expr.args]
        named = {keyword.arg or "**": self.value(keyword.value) for keyword in expr.keywords}
        try:
            pieces = list(string.Formatter().parse(template))
        except ValueError:
            pieces = []
        parts: list[Operand] = []
        quoted: list[int] = []
        counter = 0
        for literal, name, _, conversion in pieces:
            parts.append(Constant(literal))
            if name is None:
                continue
            quoted += [len(parts)] if conversion in ("r", "a") else []
            key = name.partition(".")[0].partition("[")[0]
            index = int(key) if key.isdecimal() else counter
            counter += 1
            found = named.get(key) if key and not key.isdecimal() else None
            parts.append(
                found or (positional[index] if index < len(positional) else named.get("**", Constant("")))
            )
        return self.joined(parts, expr, tuple(quoted))

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
        return self.joined(parts, expr, tuple(quoted))

    def _binary(self, expr: ast.BinOp) -> Operand:
        if (
            isinstance(expr.op, ast.Mod)
            and isinstance(expr.left, ast.Constant)
            and isinstance(expr.left.value, str)
        ):
            return self._percent(expr, expr.left.value)
        left, right = self.value(expr.left), self.value(expr.right)
        return self.operation(OPERATORS[type(expr.op)], left, right, expr)

    def _percent(self, expr: ast.BinOp, template: str) -> Operand:
        right = expr.right
        values = (
            [self.value(part) for part in right.elts] if isinstance(right, ast.Tuple) else [self.value(right)]
        )
        pieces = template.split("%s")
        if len(pieces) - 1 != len(values):
            return self.operation("%", Constant(template), self.value(right), expr)
        parts: list[Operand] = [Constant(pieces[0])]
        for piece, value in zip(pieces[1:], values, strict=True):
            parts += [value, Constant(piece)]
        return self.joined(parts, expr)

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
        items: list[tuple[str, Operand]] = []
        for key, value in zip(expr.keys, expr.values, strict=True):
            part, computed = self._key(key) if key is not None else ("**", None)
            given = self.value(value)
            if computed is not None:
                items.append(("[keys]", computed))
            items.append((part, given))
        target = self.temporary()
        self.emit(Build(target, "dict", tuple(items), expr))
        return target

    def _comparison(self, expr: ast.Compare) -> Operand:
        if len(expr.comparators) != 1:
            return self.value(_unchained(expr))
        left, right = self.value(expr.left), self.value(expr.comparators[0])
        target = self.temporary()
        self.emit(Compare(target, _COMPARISONS[type(expr.ops[0])], left, right, expr))
        return target

    def _unary(self, expr: ast.UnaryOp) -> Operand:
        operand = self.value(expr.operand)
        target = self.temporary()
        if isinstance(expr.op, ast.Not):
            self.emit(Compare(target, "not", operand, Constant(None), expr))
        elif isinstance(expr.op, ast.Invert):
            self.emit(Compute(target, "^", operand, Constant(-1), expr))
        else:
            self.emit(
                Compute(target, "-" if isinstance(expr.op, ast.USub) else "u+", Constant(0), operand, expr)
            )
        return target

    def _lambda(self, expr: ast.Lambda) -> Operand:
        scope = next((inner for inner in self.scope.children if inner.node is expr), None)
        if scope is None:
            return self.unknown(expr)
        target = self.temporary()
        self.emit(Define(target, scope, at=expr))
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
        after, target, outer = self.block(), self.temporary(), self._walking
        for generator in expr.generators:
            item = self.temporary()
            self.emit(Load(item, self.value(generator.iter), "[each]", at=generator.iter))
            self._walking = self._walking | self._apart(generator, expr)
            self.assign(generator.target, item, generator.iter)
            for test in generator.ifs:
                following = self.block()
                self.condition(test, following, after)
                self.enter(following)
        if isinstance(expr, ast.DictComp):
            items = (("[*]", self.value(expr.value)), ("[keys]", self.value(expr.key)))
            self.emit(Build(target, "dict", items, expr))
        else:
            shape = {ast.ListComp: "list", ast.SetComp: "set"}.get(type(expr), "iterator")
            self.emit(Build(target, shape, (("[*]", self.value(expr.elt)),), expr))
        self._walking = outer
        self.jump(after)
        self.enter(after)
        return target

    def _apart(self, generator: ast.comprehension, whole: ast.expr) -> dict[str, AccessPath]:
        """Return names of their own for the variables of a comprehension that the function uses for something else too."""
        names = [node.id for node in ast.walk(generator.target) if isinstance(node, ast.Name)]
        used = [name for name in names if len(self.scope.bindings.get(name, ())) > 1]
        if not used or any(isinstance(node, ast.Lambda) for node in ast.walk(whole)):
            return {}
        number = self.temporary().base[1:]
        return {name: AccessPath(f"{name}{APART}{number}") for name in used}

    def _walrus(self, expr: ast.NamedExpr) -> Operand:
        source = self.value(expr.value)
        self.assign(expr.target, source, expr)
        return source

    def _inner(self, expr: Any) -> Operand:
        return self.value(expr.value) if expr.value is not None else Constant(None)

    def _yield(self, expr: ast.Yield | ast.YieldFrom) -> Operand:
        value = self.value(expr.value) if expr.value is not None else Constant(None)
        if isinstance(expr, ast.YieldFrom):
            item = self.temporary()
            self.emit(Load(item, value, "[each]", at=expr))
            self.emit(Return(item, expr, yields=True))
            return value
        self.emit(Return(value, expr, yields=True))
        return Constant(None)


def _is_super(func: ast.expr) -> bool:
    return (
        isinstance(func, ast.Attribute)
        and isinstance(func.value, ast.Call)
        and isinstance(func.value.func, ast.Name)
        and func.value.func.id == "super"
    )


def _is_nested(scope: Scope) -> bool:
    return scope.parent is not None and scope.parent.kind is Kind.FUNCTION


def _unchained(expr: ast.Compare) -> ast.BoolOp:
    """Return ``a < b < c`` as ``a < b and b < c``."""
    sides = [expr.left, *expr.comparators]
    pairs: list[ast.expr] = [
        ast.copy_location(ast.Compare(left, [how], [right]), expr)
        for left, how, right in zip(sides, expr.ops, sides[1:], strict=False)
    ]
    return ast.copy_location(ast.BoolOp(ast.And(), pairs), expr)


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
    ast.Yield: Expressions._yield,  # noqa: SLF001
    ast.YieldFrom: Expressions._yield,  # noqa: SLF001
    ast.Lambda: Expressions._lambda,  # noqa: SLF001
    ast.Starred: Expressions._inner,  # noqa: SLF001
    ast.FormattedValue: Expressions._inner,  # noqa: SLF001
}
