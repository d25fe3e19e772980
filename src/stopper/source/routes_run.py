"""Run the parts of a project that register routes, on paper: known values are followed, unknown ones go both ways.

Nothing of the project is executed. A module's body runs once, a function when it is called with what it is called with; loops
over known lists run for each element; of an ``if`` whose test is not known both branches run, so that a registration behind a
switch counts. Approximated: exceptions (handlers do not run), ``while`` (once), generators, and everything dynamic.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from stopper.source.module import Module
from stopper.source.routes_objects import (
    Class,
    ClassView,
    Env,
    External,
    Function,
    Instance,
    ModuleObject,
    Node,
    Unknown,
)
from stopper.source.stars import FLASK

NEXT, RETURN, LEAVE = "next", "return", "leave"
MAX_STEPS = 1_500_000
MAX_LOOP = 500
MAX_IMPORTS = 100
"""How many modules may import one another in a chain; Python itself ends at about 160."""
TOO_DEEP = "imports or calls nest too deeply here to follow what registers routes"
MISSING = object()


class Runner:
    """Run statements. Expressions are left to ``Evaluator``, which builds on this class."""

    def __init__(self, modules: dict[str, Module]) -> None:
        """Take the modules of the project by their dotted name."""
        self.modules = modules
        self.packages = above(modules)
        self.envs: dict[str, Env] = {}
        self.steps = 0
        self.depth = 0
        self.importing = 0
        self.entered: set[int] = set()
        self.running: list[int] = []
        self.cut: dict[str, str] = {}
        """What was not followed to the end, a file, or a file and a function, and why."""
        self.refused: list[str] = []
        """The modules that stood too deep in a chain of imports when they were asked for."""

    def load(self, name: str) -> Env | None:
        """Run a module's body, unless it ran before, and return its names; None for one that stands too deep in a chain of imports."""
        module = self.modules.get(name)
        if module is None:
            return None
        if name not in self.envs and self.importing >= MAX_IMPORTS:
            self.refused.append(name)
            return None
        if name not in self.envs:
            env = self.envs[name] = Env(module, None, {"__name__": name})
            depth, self.depth = self.depth, 0
            self.importing += 1
            self.body(module.tree.body, env)
            self.importing -= 1
            self.depth = depth
        return self.envs[name]

    def start(self, what: str, work: Callable[[], object]) -> None:
        """Do a piece of work that nothing else waits for, and note where it could not be done to the end."""
        try:
            work()
        except RecursionError:
            self.cut[what] = TOO_DEEP
        except Exception as error:  # noqa: BLE001 - what fails in one place must not hide the routes of the others
            self.cut[what] = (
                f"following what registers routes failed: {type(error).__name__}: {error}; please report it"
            )
        else:
            return
        self.depth = self.importing = 0
        self.running.clear()

    def body(self, statements: Iterable[ast.stmt], env: Env) -> str:
        """Run statements until one leaves; return how the block ended."""
        for statement in statements:
            self.steps += 1
            if self.steps > MAX_STEPS:
                return LEAVE
            method = _STATEMENTS.get(statement.__class__)
            signal = method(self, statement, env) if method else NEXT
            if signal != NEXT:
                return signal
        return NEXT

    def eval(self, node: ast.expr | None, env: Env) -> Any:
        """Return the value of an expression."""
        raise NotImplementedError

    def call(self, target: Any, args: list[Any], kwargs: dict[str, Any], node: ast.AST, env: Env) -> Any:
        """Return what calling ``target`` gives."""
        raise NotImplementedError

    def get(self, value: Any, name: str) -> Any:
        """Return an attribute of a value."""
        raise NotImplementedError

    def put(self, target: ast.expr, value: Any, env: Env) -> None:
        """Assign a value to a target."""
        raise NotImplementedError

    def decorate(
        self, value: Any, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, env: Env
    ) -> Any:
        """Return a function or class as its decorators leave it."""
        raise NotImplementedError

    def bind(self, name: str, value: Any, env: Env) -> None:
        """Bind a name in the scope it belongs to."""
        (env.top if name in env.globals else env).names[name] = value

    def expression(self, node: ast.Expr, env: Env) -> str:
        """Run a statement: expression."""
        self.eval(node.value, env)
        return NEXT

    def assign(self, node: ast.Assign, env: Env) -> str:
        """Run a statement: assign."""
        value = self.eval(node.value, env)
        for target in node.targets:
            self.put(target, value, env)
        return NEXT

    def annotated(self, node: ast.AnnAssign, env: Env) -> str:
        """Run a statement: annotated."""
        if node.value is not None:
            self.put(node.target, self.eval(node.value, env), env)
        return NEXT

    def augmented(self, node: ast.AugAssign, env: Env) -> str:
        """Run a statement: augmented."""
        as_load = ast.copy_location(ast.BinOp(_loaded(node.target), node.op, node.value), node)
        self.put(node.target, self.eval(as_load, env), env)
        return NEXT

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, env: Env) -> str:
        """Run a statement: function."""
        value = Function(node, env, env.owner if env.is_class else None)
        self.bind(node.name, self.decorate(value, node, env), env)
        return NEXT

    def class_(self, node: ast.ClassDef, env: Env) -> str:
        """Run a statement: class."""
        bases = tuple(self.eval(base, env) for base in node.bases if not isinstance(base, ast.Starred))
        inner = Env(env.module, env, is_class=True)
        value = Class(node, env, bases, inner.names)
        inner.owner = value
        self.body(node.body, inner)
        self.bind(node.name, self.decorate(value, node, env), env)
        return NEXT

    def import_(self, node: ast.Import, env: Env) -> str:
        """Run a statement: import."""
        for alias in node.names:
            full = self.nearest(alias.name, env.module)
            dotted = alias.name if alias.asname else alias.name.partition(".")[0]
            self.load(full)
            inside = full if alias.asname else full.removesuffix(alias.name.removeprefix(dotted))
            self.bind(alias.asname or dotted, self.module_value(inside), env)
        return NEXT

    def import_from(self, node: ast.ImportFrom, env: Env) -> str:
        """Run a statement: import from."""
        base = self.nearest(_absolute(env.module, node.module or "", node.level), env.module)
        top = self.load(base)
        for alias in node.names:
            if alias.name == "*":
                if top is not None and top is not env:
                    env.names.update(
                        {key: value for key, value in top.names.items() if not key.startswith("_")}
                    )
                for name in FLASK if base == "flask" else ():
                    self.bind(name, self.imported(base, name), env)
                continue
            self.bind(alias.asname or alias.name, self.imported(base, alias.name), env)
        return NEXT

    def nearest(self, name: str, near: Module) -> str:
        """Return the full name of a module that is imported from a folder above, which need not be the target itself."""
        parts = near.name.split(".")
        for length in range(len(parts), -1, -1):
            full = ".".join([*parts[:length], name])
            if full in self.modules and (near.is_package or full != near.name):
                return full if name not in self.modules else name
        return name

    def imported(self, base: str, name: str) -> Any:
        """Return what ``from base import name`` gives."""
        top = self.envs.get(base)
        if top is not None and name in top.names:
            return top.names[name]
        dotted = f"{base}.{name}" if base else name
        if dotted in self.modules:
            self.load(dotted)
            return ModuleObject(dotted)
        if top is not None:
            return Late(base, name)
        return self.module_value(dotted)

    def module_value(self, dotted: str) -> Any:
        """Return a module of the project, or something of another package."""
        inside = dotted in self.modules or dotted in self.packages
        return ModuleObject(dotted) if inside else External(dotted)

    def if_(self, node: ast.If, env: Env) -> str:
        """Run a statement: if."""
        known = self.truth(node.test, env)
        if known is not None:
            return self.body(node.body if known else node.orelse, env)
        first = self.body(node.body, env)
        second = self.body(node.orelse, env)
        return RETURN if first == second == RETURN else NEXT

    def truth(self, test: ast.expr, env: Env) -> bool | None:
        """Return whether a test holds, ``None`` where it depends on how the app is configured."""
        value = self.eval(test, env)
        bare = test.operand if isinstance(test, ast.UnaryOp) else test
        if isinstance(value, Unknown | External) or _is_main(test):
            return None
        if isinstance(value, Node | Function | Class | ClassView | Instance | ModuleObject):
            return True
        switch = isinstance(bare, ast.Attribute) or (isinstance(bare, ast.Name) and bare.id not in env.names)
        return None if switch or value is MISSING else bool(value)

    def try_(self, node: ast.Try, env: Env) -> str:
        """Run a statement: try."""
        signal = self.body([*node.body, *node.orelse], env)
        self.body(node.finalbody, env)
        return signal

    def with_(self, node: ast.With | ast.AsyncWith, env: Env) -> str:
        """Run a statement: with."""
        for item in node.items:
            value = self.eval(item.context_expr, env)
            if item.optional_vars is not None:
                self.put(item.optional_vars, value, env)
        return self.body(node.body, env)

    def for_(self, node: ast.For | ast.AsyncFor, env: Env) -> str:
        """Run a statement: for."""
        for value in self.elements(self.eval(node.iter, env)):
            self.put(node.target, value, env)
            if self.body(node.body, env) == RETURN:
                return RETURN
        return self.body(node.orelse, env)

    def elements(self, value: Any) -> list[Any]:
        """Return the elements of an iterable; one unknown element for an unknown one."""
        if isinstance(value, list | tuple | set | frozenset | dict | str | range):
            return list(value)[:MAX_LOOP]
        return [Unknown()]

    def while_(self, node: ast.While, env: Env) -> str:
        """Run a statement: while."""
        signal = self.body(node.body, env)
        return signal if signal == RETURN else NEXT

    def match(self, node: ast.Match, env: Env) -> str:
        """Run a statement: match."""
        for case in node.cases:
            self.body(case.body, env)
        return NEXT

    def return_(self, node: ast.Return, env: Env) -> str:
        """Run a statement: return."""
        env.returned.append(self.eval(node.value, env) if node.value is not None else None)
        return RETURN

    def leave(self, node: ast.stmt, env: Env) -> str:  # noqa: ARG002 -- a handler of statements
        """Run a statement: leave."""
        return LEAVE

    def global_(self, node: ast.Global, env: Env) -> str:
        """Run a statement: global."""
        env.globals.update(node.names)
        return NEXT


