"""Read the settings that Python code gives an app: items, calls on ``app.config``, attributes, classes and files it loads."""

from __future__ import annotations

import ast
import json
import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Any

from stopper.finding import Location
from stopper.records import dataclass, field
from stopper.source.branches import ANY, DEVELOPMENT, TESTING, Branches
from stopper.source.code import Code, Expr
from stopper.source.files import Role, SourceFile, Tree
from stopper.source.module import Bound, CallNode, Kind, Module, Scope, parameters, read
from stopper.source.names import RefKind
from stopper.source.settings_model import (
    Setting,
    Variable,
    constant,
    environment_of,
)

ATTRIBUTES = {
    "secret_key": "SECRET_KEY", "debug": "DEBUG", "testing": "TESTING", "use_x_sendfile": "USE_X_SENDFILE",
    "permanent_session_lifetime": "PERMANENT_SESSION_LIFETIME", "session_cookie_name": "SESSION_COOKIE_NAME",
    "send_file_max_age_default": "SEND_FILE_MAX_AGE_DEFAULT", "env": "ENV",
}  # fmt: skip
"""Attributes of an app that are settings."""

_CONFIGS = frozenset(["flask.Flask().config", "flask.Config()", "flask.config.Config()"])
"""An app's settings, and settings gathered for an app that is made later."""
_APPS = frozenset(["app", "application", "current_app", "flask_app"])
_LOADERS = (
    "from_object",
    "from_pyfile",
    "from_file",
    "from_json",
    "from_envvar",
    "from_prefixed_env",
    "update",
    "from_mapping",
    "setdefault",
)
_MAX_DEPTH = 6


@dataclass
class Loaded:
    """What was read."""

    settings: list[Setting] = field(default_factory=list)
    unreadable: list[Location] = field(default_factory=list)
    prefixes: set[str] = field(default_factory=set)
    """Prefixes given to ``from_prefixed_env``, with their underscore."""


def load(tree: Tree, code: Code, variables: Iterable[Variable]) -> Loaded:
    """Read the settings of every module; a test's settings are marked as such."""
    reader = _Reader(tree, code, {one.name: one.value for one in variables})
    for module in code.modules:
        reader.branches = Branches(module)
        for target, value, scope in module.stores:
            reader.store(target, value, scope)
        for name in _LOADERS:
            for site in module.calls.get(name, ()):
                if isinstance(site.node.func, ast.Attribute) and reader.is_config(
                    site.node.func.value, site.scope
                ):
                    reader.call(name, site)
    return reader.found


