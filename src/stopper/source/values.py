"""What an expression evaluates to, as far as it can be known without running it."""

from __future__ import annotations

import ast
import enum
import operator
import re
import string
from collections.abc import Callable
from typing import Any, Final

from stopper.records import dataclass
from stopper.source.module import Bound, Scope
from stopper.source.names import Names, RefKind

MAX_STEPS = 400
"""How many expressions one evaluation may look at."""
MAX_TEXT = 100_000
"""How long a string that is computed here may grow, in characters."""


class _Unknown(enum.Enum):
    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown.UNKNOWN
"""Stands where a value cannot be known, also inside containers."""


class State(enum.StrEnum):
    """How much is known of a value."""

    CONSTANT = "constant"
    ENVIRONMENT = "environment"
    """Read from an environment variable."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of an expression's value."""

    state: State
    constant: Any = UNKNOWN
    """For ``CONSTANT``."""
    variable: str = ""
    """The environment variable read."""
    default: Any = UNKNOWN
    """What holds when the variable is not set; UNKNOWN when reading it then raises."""
    has_default: bool = False
    """Whether the code names a default of its own."""

    @property
    def known(self) -> bool:
        """Tell whether the value is a constant, wherever it runs."""
        return self.state is State.CONSTANT

    def in_production(self) -> Any:
        """Return the constant that holds when nothing is set in the environment, or UNKNOWN."""
        if self.state is State.CONSTANT:
            return self.constant
        return self.default if self.state is State.ENVIRONMENT else UNKNOWN


NOT_KNOWN: Final = Value(State.UNKNOWN)

_READERS = {
    "os.environ.get", "os.environ.setdefault", "decouple.config", "environs.Env().str", "environs.Env()", "os.environ.pop",
    "starlette.config.Config()", "environ.Env()", "environ.Env().str",
}  # fmt: skip
_TYPED_READERS = {
    "environs.Env().bool",
    "environs.Env().int",
    "environ.Env().bool",
    "environ.Env().int",
    "environs.Env().list",
}

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.BitOr: operator.or_, ast.BitAnd: operator.and_,
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not, ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip
_CONVERTERS: dict[str, Callable[..., Any]] = {
    "int": int, "float": float, "bool": bool, "str": str, "list": list, "tuple": tuple, "set": set, "frozenset": frozenset,
    "dict": dict, "len": len, "sorted": sorted,
}  # fmt: skip
_METHODS = frozenset(
    [
        "lower",
        "upper",
        "strip",
        "lstrip",
        "rstrip",
        "title",
        "split",
        "join",
        "encode",
        "decode",
        "replace",
        "format",
        "startswith",
        "endswith",
    ]
)
_TIMES = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1, "weeks": 604800}


def evaluate(expr: ast.expr, scope: Scope, names: Names) -> Value:
    """Return what is known of the value of ``expr`` as read in ``scope``."""
    return _Evaluator(names).value(expr, scope)


