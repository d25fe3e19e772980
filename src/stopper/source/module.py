"""One Python module as an index: its scopes, what they bind, and every call, found in a single walk."""

from __future__ import annotations

import ast
import enum
from collections.abc import Callable, Iterator

from stopper.finding import Location
from stopper.records import dataclass, field
from stopper.source.files import Role, SourceFile, Text
from stopper.source.syntax import MAX_DEPTH, parse, shut


class Kind(enum.Enum):
    """What kind of scope a scope is."""

    MODULE = enum.auto()
    CLASS = enum.auto()
    FUNCTION = enum.auto()


class Bound(enum.Enum):
    """How a name came to be bound."""

    IMPORT = enum.auto()
    ASSIGN = enum.auto()
    UNPACK = enum.auto()
    AUGMENT = enum.auto()
    WITH = enum.auto()
    LOOP = enum.auto()
    PARAMETER = enum.auto()
    SCOPE = enum.auto()
    OTHER = enum.auto()


@dataclass(slots=True, eq=False)
class Binding:
    """One place where a scope binds a name."""

    how: Bound
    node: ast.AST
    """The binding statement, or the parameter."""
    value: ast.expr | None = None
    """The expression bound (``ASSIGN``, ``AUGMENT``), entered (``WITH``), iterated (``LOOP``) or unpacked."""
    dotted: str = ""
    """The full name that an import binds."""
    scope: Scope | None = None
    """The function or class that a ``def`` or ``class`` statement binds."""
    index: int = -1
    """The position within an unpacked tuple."""


@dataclass(slots=True, eq=False)
class Scope:
    """A module, class or function: a place where names live."""

    kind: Kind
    name: str
    """``<module>`` for a module, ``<lambda>`` for a lambda."""
    node: ast.AST
    parent: Scope | None
    module: Module
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)
    """Names declared ``global`` or ``nonlocal``."""
    returns: list[ast.expr] = field(default_factory=list)
    yields: list[ast.expr] = field(default_factory=list)
    attributes: dict[str, list[Binding]] = field(default_factory=dict)
    """For a class: what its methods assign to ``self.name``."""
    children: list[Scope] = field(default_factory=list)
    words: set[str] = field(default_factory=set)
    """The names of the attributes and of the called functions in what runs when it is called; for a class, also what its body does."""
    bit: int = 0
    """Stands for the parts of the code that it is in, where sets of these are kept as numbers: see ``units``."""

    @property
    def qualname(self) -> str:
        """Return the name within the module: ``Blog.show``, "" for the module itself."""
        if self.parent is None:
            return ""
        outer = self.parent.qualname
        return f"{outer}.{self.name}" if outer else self.name

    @property
    def dotted(self) -> str:
        """Return the full name: ``blog.views.Blog.show``."""
        return f"{self.module.name}.{self.qualname}".rstrip(".")

    @property
    def decorators(self) -> list[ast.expr]:
        """Return the decorators as written, the outermost first."""
        return getattr(self.node, "decorator_list", [])

    @property
    def body(self) -> list[ast.stmt]:
        """Return the statements; empty for a lambda."""
        body = getattr(self.node, "body", [])
        return body if isinstance(body, list) else []

    @property
    def owner(self) -> Scope | None:
        """Return the class of which this scope is a method."""
        return self.parent if self.parent is not None and self.parent.kind is Kind.CLASS else None

    @property
    def function(self) -> Scope | None:
        """Return the innermost function that holds this scope, itself included."""
        scope: Scope | None = self
        while scope is not None and scope.kind is not Kind.FUNCTION:
            scope = scope.parent
        return scope

    def chain(self) -> Iterator[Scope]:
        """Yield the scopes in which Python looks a name up from here: classes are seen only from their own body."""
        yield self
        scope = self.parent
        while scope is not None:
            if scope.kind is not Kind.CLASS:
                yield scope
            scope = scope.parent


@dataclass(slots=True, eq=False)
class CallNode:
    """A call and the scope that makes it."""

    node: ast.Call
    scope: Scope
    decorates: Scope | None = None
    """The function or class that this call decorates."""


