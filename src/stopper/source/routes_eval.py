"""Evaluate the expressions that registering routes is made of."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from stopper.source.module import Module
from stopper.source.routes_interest import Interest
from stopper.source.routes_objects import (
    Bound,
    Class,
    ClassView,
    Env,
    External,
    Function,
    Instance,
    ModuleObject,
    Node,
    Super,
    Unknown,
    view_of,
)
from stopper.source.routes_pure import COMPARISONS, KNOWN, OPERATORS, PLAIN, PURE, quiet
from stopper.source.routes_run import MISSING, Late, Runner

MAX_DEPTH = 25
MAX_RECURSION = 2
"""How often one function may stand in a chain of calls: a registration that recurses adds nothing at the third time."""
MAX_TIMES = 2000
"""How often one function is run with views, classes or apps among its arguments."""
MAX_IDLE = 400
"""How often one function is run without."""


class Evaluator(Runner):
    """Evaluate expressions; what an app or blueprint does with a call is left to ``native`` and ``external``."""

    def __init__(self, modules: dict[str, Module], interest: Interest) -> None:
        """Take the project's modules and the knowledge of what is worth following."""
        super().__init__(modules)
        self.interest = interest
        self.memo: dict[Any, Any] = {}
        self.times: dict[int, int] = {}

    def native(
        self, target: Node, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> Any:
        """Return what a method of an app, blueprint or API gives."""
        raise NotImplementedError

    def external(
        self, target: External, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> Any:
        """Return what something of another package gives when it is called."""
        raise NotImplementedError

    def construct(self, cls: Class, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env) -> Any:
        """Return a new object of a project class."""
        raise NotImplementedError

    def guess(
        self, target: Any, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env
    ) -> Any:
        """Return what a method gives of an object nothing is known of."""
        raise NotImplementedError

    def eval(self, node: ast.expr | None, env: Env) -> Any:
        """Return the value of an expression."""
        self.steps += 1
        method = _EXPRESSIONS.get(node.__class__)
        if method is None:
            return self.unknown(node, env)
        value = method(self, node, env)
        return self.settle(value) if value.__class__ is Late else value

    def settle(self, value: Any) -> Any:
        """Look up a name whose module was not done when it was imported."""
        if isinstance(value, Late):
            found = self.imported(value.base, value.name)
            return Unknown() if isinstance(found, Late) else found
        return value

    def unknown(self, node: ast.expr | None, env: Env) -> Unknown:
        """Return an unknown that remembers how it was written."""
        return Unknown(env.module.source(node) if node is not None and hasattr(node, "lineno") else "")

    def name(self, node: ast.Name, env: Env) -> Any:
        """Evaluate an expression: name."""
        scope: Env | None = env
        while scope is not None:
            if node.id in scope.names and (scope is env or not scope.is_class):
                return scope.names[node.id]
            scope = scope.parent
        return External(f"builtins.{node.id}") if node.id in KNOWN else Unknown(node.id)

    def attribute(self, node: ast.Attribute, env: Env) -> Any:
        """Evaluate an expression: attribute."""
        value = self.get(self.eval(node.value, env), node.attr)
        return self.unknown(node, env) if value is MISSING else value

    def get(self, value: Any, name: str) -> Any:
        """Return an attribute of a value."""
        value = self.settle(value)
        if isinstance(value, External):
            return External(
                f"{value.dotted}.{name}"
                if value.args == () and not value.kwargs
                else f"{value.dotted}().{name}"
            )
        if isinstance(value, ModuleObject):
            top = self.load(value.name)
            return (
                self.settle(self.imported(value.name, name))
                if top
                else self.module_value(f"{value.name}.{name}")
            )
        if isinstance(value, Instance | Node):
            return self._member(value, name)
        if isinstance(value, Class):
            return self._class_member(value, name)
        if isinstance(value, Super):
            found = value.cls.find(name, after=value.cls)
            return Bound(value.target, found) if isinstance(found, Function) else Bound(value.target, name)
        if isinstance(value, Function | ClassView):
            own = value.attrs.get(name, MISSING) if isinstance(value, Function) else MISSING
            return value.name if name == "__name__" else own
        if isinstance(value, PLAIN) and name in PURE and hasattr(value, name):
            return getattr(value, name)
        return Bound(value, name) if isinstance(value, Unknown) else MISSING

    def _member(self, value: Instance | Node, name: str) -> Any:
        if name in value.attrs:
            return value.attrs[name]
        found = value.cls.find(name) if value.cls is not None else None
        if isinstance(found, Function) and found.owner is not None:
            return self._method(found, value)
        if found is not None:
            return found
        if isinstance(value, Node):
            plain = {"name": value.name, "url_prefix": value.prefix, "import_name": value.name}
            return plain[name] if name in plain else Bound(value, name)
        return Bound(value, name) if value.cls.external() else Unknown(name)

    def _method(self, found: Function, value: Instance | Node) -> Any:
        marks = {
            getattr(mark, "id", getattr(mark, "attr", ""))
            for mark in getattr(found.node, "decorator_list", [])
        }
        if marks & {"property", "cached_property"}:
            return self.enter(found, [value], {})
        return (
            found
            if "staticmethod" in marks
            else Bound(value if "classmethod" not in marks else value.cls, found)
        )

    def _class_member(self, value: Class, name: str) -> Any:
        if name in {"__name__", "__qualname__"}:
            return value.node.name
        if name == "__doc__":
            return ast.get_docstring(value.node) or ""
        found = value.find(name)
        if isinstance(found, Function):
            marks = {getattr(mark, "id", "") for mark in getattr(found.node, "decorator_list", [])}
            return Bound(value, found) if "classmethod" in marks else found
        return found if found is not None else Bound(value, name)

    def call_(self, node: ast.Call, env: Env) -> Any:
        """Evaluate an expression: call."""
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return self._super(env)
        target = self.eval(node.func, env)
        args: list[Any] = []
        for arg in node.args:
            if isinstance(arg, ast.Starred):
                value = self.eval(arg.value, env)
                args.extend(value if isinstance(value, list | tuple) else [])
            else:
                args.append(self.eval(arg, env))
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.eval(keyword.value, env)
            if keyword.arg is not None:
                kwargs[keyword.arg] = value
            elif isinstance(value, dict):
                kwargs.update({str(key): item for key, item in value.items()})
        return self.call(target, args, kwargs, node, env)

    def _super(self, env: Env) -> Any:
        scope: Env | None = env
        while scope is not None and scope.owner is None:
            scope = scope.parent
        if scope is None or scope.owner is None:
            return Unknown()
        return Super(scope.owner, next(iter(scope.names.values()), Unknown()))

    def call(self, target: Any, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env) -> Any:
        """Return what calling ``target`` gives."""
        if isinstance(target, Function):
            return self.follow(target, args, kwargs)
        if isinstance(target, Class):
            return self.construct(target, args, kwargs, node, env)
        if isinstance(target, External):
            return self.external(target, args, kwargs, node, env)
        if isinstance(target, Bound):
            return self._bound(target, args, kwargs, node, env)
        if isinstance(target, Instance):
            method = target.cls.find("__call__")
            return self.follow(method, [target, *args], kwargs) if isinstance(method, Function) else Unknown()
        if callable(target) and not isinstance(target, type):
            return quiet(target, args, kwargs)
        return self.passed(args)

    def _bound(self, bound: Bound, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env) -> Any:
        if isinstance(bound.function, Function):
            return self.follow(bound.function, [bound.target, *args], kwargs)
        if bound.function == "partial":
            return self.call(bound.target, [*bound.args, *args], {**bound.kwargs, **kwargs}, node, env)
        if bound.function == "wraps":
            return _standing_before(bound.target, args)
        if isinstance(bound.target, Node):
            return self.native(
                bound.target, bound.function, [*bound.args, *args], {**bound.kwargs, **kwargs}, node, env
            )
        return self.guess(
            bound.target, bound.function, [*bound.args, *args], {**bound.kwargs, **kwargs}, node, env
        )

    def passed(self, args: list[Any]) -> Any:
        """Take a call to something unknown with a view first for a wrapper of that view."""
        first = args[0] if args else None
        return first if isinstance(first, Function | ClassView | Class | Bound) else Unknown()

    def follow(self, function: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Run a function of the project if it can matter; otherwise take it for a wrapper."""
        nodes = any(isinstance(arg, Node) for arg in (*args, *kwargs.values()))
        small = (
            len(getattr(function.node, "body", [])) <= 3
            if not isinstance(function.node, ast.Lambda)
            else True
        )
        if not (nodes or small or id(function.node) in self.interest.hot):
            return self.passed(args)
        key = _key(function, args, kwargs)
        if key is not None and key in self.memo:
            return self.memo[key]
        matters = nodes or any(isinstance(arg, Function | Class | ClassView) for arg in args)
        self.times[id(function.node)] = count = self.times.get(id(function.node), 0) + 1
        if count > (MAX_TIMES if matters else MAX_IDLE):
            return self.passed(args)
        result = self.enter(function, args, kwargs)
        if key is not None:
            self.memo[key] = result
        return result

    def enter(self, function: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Run a function's body with its arguments bound."""
        if self.depth > MAX_DEPTH or self.running.count(id(function.node)) >= MAX_RECURSION:
            return Unknown()
        self.entered.add(id(function.node))
        self.running.append(id(function.node))
        env = Env(function.env.module, function.env, owner=function.owner)
        self._arguments(function, args, dict(kwargs), env)
        self.depth += 1
        if isinstance(function.node, ast.Lambda):
            env.returned.append(self.eval(function.node.body, env))
        else:
            self.body(function.node.body, env)
        self.depth -= 1
        self.running.pop()
        known = [value for value in env.returned if value is not None and not isinstance(value, Unknown)]
        return known[0] if known else env.returned[0] if env.returned else None

    def _arguments(self, function: Function, args: list[Any], kwargs: dict[str, Any], env: Env) -> None:
        spec = function.node.args
        plain = [*spec.posonlyargs, *spec.args]
        defaults = dict(
            zip([arg.arg for arg in plain[len(plain) - len(spec.defaults) :]], spec.defaults, strict=True)
        )
        defaults.update(
            {a.arg: d for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if d is not None}
        )
        for arg, value in zip(plain, args, strict=False):
            env.names[arg.arg] = value
        for arg in (*plain[len(args) :], *spec.kwonlyargs):
            if arg.arg in kwargs:
                env.names[arg.arg] = kwargs.pop(arg.arg)
            elif arg.arg in defaults:
                env.names[arg.arg] = self.eval(defaults[arg.arg], function.env)
            else:
                env.names[arg.arg] = Unknown(arg.arg, parameter=True)
        if spec.vararg:
            env.names[spec.vararg.arg] = tuple(args[len(plain) :])
        if spec.kwarg:
            env.names[spec.kwarg.arg] = kwargs

    def put(self, target: ast.expr, value: Any, env: Env) -> None:
        """Assign a value to a target."""
        if isinstance(target, ast.Name):
            self.bind(target.id, value, env)
        elif isinstance(target, ast.Tuple | ast.List):
            parts = list(value) if isinstance(value, list | tuple) else []
            for index, part in enumerate(target.elts):
                inner = part.value if isinstance(part, ast.Starred) else part
                self.put(inner, parts[index] if index < len(parts) else Unknown(), env)
        elif isinstance(target, ast.Attribute):
            holder = view_of(self.eval(target.value, env))
            if isinstance(holder, Instance | Node | Class | Function):
                holder.attrs[target.attr] = value
        elif isinstance(target, ast.Subscript):
            self._store(self.eval(target.value, env), self.eval(target.slice, env), value, target, env)

    def _store(self, holder: Any, key: Any, value: Any, node: ast.Subscript, env: Env) -> None:
        if isinstance(holder, dict) and isinstance(key, str | int):
            holder[key] = value
        elif (
            isinstance(holder, Bound) and isinstance(holder.target, Node) and isinstance(holder.function, str)
        ):
            self.native(holder.target, f"{holder.function}[]", [key, value], {}, node, env)

    def decorate(
        self, value: Any, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, env: Env
    ) -> Any:
        """Return a function or class as its decorators leave it: a wrapper still counts as what it wraps."""
        for decorator in reversed(node.decorator_list):
            if isinstance(decorator, ast.Name) and decorator.id in {
                "property",
                "staticmethod",
                "classmethod",
            }:
                continue
            result = self.call(self.eval(decorator, env), [value], {}, decorator, env)
            if isinstance(result, Function) and result is not value and isinstance(value, Function):
                value.attrs.update(result.attrs)
        return value

    def string(self, node: ast.JoinedStr, env: Env) -> Any:
        """Evaluate an expression: string."""
        parts = []
        for part in node.values:
            if isinstance(part, ast.Constant):
                parts.append(str(part.value))
                continue
            value = self.eval(part.value, env) if isinstance(part, ast.FormattedValue) else None
            plain = isinstance(value, str | int)
            parts.append(str(value) if plain else "{" + env.module.source(getattr(part, "value", part)) + "}")
        return "".join(parts)

    def binary(self, node: ast.BinOp, env: Env) -> Any:
        """Evaluate an expression: binary."""
        left, right = self.eval(node.left, env), self.eval(node.right, env)
        act = OPERATORS.get(node.op.__class__)
        if act is None:
            return Unknown()
        if isinstance(left, Unknown | External | Bound) and isinstance(right, str):
            left = "{" + env.module.source(node.left) + "}" if hasattr(node.left, "lineno") else left
        if (
            isinstance(right, Unknown | External | Bound)
            and isinstance(left, str)
            and isinstance(node.op, ast.Add)
        ):
            right = "{" + env.module.source(node.right) + "}"
        return quiet(act, [left, right], {}) if isinstance(left, PLAIN) else Unknown()

    def either(self, node: ast.BoolOp, env: Env) -> Any:
        """Evaluate an expression: either."""
        value: Any = Unknown()
        for part in node.values:
            value = self.eval(part, env)
            if isinstance(value, Unknown | External):
                continue
            if bool(value) is isinstance(node.op, ast.Or):
                return value
        return value

    def inverted(self, node: ast.UnaryOp, env: Env) -> Any:
        """Evaluate an expression: inverted."""
        value = self.eval(node.operand, env)
        return not value if isinstance(node.op, ast.Not) and isinstance(value, PLAIN) else Unknown()

    def compare(self, node: ast.Compare, env: Env) -> Any:
        """Evaluate an expression: compare."""
        left, right = self.eval(node.left, env), self.eval(node.comparators[0], env)
        act = COMPARISONS.get(node.ops[0].__class__)
        if (
            act is None
            or len(node.ops) > 1
            or isinstance(left, Unknown | External)
            or isinstance(right, Unknown | External)
        ):
            return Unknown()
        return quiet(act, [left, right], {})

    def conditional(self, node: ast.IfExp, env: Env) -> Any:
        """Evaluate an expression: conditional."""
        known = self.truth(node.test, env)
        if known is not None:
            return self.eval(node.body if known else node.orelse, env)
        first, second = self.eval(node.body, env), self.eval(node.orelse, env)
        return second if isinstance(first, Unknown) or first is None else first

    def sequence(self, node: ast.List | ast.Tuple | ast.Set, env: Env) -> Any:
        """Evaluate an expression: sequence."""
        values: list[Any] = []
        for part in node.elts:
            if isinstance(part, ast.Starred):
                inner = self.eval(part.value, env)
                values.extend(inner if isinstance(inner, list | tuple | set) else [])
            else:
                values.append(self.eval(part, env))
        return tuple(values) if isinstance(node, ast.Tuple) else values

    def mapping(self, node: ast.Dict, env: Env) -> Any:
        """Evaluate an expression: mapping."""
        result: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            content = self.eval(value, env)
            if key is None:
                result.update(content if isinstance(content, dict) else {})
                continue
            name = self.eval(key, env)
            if quiet(hash, [name], {}).__class__ is int:
                result[name] = content
        return result

    def subscript(self, node: ast.Subscript, env: Env) -> Any:
        """Evaluate an expression: subscript."""
        value = self.eval(node.value, env)
        if isinstance(node.slice, ast.Slice) or isinstance(value, Unknown | External):
            return self.unknown(node, env)
        key = self.eval(node.slice, env)
        plain = isinstance(value, list | tuple | dict | str) and isinstance(key, str | int)
        found = quiet(operator.getitem, [value, key], {}) if plain else MISSING
        return self.unknown(node, env) if found is MISSING or isinstance(found, Unknown) else found

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, env: Env
    ) -> Any:
        """Evaluate an expression: comprehension."""
        inner = Env(env.module, env)
        first = node.generators[0]
        found: list[Any] = []
        for value in self.elements(self.eval(first.iter, env)) if len(node.generators) == 1 else []:
            self.put(first.target, value, inner)
            if any(self.truth(test, inner) is False for test in first.ifs):
                continue
            if isinstance(node, ast.DictComp):
                found.append((self.eval(node.key, inner), self.eval(node.value, inner)))
            else:
                found.append(self.eval(node.elt, inner))
        return quiet(dict, [found], {}) if isinstance(node, ast.DictComp) else found

    def lambda_(self, node: ast.Lambda, env: Env) -> Any:
        """Evaluate an expression: lambda."""
        return Function(node, env)

    def constant(self, node: ast.Constant, env: Env) -> Any:  # noqa: ARG002 -- a handler of expressions
        """Evaluate an expression: constant."""
        return node.value

    def walrus(self, node: ast.NamedExpr, env: Env) -> Any:
        """Evaluate an expression: walrus."""
        value = self.eval(node.value, env)
        self.put(node.target, value, env)
        return value

    def awaited(self, node: ast.Await, env: Env) -> Any:
        """Evaluate an expression: awaited."""
        return self.eval(node.value, env)


def _standing_before(view: Any, args: list[Any]) -> Any:
    """Return the function that ``functools.wraps(view)`` is called with, which from then on goes by the view's name."""
    made = args[0] if args else Unknown()
    if isinstance(made, Function) and isinstance(view, Function | ClassView) and made is not view:
        made.wraps = view
    return made


def _key(function: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
    every = [*args, *kwargs.values()]
    if any(isinstance(value, Unknown | list | dict | set) for value in every):
        return None
    parts = tuple(value if isinstance(value, str | int) else id(value) for value in every)
    return (id(function.node), id(function.env), parts, tuple(kwargs))


_EXPRESSIONS: dict[type, Callable[..., Any]] = {
    ast.Name: Evaluator.name, ast.Attribute: Evaluator.attribute, ast.Call: Evaluator.call_,
    ast.Constant: Evaluator.constant, ast.JoinedStr: Evaluator.string, ast.BinOp: Evaluator.binary,
    ast.BoolOp: Evaluator.either, ast.UnaryOp: Evaluator.inverted, ast.Compare: Evaluator.compare,
    ast.IfExp: Evaluator.conditional, ast.List: Evaluator.sequence, ast.Tuple: Evaluator.sequence,
    ast.Set: Evaluator.sequence, ast.Dict: Evaluator.mapping, ast.Subscript: Evaluator.subscript,
    ast.ListComp: Evaluator.comprehension, ast.SetComp: Evaluator.comprehension,
    ast.GeneratorExp: Evaluator.comprehension, ast.DictComp: Evaluator.comprehension, ast.Lambda: Evaluator.lambda_,
    ast.NamedExpr: Evaluator.walrus, ast.Await: Evaluator.awaited,
}  # fmt: skip