class _Reader:
    def __init__(self, tree: Tree, code: Code, variables: dict[str, str]) -> None:
        self.tree = tree
        self.code = code
        self.variables = variables
        self.found = Loaded()
        self.branches: Branches

    def is_app(self, node: ast.expr, scope: Scope) -> bool:
        name = self.code.names.name(node, scope)
        if name is not None:
            return name == "flask.Flask()"
        last = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        return last in _APPS

    def is_config(self, node: ast.expr, scope: Scope) -> bool:
        if isinstance(node, ast.Attribute):
            return node.attr == "config" and self.is_app(node.value, scope)
        return isinstance(node, ast.Name) and self.code.names.name(node, scope) in _CONFIGS

    def place(self, node: ast.AST, scope: Scope) -> tuple[str, bool, tuple[str, str, int]]:
        """Return the environment, whether a branch decides, and the order of a statement."""
        environment, conditional = self.branches.of(node)
        function = scope.function
        if scope.module.role is Role.TEST or (
            function is not None and environment_of(function.name) == TESTING
        ):
            environment = TESTING
        elif scope.module.role is Role.DOCS and environment == ANY:
            environment = DEVELOPMENT
        return environment, conditional, (scope.module.path, scope.qualname, getattr(node, "lineno", 0))

    def add(
        self, key: str, value: ast.expr, scope: Scope, how: str, at: ast.AST, load: ast.AST | None = None
    ) -> None:
        environment, conditional, order = self.place(load or at, scope)
        expr = Expr(value, scope, self.code.names)
        where = scope.module.location(at)
        self.found.settings.append(
            Setting(key, expr.value, where, environment, how, where.path, expr, order, conditional)
        )

    def store(self, target: ast.expr, value: ast.expr, scope: Scope) -> None:
        if isinstance(target, ast.Subscript) and self.is_config(target.value, scope):
            key = Expr(target.slice, scope, self.code.names).value
            if isinstance(key.constant, str):
                self.add(key.constant, value, scope, "app.config[]", _span(target, value), target)
        elif (
            isinstance(target, ast.Attribute)
            and target.attr in ATTRIBUTES
            and self.is_app(target.value, scope)
        ):
            self.add(ATTRIBUTES[target.attr], value, scope, "attribute", _span(target, value), target)

    def call(self, name: str, site: CallNode) -> None:
        first = site.node.args[0] if site.node.args else None
        if name in {"update", "from_mapping"}:
            self.mapping(name, site, first)
        elif name == "setdefault" and first is not None and len(site.node.args) > 1:
            key = Expr(first, site.scope, self.code.names).value.constant
            if isinstance(key, str):
                self.add(key, site.node.args[1], site.scope, name, site.node)
        elif name == "from_object":
            self.objects(site, first)
        elif name == "from_envvar":
            self.unreadable(site)
        elif name == "from_prefixed_env":
            prefix = first or next((k.value for k in site.node.keywords if k.arg == "prefix"), None)
            given: object = prefix.value if isinstance(prefix, ast.Constant) else "FLASK"
            self.found.prefixes.add(f"{given}_")
        elif name in {"from_pyfile", "from_file", "from_json"}:
            self.file(name, site, first)

    def unreadable(self, site: CallNode) -> None:
        environment, _, _ = self.place(site.node, site.scope)
        if environment not in {TESTING, DEVELOPMENT}:
            self.found.unreadable.append(site.scope.module.location(site.node))

    def mapping(self, how: str, site: CallNode, first: ast.expr | None) -> None:
        for keyword in site.node.keywords:
            if keyword.arg is not None:
                self.add(keyword.arg, keyword.value, site.scope, how, keyword, site.node)
        if first is None:
            return
        node, scope = self.display(first, site.scope)
        pairs = list(_pairs(node)) if node is not None else []
        for key, value in pairs:
            self.add(key, value, scope, how, value, site.node if scope is site.scope else None)
        if node is None and not (
            isinstance(first, ast.BoolOp) or environment_of(ast.unparse(first)) == TESTING
        ):
            self.unreadable(site)

    def display(self, node: ast.expr, scope: Scope) -> tuple[ast.expr | None, Scope]:
        """Return the dict display that an expression is, or that the name it is was given."""
        for _ in range(_MAX_DEPTH):
            if isinstance(node, ast.Dict) or (isinstance(node, ast.Call) and _name(node.func) == "dict"):
                return node, scope
            found = self.code.names.lookup(node.id, scope) if isinstance(node, ast.Name) else None
            value = found[1][-1].value if found and found[1] else None
            if found is None or value is None or value is node or found[1][-1].how is not Bound.ASSIGN:
                return None, scope
            node, scope = value, found[0]
        return None, scope

    def objects(self, site: CallNode, argument: ast.expr | None) -> None:
        chosen = list(self.configurations(argument, site.scope, 0)) if argument is not None else []
        for scope, environment in chosen:
            self.configuration(scope, environment, site)
        if not chosen:
            self.unreadable(site)

    def configurations(self, node: ast.expr, scope: Scope, depth: int) -> Iterator[tuple[Scope, str]]:
        """Yield the classes or modules an expression may stand for, each with its environment."""
        if depth > _MAX_DEPTH:
            return
        if isinstance(node, ast.Name) and node.id == "__name__":
            yield scope.module.scope, ANY
            return
        value = Expr(node, scope, self.code.names).value.in_production()
        text = self.variables.get(Expr(node, scope, self.code.names).value.variable, value)
        if isinstance(text, str):
            ref = self.code.names.dotted(text.replace(":", "."))
        elif isinstance(node, ast.JoinedStr | ast.BinOp):
            yield from self.pattern(node)
            return
        else:
            called = node.func if isinstance(node, ast.Call) and not node.args else node
            ref = self.code.names.resolve(called, scope)
        if ref is not None and ref.scope is not None and ref.kind is not RefKind.FUNCTION:
            name = (
                ref.scope.name if ref.scope.kind is Kind.CLASS else ref.scope.module.name.rpartition(".")[2]
            )
            yield ref.scope, environment_of(name)
            return
        yield from self.indirect(node, scope, depth)

    def indirect(self, node: ast.expr, scope: Scope, depth: int) -> Iterator[tuple[Scope, str]]:
        """Follow a dict of configurations, a name that was assigned, and a parameter's default and arguments."""
        holder = node.value if isinstance(node, ast.Subscript) else None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            holder = node.func.value
        if isinstance(node, ast.IfExp | ast.BoolOp):
            for part in (node.body, node.orelse) if isinstance(node, ast.IfExp) else node.values:
                yield from self.configurations(part, scope, depth + 1)
        elif holder is not None:
            yield from self.choices(holder, scope, depth)
        elif isinstance(node, ast.Call) and node.args:
            yield from self.configurations(node.args[0], scope, depth + 1)
        elif isinstance(node, ast.Name):
            yield from self.named(node, scope, depth)

    def choices(self, holder: ast.expr, scope: Scope, depth: int) -> Iterator[tuple[Scope, str]]:
        ref = self.code.names.resolve(holder, scope)
        shown, place = self.display(holder, scope)
        if shown is None and isinstance(holder, ast.Name):
            imported = self.code.names.lookup(holder.id, scope)
            dotted = imported[1][-1].dotted if imported and imported[1] else ""
            shown, place = self.exported(dotted)
        elif shown is None and isinstance(holder, ast.Attribute) and ref is not None:
            shown, place = self.exported(ref.name)
        for key, value in _pairs(shown) if shown is not None and place is not None else ():
            for found, environment in self.configurations(value, place, depth + 1):
                by_key = environment_of(key)
                yield found, by_key if by_key != ANY else environment

    def exported(self, dotted: str) -> tuple[ast.expr | None, Scope]:
        """Return the dict that a module binds to a name."""
        module, _, name = dotted.rpartition(".")
        ref = self.code.names.dotted(module) if module else None
        top = ref.scope if ref is not None and ref.scope is not None else self.code.modules[0].scope
        bound = top.bindings.get(name, [])
        node = bound[-1].value if bound and ref is not None else None
        return (node if isinstance(node, ast.Dict) else None), top

    def named(self, node: ast.Name, scope: Scope, depth: int) -> Iterator[tuple[Scope, str]]:
        looked = self.code.names.lookup(node.id, scope)
        for binding in looked[1] if looked else ():
            if binding.value is not None and binding.how is Bound.ASSIGN and looked:
                yield from self.configurations(binding.value, looked[0], depth + 1)
            elif binding.how is Bound.PARAMETER and looked:
                yield from self.passed(node.id, looked[0], depth)

    def passed(self, name: str, function: Scope, depth: int) -> Iterator[tuple[Scope, str]]:
        args = getattr(function.node, "args", None)
        if not isinstance(args, ast.arguments):
            return
        plain = [*args.posonlyargs, *args.args]
        defaults = dict(
            zip([arg.arg for arg in plain[len(plain) - len(args.defaults) :]], args.defaults, strict=True)
        )
        if name in defaults:
            yield from self.configurations(defaults[name], function, depth + 1)
        position = next((index for index, arg in enumerate(parameters(args)) if arg.arg == name), 99)
        for site in self.code.every_call(function.name):
            given = site.argument(position, name)
            if given is not None and site.module.role is Role.APP:
                yield from self.configurations(given.node, given.scope, depth + 1)

    def pattern(self, node: ast.expr) -> Iterator[tuple[Scope, str]]:
        """Match ``f"config.{name}Config"`` with the classes of the project."""
        parts = [re.escape(str(part.value)) for part in ast.walk(node) if isinstance(part, ast.Constant)]
        wanted = re.compile(
            r"(?:.*\.)?"
            + re.sub(
                r"%s|\\\{\w*\\\}",
                r"\\w+",
                r"\\w+".join(parts) if len(parts) > 1 else parts[0] if parts else "-",
            )
            + r"\w*"
        )
        for module in self.code.modules:
            for scope in module.scopes:
                if scope.kind is Kind.CLASS and module.role is Role.APP and wanted.fullmatch(scope.dotted):
                    yield scope, environment_of(scope.name)

    def configuration(self, scope: Scope, environment: str, site: CallNode) -> None:
        where, conditional, order = self.place(site.node, site.scope)
        settled = where if where != ANY else environment
        for key, (holder, value, node) in self.members(scope, 0).items():
            expr = Expr(value, holder, self.code.names)
            at = holder.module.location(node)
            self.found.settings.append(
                Setting(key, expr.value, at, settled, "from_object", at.path, expr, order, conditional)
            )

    def members(self, scope: Scope, depth: int) -> dict[str, tuple[Scope, ast.expr, ast.AST]]:
        """Return the upper-case names of a class or module, those it inherits included."""
        found: dict[str, tuple[Scope, ast.expr, ast.AST]] = {}
        if scope.kind is Kind.CLASS and depth < _MAX_DEPTH:
            for base in reversed(list(self.code.names.bases(scope))):
                if base.scope is not None:
                    found.update(self.members(base.scope, depth + 1))
        for key, bindings in scope.bindings.items():
            last = next(
                (one for one in reversed(bindings) if one.how is Bound.ASSIGN and one.value is not None), None
            )
            if key.isupper() and last is not None and last.value is not None:
                found[key] = (scope, last.value, last.node)
        return found

    def file(self, how: str, site: CallNode, argument: ast.expr | None) -> None:
        name = (
            Expr(argument, site.scope, self.code.names).value.in_production()
            if argument is not None
            else None
        )
        file = self.near(str(name), site.scope.module) if isinstance(name, str) else None
        if file is None or not self.content(file, how, site):
            self.unreadable(site)

    def near(self, name: str, module: Module) -> SourceFile | None:
        wanted = posixpath.normpath(posixpath.join(module.file.folder, name))
        exact = self.tree.by_path.get(wanted) or self.tree.by_path.get(posixpath.normpath(name))
        ends = "/" + name.lstrip("./")
        return exact or next((one for one in self.tree.files if one.path.endswith(ends)), None)

    def content(self, file: SourceFile, how: str, site: CallNode) -> bool:
        if how == "from_pyfile":
            module = self.code.by_path.get(file.path) or read(file, file.name)
            self.configuration(module.scope, environment_of(file.name), site)
            return True
        import tomllib  # late: few projects are configured so

        try:
            data = (
                tomllib.loads(file.text.content)
                if file.name.endswith(".toml")
                else json.loads(file.text.content)
            )
        except (ValueError, RecursionError):
            return False
        for key, value in data.items() if isinstance(data, dict) else ():
            self.plain(file, str(key), value, how, site)
        return isinstance(data, dict)

    def plain(self, file: SourceFile, key: str, value: Any, how: str, site: CallNode) -> None:
        start = max(file.text.content.find(key), 0)
        at = file.text.location(file.path, start, start + len(key))
        _, conditional, order = self.place(site.node, site.scope)
        environment = environment_of(file.name)
        self.found.settings.append(
            Setting(key, constant(value), at, environment, how, file.path, None, order, conditional)
        )


def _pairs(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value
    elif isinstance(node, ast.Call):
        yield from ((keyword.arg, keyword.value) for keyword in node.keywords if keyword.arg)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _span(target: ast.expr, value: ast.expr) -> ast.AST:
    """Return a node that reaches from the target to the end of the value."""
    span = ast.copy_location(ast.Expr(value), target)
    span.end_lineno, span.end_col_offset = value.end_lineno, value.end_col_offset
    return span