@dataclass(eq=False)
class Module:
    """One Python file."""

    file: SourceFile
    name: str
    """Dotted, as the project's own imports name it: ``blog.auth``."""
    is_package: bool
    text: Text = field(repr=False)
    tree: ast.Module = field(repr=False)
    problem: str = ""
    scope: Scope = field(init=False, repr=False)
    scopes: list[Scope] = field(default_factory=list, repr=False)
    """Every function and class, in the order of the file."""
    calls: dict[str, list[CallNode]] = field(default_factory=dict, repr=False)
    """Every call, by the last part of the name called."""
    stores: list[tuple[ast.expr, ast.expr, Scope]] = field(default_factory=list, repr=False)
    """Every assignment to an attribute or a subscript: target, value, scope."""
    imports: list[tuple[str, ast.stmt]] = field(default_factory=list, repr=False)
    """The full name of everything imported, wherever in the file."""
    rebound: dict[str, list[Scope]] = field(default_factory=dict, repr=False)
    """The names that functions declare ``global`` or ``nonlocal``, and these functions."""
    bit: int = 0
    """Stands for all that it holds, where sets of parts of the code are kept as numbers: see ``units``."""
    units: list[tuple[int, int, Scope]] = field(default_factory=list, repr=False)
    """The functions whose bodies are parts of their own, each behind the first and the last line of its body."""

    @property
    def path(self) -> str:
        """Return the file's path relative to the target."""
        return self.file.path

    @property
    def role(self) -> Role:
        """Return what the file is for."""
        return self.file.role

    @property
    def package(self) -> str:
        """Return the dotted name of the package that relative imports start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    def location(self, node: ast.AST) -> Location:
        """Return the span of a node of this module's tree."""
        line = getattr(node, "lineno", 1)
        end_line = getattr(node, "end_lineno", None) or line
        column = self.text.column(line, getattr(node, "col_offset", 0))
        end = getattr(node, "end_col_offset", None)
        return Location(
            self.path, line, column, end_line, self.text.column(end_line, end) if end is not None else 0
        )

    def source(self, node: ast.AST) -> str:
        """Return the text of a node."""
        where = self.location(node)
        if not where.end_column:
            return self.text.line(where.line)
        start = self.text.offset(where.line, where.column)
        return self.text.content[start : self.text.offset(where.end_line, where.end_column)]


def read(file: SourceFile, name: str) -> Module:
    """Parse and index one file. Whatever could not be understood is told in ``problem``."""
    text = file.text
    parsed = parse(text)
    module = Module(file, name, file.name == "__init__.py", text, parsed.tree, parsed.problem)
    try:
        _Indexer(module).run()
    except RecursionError:
        module.problem = "the code is nested too deeply to be read whole"
    return module