class Late:
    """Stand for a name imported from a module that is still being run."""

    __slots__ = ("base", "name")

    def __init__(self, base: str, name: str) -> None:
        """Remember where to look when the name is used."""
        self.base = base
        self.name = name


def above(names: Iterable[str]) -> set[str]:
    """Return the dotted names of the packages that hold what the names given stand for."""
    found: set[str] = set()
    for name in names:
        package = name.rpartition(".")[0]
        while package and package not in found:
            found.add(package)
            package = package.rpartition(".")[0]
    return found


def _absolute(module: Module, name: str, level: int) -> str:
    if not level:
        return name
    parts = module.package.split(".") if module.package else []
    parts = parts[: len(parts) - level + 1]
    return ".".join([*parts, name] if name else parts)


def _loaded(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    return target


def _is_main(test: ast.expr) -> bool:
    return any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(test))


_STATEMENTS: dict[type, Callable[..., str]] = {
    ast.Expr: Runner.expression,
    ast.Assign: Runner.assign,
    ast.AnnAssign: Runner.annotated,
    ast.AugAssign: Runner.augmented,
    ast.FunctionDef: Runner.function,
    ast.AsyncFunctionDef: Runner.function,
    ast.ClassDef: Runner.class_,
    ast.Import: Runner.import_,
    ast.ImportFrom: Runner.import_from,
    ast.If: Runner.if_,
    ast.Try: Runner.try_,
    ast.TryStar: Runner.try_,
    ast.With: Runner.with_,
    ast.AsyncWith: Runner.with_,
    ast.For: Runner.for_,
    ast.AsyncFor: Runner.for_,
    ast.While: Runner.while_,
    ast.Match: Runner.match,
    ast.Return: Runner.return_,
    ast.Raise: Runner.leave,
    ast.Continue: Runner.leave,
    ast.Break: Runner.leave,
    ast.Global: Runner.global_,
}