class _Evaluator:
    def __init__(self, names: Names) -> None:
        self.names = names
        self.steps = 0

    def value(self, expr: ast.expr, scope: Scope) -> Value:
        self.steps += 1
        if self.steps > MAX_STEPS:
            return NOT_KNOWN
        method = _EVALUATORS.get(type(expr))
        if method is None:
            return NOT_KNOWN
        try:
            return method(self, expr, scope)
        except (
            TypeError,
            ValueError,
            KeyError,
            IndexError,
            ArithmeticError,
            AttributeError,
            RecursionError,
            MemoryError,
        ):
            return NOT_KNOWN

    def plain(self, expr: ast.expr, scope: Scope) -> Any:
        """Return the constant, or UNKNOWN."""
        value = self.value(expr, scope)
        return value.constant if value.known else UNKNOWN

    def constant(self, expr: ast.Constant, scope: Scope) -> Value:
        del scope
        return _known(expr.value)

    def name(self, expr: ast.Name, scope: Scope) -> Value:
        found = self.names.lookup(expr.id, scope)
        if found is None:
            return NOT_KNOWN
        place, bindings = found
        if len(bindings) != 1:
            return NOT_KNOWN
        binding = bindings[0]
        if binding.how is Bound.ASSIGN and binding.value is not None:
            return self.value(binding.value, place)
        if binding.how is Bound.IMPORT:
            return self.imported(binding.dotted)
        return NOT_KNOWN

    def imported(self, dotted: str) -> Value:
        owner, _, last = dotted.rpartition(".")
        if owner == "string":
            return _letters(last)
        ref = self.names.dotted(owner) if owner else None
        if ref is None or ref.kind is not RefKind.MODULE or ref.scope is None:
            return NOT_KNOWN
        return self.name(ast.Name(last), ref.scope)

    def attribute(self, expr: ast.Attribute, scope: Scope) -> Value:
        owner = self.names.resolve(expr.value, scope)
        if owner is not None and owner.scope is None and owner.name == "string":
            return _letters(expr.attr)
        if owner is None or owner.scope is None:
            return NOT_KNOWN
        if owner.kind is RefKind.MODULE:
            return self.name(ast.Name(expr.attr), owner.scope)
        if owner.kind in (RefKind.CLASS, RefKind.INSTANCE):
            found = self.names.member(owner.scope, expr.attr)
            if found is not None and found[1].how is Bound.ASSIGN and found[1].value is not None:
                return self.value(found[1].value, found[0])
        return NOT_KNOWN

    def sequence(self, expr: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Value:
        items: list[Any] = []
        for item in expr.elts:
            if isinstance(item, ast.Starred):
                inner = self.plain(item.value, scope)
                items.extend([UNKNOWN] if inner is UNKNOWN else inner)
            else:
                items.append(self.plain(item, scope))
        if isinstance(expr, ast.List):
            return _known(items)
        return _known(tuple(items) if isinstance(expr, ast.Tuple) else frozenset(items))

    def dictionary(self, expr: ast.Dict, scope: Scope) -> Value:
        result: dict[Any, Any] = {}
        for key, value in zip(expr.keys, expr.values, strict=True):
            if key is None:
                inner = self.plain(value, scope)
                result.update(inner if isinstance(inner, dict) else {UNKNOWN: UNKNOWN})
            else:
                result[self.plain(key, scope)] = self.plain(value, scope)
        return _known(result)

    def binary(self, expr: ast.BinOp, scope: Scope) -> Value:
        left, right = self.plain(expr.left, scope), self.plain(expr.right, scope)
        compute = _BINARY.get(type(expr.op))
        if compute is None or left is UNKNOWN or right is UNKNOWN or _too_large(left, right):
            return NOT_KNOWN
        if isinstance(left, str | bytes) and isinstance(expr.op, ast.Mod) and _is_wide(left):
            return NOT_KNOWN
        return _known(compute(left, right))

    def unary(self, expr: ast.UnaryOp, scope: Scope) -> Value:
        inner = self.value(expr.operand, scope)
        if isinstance(expr.op, ast.Not):
            return _mapped(inner, operator.not_)
        return _mapped(inner, operator.neg) if isinstance(expr.op, ast.USub) else NOT_KNOWN

    def boolean(self, expr: ast.BoolOp, scope: Scope) -> Value:
        values = [self.value(part, scope) for part in expr.values]
        if (
            isinstance(expr.op, ast.Or)
            and values[0].state is State.ENVIRONMENT
            and len(values) == 2
            and values[1].known
        ):
            default = values[0].default if values[0].has_default and values[0].default else values[1].constant
            return Value(State.ENVIRONMENT, UNKNOWN, values[0].variable, default, has_default=True)
        if not all(value.known for value in values):
            return NOT_KNOWN
        result = values[0].constant
        for value in values[1:]:
            go_on = bool(result) if isinstance(expr.op, ast.And) else not result
            result = value.constant if go_on else result
        return _known(result)

    def compare(self, expr: ast.Compare, scope: Scope) -> Value:
        compute = _COMPARE.get(type(expr.ops[0]))
        right = self.plain(expr.comparators[0], scope)
        if len(expr.ops) != 1 or compute is None or right is UNKNOWN:
            return NOT_KNOWN
        return _mapped(self.value(expr.left, scope), lambda left: compute(left, right))

    def choice(self, expr: ast.IfExp, scope: Scope) -> Value:
        test = self.value(expr.test, scope)
        if test.known:
            return self.value(expr.body if test.constant else expr.orelse, scope)
        if test.state is State.ENVIRONMENT and test.default is not UNKNOWN:
            chosen = self.value(expr.body if test.default else expr.orelse, scope)
            return Value(State.ENVIRONMENT, UNKNOWN, test.variable, chosen.in_production(), has_default=True)
        return NOT_KNOWN

    def joined(self, expr: ast.JoinedStr, scope: Scope) -> Value:
        parts: list[str] = []
        for part in expr.values:
            inner = self.plain(part.value if isinstance(part, ast.FormattedValue) else part, scope)
            if inner is UNKNOWN:
                return NOT_KNOWN
            parts.append(str(inner))
        return _known("".join(parts))

    def subscript(self, expr: ast.Subscript, scope: Scope) -> Value:
        key = self.plain(expr.slice, scope)
        if self.names.name(expr.value, scope) == "os.environ" and isinstance(key, str):
            return Value(State.ENVIRONMENT, UNKNOWN, key)
        owner = self.plain(expr.value, scope)
        return NOT_KNOWN if owner is UNKNOWN or key is UNKNOWN else _known(owner[key])

    def call(self, expr: ast.Call, scope: Scope) -> Value:
        name = self.names.name(expr.func, scope) or ""
        if name in _READERS or name in _TYPED_READERS:
            return self.environment(expr, scope)
        if name == "datetime.timedelta":
            return self.duration(expr, scope)
        if name in _CONVERTERS and not expr.keywords and len(expr.args) <= 1:
            return (
                _mapped(self.value(expr.args[0], scope), _CONVERTERS[name])
                if expr.args
                else _known(_CONVERTERS[name]())
            )
        if name == "dict" and not expr.args:
            return _known({item.arg or UNKNOWN: self.plain(item.value, scope) for item in expr.keywords})
        if isinstance(expr.func, ast.Attribute) and expr.func.attr in _METHODS and not expr.keywords:
            return self.method(expr.func, expr.args, scope)
        ref = self.names.resolve(expr.func, scope)
        return (
            self.helper(expr, ref.scope, scope)
            if ref and ref.kind is RefKind.FUNCTION and ref.scope
            else NOT_KNOWN
        )

    def helper(self, expr: ast.Call, function: Scope, scope: Scope) -> Value:
        """Follow a project's own function: ``key()``, or ``env("NAME", default)`` with one call of ``os.environ.get`` in it."""
        self.names.rested |= function.bit
        if len(function.returns) != 1:
            return NOT_KNOWN
        inner = self.value(function.returns[0], function)
        if inner.known or not (expr.args or expr.keywords):
            return inner
        text = self.plain(expr.args[0], scope) if expr.args else UNKNOWN
        reads = any(node in ("get", "getenv") for node in _called(function))
        if not reads or not isinstance(text, str) or not text.isupper():
            return NOT_KNOWN
        default = self.plain(expr.args[1], scope) if len(expr.args) > 1 else UNKNOWN
        return Value(State.ENVIRONMENT, UNKNOWN, text, default, has_default=len(expr.args) > 1)

    def environment(self, expr: ast.Call, scope: Scope) -> Value:
        variable = self.plain(expr.args[0], scope) if expr.args else UNKNOWN
        given = (
            expr.args[1]
            if len(expr.args) > 1
            else next((k.value for k in expr.keywords if k.arg == "default"), None)
        )
        default = self.plain(given, scope) if given is not None else None
        named = variable if isinstance(variable, str) else ""
        return Value(State.ENVIRONMENT, UNKNOWN, named, default, has_default=given is not None)

    def duration(self, expr: ast.Call, scope: Scope) -> Value:
        total = 0.0
        for keyword in expr.keywords:
            total += _TIMES[keyword.arg or ""] * self.plain(keyword.value, scope)
        if expr.args:
            total += 86400 * self.plain(expr.args[0], scope)
        return _known(total)

    def method(self, func: ast.Attribute, args: list[ast.expr], scope: Scope) -> Value:
        given = [self.plain(arg, scope) for arg in args]
        if any(_holds_unknown(item) for item in given):
            return NOT_KNOWN
        owner = self.value(func.value, scope)
        text = owner.in_production()
        if not isinstance(text, str | bytes) or _grows(func.attr, text, given):
            return NOT_KNOWN
        return _mapped(owner, lambda text: getattr(text, func.attr)(*given))


_EVALUATORS: dict[type[ast.expr], Callable[[_Evaluator, Any, Scope], Value]] = {
    ast.Constant: _Evaluator.constant,
    ast.Name: _Evaluator.name,
    ast.Attribute: _Evaluator.attribute,
    ast.List: _Evaluator.sequence,
    ast.Tuple: _Evaluator.sequence,
    ast.Set: _Evaluator.sequence,
    ast.Dict: _Evaluator.dictionary,
    ast.BinOp: _Evaluator.binary,
    ast.UnaryOp: _Evaluator.unary,
    ast.BoolOp: _Evaluator.boolean,
    ast.Compare: _Evaluator.compare,
    ast.IfExp: _Evaluator.choice,
    ast.JoinedStr: _Evaluator.joined,
    ast.Subscript: _Evaluator.subscript,
    ast.Call: _Evaluator.call,
}


def _known(constant: Any) -> Value:
    return Value(State.CONSTANT, constant)


def _letters(name: str) -> Value:
    """Return a constant of the module ``string``."""
    found = getattr(string, name, None)
    return _known(found) if isinstance(found, str) else NOT_KNOWN


def _mapped(value: Value, compute: Callable[[Any], Any]) -> Value:
    """Apply a function to what is known: to the constant, or to the default of an environment variable."""
    if value.known:
        return _known(compute(value.constant)) if not _holds_unknown(value.constant) else NOT_KNOWN
    if value.state is State.ENVIRONMENT:
        default = UNKNOWN if value.default is UNKNOWN or value.default is None else compute(value.default)
        if value.default is None and compute is operator.not_:
            default = True
        elif value.default is None and compute is bool:
            default = False
        elif value.default is None:
            default = _attempt(compute)
        return Value(State.ENVIRONMENT, UNKNOWN, value.variable, default, has_default=value.has_default)
    return NOT_KNOWN


def _attempt(compute: Callable[[Any], Any]) -> Any:
    try:
        return compute(None)
    except (TypeError, AttributeError, ValueError):
        return UNKNOWN


def _holds_unknown(item: Any) -> bool:
    if isinstance(item, dict):
        return any(_holds_unknown(key) or _holds_unknown(value) for key, value in item.items())
    return any(map(_holds_unknown, item)) if isinstance(item, list | tuple | frozenset) else item is UNKNOWN


def _too_large(left: Any, right: Any) -> bool:
    """Tell whether the result of an operation could take much memory: a long text repeated, a huge number."""
    lengths = [len(item) for item in (left, right) if hasattr(item, "__len__")]
    numbers = [abs(item) for item in (left, right) if isinstance(item, int | float)]
    grown = (sum(lengths) or 1) * (max(numbers, default=1) if lengths else 1)
    return grown > MAX_TEXT or max(numbers, default=0) > 1e18


def _is_wide(template: str | bytes) -> bool:
    """Tell whether a format could ask for a field so wide that it takes much memory."""
    text = template.decode("latin-1") if isinstance(template, bytes) else template
    return "*" in text or any(len(digits) > 4 for digits in re.findall(r"\d+", text))


def _grows(method: str, text: str | bytes, given: list[Any]) -> bool:
    """Tell whether a method of a text could make a huge one."""
    if method == "format":
        return _is_wide(text)
    longest = max((len(item) for item in given if hasattr(item, "__len__")), default=0)
    return method in ("replace", "join") and (len(text) + 1) * (longest + 1) > MAX_TEXT


def _called(function: Scope) -> list[str]:
    nodes = [node.func for node in ast.walk(function.node) if isinstance(node, ast.Call)]
    return [getattr(node, "attr", getattr(node, "id", "")) for node in nodes]