class _Indexer:
    """Fill a module's index. One method per kind of node that matters; all others are only walked through."""

    def __init__(self, module: Module) -> None:
        self.module = module
        module.scope = Scope(Kind.MODULE, "<module>", module.tree, None, module)
        self.scope = module.scope
        self.words = module.scope.words
        self.depth = 0

    def run(self) -> None:
        self.children(self.module.tree)

    def visit(self, node: ast.AST) -> None:
        if self.depth >= MAX_DEPTH:
            shut(node)
            self.module.problem = self.module.problem or "the code is nested too deeply to be read whole"
            return
        self.depth += 1
        method = _VISITORS.get(node.__class__)
        if method is None:
            self.children(node)
        else:
            method(self, node)
        self.depth -= 1

    def children(self, node: ast.AST) -> None:
        for value in node.__dict__.values():
            kind = value.__class__
            if kind in _LEAVES:
                continue
            if kind is not list:
                self.visit(value)
                continue
            for item in value:
                if item.__class__ not in _LEAVES:
                    self.visit(item)

    def bind(self, name: str, binding: Binding) -> None:
        self.scope.bindings.setdefault(name, []).append(binding)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        scope = self._open(Kind.FUNCTION, node.name, node)
        self._decorations(node.decorator_list, scope)
        self._defaults(node.args)
        outer, self.words = self.words, scope.words
        self._signature(node.args, scope)
        if node.returns is not None:
            self.visit(node.returns)
        self._inside(scope, node.body)
        self.words = outer
        outer |= scope.words

    def lambda_(self, node: ast.Lambda) -> None:
        scope = Scope(Kind.FUNCTION, "<lambda>", node, self.scope, self.module, returns=[node.body])
        self.scope.children.append(scope)
        self.module.scopes.append(scope)
        self._defaults(node.args)
        outer, self.words = self.words, scope.words
        self._signature(node.args, scope)
        self._inside(scope, [node.body])
        self.words = outer
        outer |= scope.words

    def class_(self, node: ast.ClassDef) -> None:
        scope = self._open(Kind.CLASS, node.name, node)
        outer, self.words = self.words, scope.words
        self._decorations(node.decorator_list, scope)
        for part in (*node.bases, *node.keywords):
            self.visit(part)
        self._inside(scope, node.body)
        self.words = outer
        outer |= scope.words

    def _open(self, kind: Kind, name: str, node: ast.AST) -> Scope:
        scope = Scope(kind, name, node, self.scope, self.module)
        self.scope.children.append(scope)
        self.module.scopes.append(scope)
        self.bind(name, Binding(Bound.SCOPE, node, scope=scope))
        return scope

    def _inside(self, scope: Scope, body: list[ast.stmt] | list[ast.expr]) -> None:
        outer, self.scope = self.scope, scope
        for part in body:
            self.visit(part)
        self.scope = outer

    def _decorations(self, decorators: list[ast.expr], scope: Scope) -> None:
        for decorator in decorators:
            if isinstance(decorator, ast.Call):
                self._call(decorator, scope)
                self.children(decorator)
            else:
                self.visit(decorator)

    def _defaults(self, args: ast.arguments) -> None:
        for default in (*args.defaults, *args.kw_defaults):
            if default is not None:
                self.visit(default)

    def _signature(self, args: ast.arguments, scope: Scope) -> None:
        for arg in parameters(args):
            scope.bindings.setdefault(arg.arg, []).append(Binding(Bound.PARAMETER, arg, arg.annotation))
            self._annotation(arg.annotation)

    def _annotation(self, node: ast.expr | None) -> None:
        if node is not None and node.__class__ not in _LEAVES:
            self.words.update(part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute))

    def import_(self, node: ast.Import) -> None:
        for alias in node.names:
            self.module.imports.append((alias.name, node))
            if alias.asname:
                self.bind(alias.asname, Binding(Bound.IMPORT, node, dotted=alias.name))
            else:
                first = alias.name.partition(".")[0]
                self.bind(first, Binding(Bound.IMPORT, node, dotted=first))

    def import_from(self, node: ast.ImportFrom) -> None:
        base = self._absolute(node.module or "", node.level)
        for alias in node.names:
            dotted = f"{base}.{alias.name}" if base else alias.name
            self.module.imports.append((dotted, node))
            self.bind(alias.asname or alias.name, Binding(Bound.IMPORT, node, dotted=dotted))

    def _absolute(self, name: str, level: int) -> str:
        if not level:
            return name
        parts = self.module.package.split(".") if self.module.package else []
        parts = parts[: len(parts) - level + 1]
        return ".".join([*parts, name] if name else parts)

    def assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self.target(target, node.value, node, Bound.ASSIGN)
            self.visit(target)
        self.visit(node.value)

    def annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.target(node.target, node.value, node, Bound.ASSIGN)
            self.visit(node.value)
        elif isinstance(node.target, ast.Name):
            self.bind(node.target.id, Binding(Bound.PARAMETER, node, node.annotation))
        self.visit(node.target)
        self._annotation(node.annotation)

    def augmented(self, node: ast.AugAssign) -> None:
        self.target(node.target, node.value, node, Bound.AUGMENT)
        self.visit(node.target)
        self.visit(node.value)

    def named(self, node: ast.NamedExpr) -> None:
        self.target(node.target, node.value, node, Bound.ASSIGN)
        self.visit(node.value)

    def loop(self, node: ast.For | ast.AsyncFor | ast.comprehension) -> None:
        self.target(node.target, node.iter, node, Bound.LOOP)
        self.children(node)

    def with_(self, node: ast.withitem) -> None:
        if node.optional_vars is not None:
            self.target(node.optional_vars, node.context_expr, node, Bound.WITH)
        self.children(node)

    def target(self, target: ast.expr, value: ast.expr, node: ast.AST, how: Bound) -> None:
        if isinstance(target, ast.Name):
            self.bind(target.id, Binding(how, node, value))
        elif isinstance(target, ast.Tuple | ast.List):
            self._unpack(target, value, node, how)
        elif isinstance(target, ast.Attribute):
            self.module.stores.append((target, value, self.scope))
            self._own_attribute(target, Binding(how, node, value))
        elif isinstance(target, ast.Subscript):
            self.module.stores.append((target, value, self.scope))
        elif isinstance(target, ast.Starred):
            self.target(target.value, value, node, Bound.OTHER)

    def _unpack(self, target: ast.Tuple | ast.List, value: ast.expr, node: ast.AST, how: Bound) -> None:
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) and how is Bound.ASSIGN else None
        for index, part in enumerate(target.elts):
            if parts is not None and len(parts) == len(target.elts):
                self.target(part, parts[index], node, how)
            elif isinstance(part, ast.Name):
                self.bind(part.id, Binding(Bound.UNPACK, node, value, index=index))
            else:
                self.target(part, value, node, Bound.OTHER)

    def _own_attribute(self, target: ast.Attribute, binding: Binding) -> None:
        owner = self.scope.owner
        first = next(iter(self.scope.bindings), None)
        if owner is not None and isinstance(target.value, ast.Name) and target.value.id == first:
            owner.attributes.setdefault(target.attr, []).append(binding)

    def call(self, node: ast.Call) -> None:
        self._call(node, None)
        self.children(node)

    def attribute(self, node: ast.Attribute) -> None:
        self.words.add(node.attr)
        if node.value.__class__ is not ast.Name:
            self.visit(node.value)

    def _call(self, node: ast.Call, decorates: Scope | None) -> None:
        func = node.func
        last = ""
        if isinstance(func, ast.Name):
            last = func.id
            self.words.add(last)
        elif isinstance(func, ast.Attribute):
            last = func.attr
        elif isinstance(func, ast.Call):
            last = looked_up(func)
        self.module.calls.setdefault(last, []).append(CallNode(node, self.scope, decorates))

    def return_(self, node: ast.Return) -> None:
        if node.value is not None:
            self.scope.returns.append(node.value)
            self.visit(node.value)

    def yield_(self, node: ast.Yield) -> None:
        if node.value is not None:
            self.scope.yields.append(node.value)
            self.visit(node.value)

    def outer(self, node: ast.Global | ast.Nonlocal) -> None:
        self.scope.outer.update(node.names)
        for name in node.names:
            self.module.rebound.setdefault(name, []).append(self.scope)

    def handler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.bind(node.name, Binding(Bound.OTHER, node))
        self.children(node)

    def leaf(self, node: ast.AST) -> None:
        pass


_VISITORS: dict[type[ast.AST], Callable[..., None]] = {
    ast.FunctionDef: _Indexer.function,
    ast.AsyncFunctionDef: _Indexer.function,
    ast.Lambda: _Indexer.lambda_,
    ast.ClassDef: _Indexer.class_,
    ast.Import: _Indexer.import_,
    ast.ImportFrom: _Indexer.import_from,
    ast.Assign: _Indexer.assign,
    ast.AnnAssign: _Indexer.annotated,
    ast.AugAssign: _Indexer.augmented,
    ast.NamedExpr: _Indexer.named,
    ast.For: _Indexer.loop,
    ast.AsyncFor: _Indexer.loop,
    ast.comprehension: _Indexer.loop,
    ast.withitem: _Indexer.with_,
    ast.Call: _Indexer.call,
    ast.Attribute: _Indexer.attribute,
    ast.Return: _Indexer.return_,
    ast.Yield: _Indexer.yield_,
    ast.Global: _Indexer.outer,
    ast.Nonlocal: _Indexer.outer,
    ast.ExceptHandler: _Indexer.handler,
    ast.Constant: _Indexer.leaf,
    ast.Name: _Indexer.leaf,
    ast.Pass: _Indexer.leaf,
}

_LEAVES: frozenset[type] = frozenset({
    *(str, int, bytes, float, complex, bool, type(None), type(...)),
    *(ast.Name, ast.Constant, ast.Pass, ast.Break, ast.Continue),
    *ast.expr_context.__subclasses__(), *ast.operator.__subclasses__(), *ast.unaryop.__subclasses__(),
    *ast.boolop.__subclasses__(), *ast.cmpop.__subclasses__(),
})  # fmt: skip
"""The kinds of what stands in a node's fields and holds nothing to index: half of what there is."""


def parameters(args: ast.arguments) -> list[ast.arg]:
    """Return all parameters of a signature in their order, ``*args`` and ``**kwargs`` included."""
    every = [*args.posonlyargs, *args.args]
    if args.vararg:
        every.append(args.vararg)
    every.extend(args.kwonlyargs)
    if args.kwarg:
        every.append(args.kwarg)
    return every


def looked_up(value: ast.expr | None) -> str:
    """Return the member that ``x.member`` or ``getattr(x, "member")`` gives, "" where it is neither."""
    if isinstance(value, ast.Attribute):
        return value.attr
    if not isinstance(value, ast.Call) or len(value.args) < 2 or getattr(value.func, "id", "") != "getattr":
        return ""
    name = value.args[1]
    return str(name.value) if isinstance(name, ast.Constant) else ""
