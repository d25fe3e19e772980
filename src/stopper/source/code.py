"""The Python of a project as rules may ask for it: calls, imports and assignments by full name, never a parse tree."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from functools import cached_property

from stopper.finding import Location, Skipped
from stopper.records import dataclass
from stopper.source.branches import Branches
from stopper.source.files import Role, Tree
from stopper.source.index import Index
from stopper.source.module import CallNode, Module, Scope, parameters
from stopper.source.names import Names
from stopper.source.reading import Reading
from stopper.source.values import Value, evaluate


@dataclass(frozen=True, eq=False)
class Expr:
    """An expression of the project's code."""

    node: ast.expr
    scope: Scope
    names: Names

    @property
    def module(self) -> Module:
        """Return the module that holds the expression."""
        return self.scope.module

    @property
    def location(self) -> Location:
        """Return where it stands."""
        return self.module.location(self.node)

    @property
    def source(self) -> str:
        """Return its text."""
        return self.module.source(self.node)

    @cached_property
    def value(self) -> Value:
        """What is known of its value."""
        return evaluate(self.node, self.scope, self.names)

    @property
    def name(self) -> str | None:
        """Return its full name, such as ``flask.request.args``, or None."""
        return self.names.name(self.node, self.scope)

    @property
    def call(self) -> Call | None:
        """Return the call that it is, or None."""
        if not isinstance(self.node, ast.Call):
            return None
        return Call(
            CallNode(self.node, self.scope), self.names.name(self.node.func, self.scope) or "", self.names
        )

    @property
    def identifier(self) -> str:
        """Return the last name it is written with: ``c`` in ``a.b.c`` and in ``d["c"]``, "" where there is none."""
        node = self.node
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute):
            return node.attr
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            return str(node.slice.value)
        return ""

    def inner(self, node: ast.expr) -> Expr:
        """Return a part of the expression."""
        return Expr(node, self.scope, self.names)

    def items(self) -> list[tuple[Expr | None, Expr]]:
        """Return the pairs of a dict display or a ``dict(...)`` call; the key of ``**other`` is None."""
        if isinstance(self.node, ast.Dict):
            pairs = zip(self.node.keys, self.node.values, strict=True)
            return [(self.inner(key) if key else None, self.inner(value)) for key, value in pairs]
        return []

    def elements(self) -> list[Expr]:
        """Return the elements of a list, tuple or set display."""
        if isinstance(self.node, ast.List | ast.Tuple | ast.Set):
            return [self.inner(item) for item in self.node.elts]
        return []


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the ``if`` statements around a call say of when it runs."""

    environment: str
    """The environment for which it runs: any, development, testing or production."""
    undecided: bool
    """Whether a test that is not about the environment decides, too."""
    main: bool
    """Whether it runs only where the file itself is started."""


@dataclass(frozen=True, eq=False)
class Call:
    """A call in the project's code."""

    site: CallNode
    name: str
    """The full name of what is called, such as ``flask_talisman.Talisman``; "" when it is not known."""
    names: Names

    @property
    def node(self) -> ast.Call:
        """Return the syntax tree's node, for the engine and the facts; rules do without."""
        return self.site.node

    @property
    def scope(self) -> Scope:
        """Return the scope that makes the call."""
        return self.site.scope

    @property
    def module(self) -> Module:
        """Return the module that holds the call."""
        return self.scope.module

    @property
    def location(self) -> Location:
        """Return where it stands."""
        return self.module.location(self.node)

    @property
    def source(self) -> str:
        """Return its text."""
        return self.module.source(self.node)

    @property
    def code(self) -> str:
        """Return its first line, stripped."""
        return self.module.text.line(self.location.line).strip()

    @property
    def function(self) -> str:
        """Return the qualified name of the function that makes the call, "" at module level."""
        return self.scope.qualname

    @property
    def decorates(self) -> Scope | None:
        """Return the function or class that this call decorates."""
        return self.site.decorates

    @property
    def conditions(self) -> Conditions:
        """Return the branches under which it runs."""
        environment, conditional = Branches(self.module).of(self.node)
        return Conditions(environment, undecided=conditional, main=_under_main(self))

    @property
    def has_star(self) -> bool:
        """Tell whether ``*args`` or ``**kwargs`` hide arguments."""
        hidden = any(isinstance(arg, ast.Starred) for arg in self.node.args)
        return hidden or any(keyword.arg is None for keyword in self.node.keywords)

    @property
    def arguments(self) -> list[Expr]:
        """Return the positional arguments."""
        return [self._expr(arg) for arg in self.node.args]

    @property
    def keywords(self) -> dict[str, Expr]:
        """Return the keyword arguments by name."""
        return {keyword.arg: self._expr(keyword.value) for keyword in self.node.keywords if keyword.arg}

    @property
    def spread(self) -> list[Expr]:
        """Return the dictionaries that are spread into keyword arguments, ``options`` in ``f(**options)``."""
        return [self._expr(keyword.value) for keyword in self.node.keywords if keyword.arg is None]

    @property
    def target(self) -> Expr:
        """Return the expression that is called."""
        return self._expr(self.node.func)

    @property
    def receiver(self) -> Expr | None:
        """Return ``x`` in ``x.method(...)``."""
        func = self.node.func
        return self._expr(func.value) if isinstance(func, ast.Attribute) else None

    def argument(self, position: int | None, keyword: str | None = None) -> Expr | None:
        """Return an argument by its position (from 0) or its keyword, or None when it was not given."""
        if keyword is not None:
            for given in self.node.keywords:
                if given.arg == keyword:
                    return self._expr(given.value)
        if position is None or position >= len(self.node.args):
            return None
        before = self.node.args[: position + 1]
        return None if any(isinstance(arg, ast.Starred) for arg in before) else self._expr(before[-1])

    def _expr(self, node: ast.expr) -> Expr:
        return Expr(node, self.scope, self.names)


@dataclass(frozen=True, eq=False)
class Store:
    """An assignment to an attribute or a subscript, ``target = value``."""

    owner: str
    """The full name of what holds it: ``flask.Flask().config`` in ``app.config["X"] = 1``; "" when not known."""
    key: str
    """The attribute, or the constant subscript."""
    target: Expr
    value: Expr

    @property
    def location(self) -> Location:
        """Return where the target stands."""
        return self.target.location

    @property
    def conditions(self) -> Conditions:
        """Return the branches under which it runs."""
        environment, conditional = Branches(self.target.module).of(self.target.node)
        return Conditions(environment, undecided=conditional, main=False)


class Code:
    """The Python modules of a project, and questions about them."""

    def __init__(self, modules: Iterable[Module]) -> None:
        """Take the modules, in the order of their paths."""
        self.modules = tuple(modules)
        self.names = Names(self.modules)
        self.by_path = {module.path: module for module in self.modules}
        self._called: dict[tuple[str, ...], tuple[Call, ...]] = {}

    @classmethod
    def of(cls, tree: Tree) -> Code:
        """Read the Python files of the tree; its tests only where other code imports them, or where nothing else makes an app."""
        reading = Reading(tree.files)
        code = cls(reading.without_tests())
        if not reading.left_out or any(call.module.role is Role.APP for call in code.applications):
            return code
        return cls(reading.every())

    @cached_property
    def _index(self) -> Index:
        return Index(self.modules)

    @cached_property
    def applications(self) -> tuple[Call, ...]:
        """The calls of ``Flask(...)`` and of the classes derived from it."""
        derived = {
            scope.dotted
            for module in self.modules
            for scope in module.scopes
            if getattr(scope.node, "bases", None)
            and any(base.name == "flask.Flask" for base in self.names.bases(scope))
        }
        return tuple(self.calls("flask.Flask", *derived))

    @cached_property
    def skipped(self) -> tuple[Skipped, ...]:
        """What could not be read, with the reason."""
        return tuple(Skipped(module.path, module.problem) for module in self.modules if module.problem)

    def calls(self, *patterns: str) -> Iterator[Call]:
        """Yield the calls of anything named by the patterns, in the order of the files.

        Args:
            patterns: Full names; ``flask.Flask().*`` stands for any one member.
        """
        known = self._called.get(patterns)
        if known is None:
            known = self._called[patterns] = tuple(self._calls(patterns))
        yield from known

    def _calls(self, patterns: tuple[str, ...]) -> Iterator[Call]:
        possible = [pattern for pattern in patterns if self._is_known(pattern)]
        exact = {pattern for pattern in possible if not pattern.endswith(".*")}
        owners = {pattern[:-2] for pattern in possible if pattern.endswith(".*")}
        lasts = {name.rpartition(".")[2] for name in exact}
        sites = self._index.every_call() if owners else self._index.calls(lasts)
        for site in sites:
            name = self.names.name(site.node.func, site.scope)
            if name is not None and (name in exact or name.rpartition(".")[0] in owners):
                yield Call(site, name, self.names)

    def _is_known(self, name: str) -> bool:
        """Tell whether anything can have a full name: its library is imported somewhere, or it is the project's or Python's own.

        Flask's things have names under other libraries, too.
        """
        top = name.partition(".")[0].partition("(")[0]
        return (
            top.startswith("flask")
            or top in self.names.tops
            or self._index.is_imported(top)
            or hasattr(builtins, top)
        )

    def scope(self, dotted: str) -> Scope | None:
        """Return the project's function or class of a full name, the first where several have it."""
        return self._scopes.get(dotted)

    @cached_property
    def _scopes(self) -> dict[str, Scope]:
        found: dict[str, Scope] = {}
        for module in self.modules:
            for scope in module.scopes:
                found.setdefault(scope.dotted, scope)
        return found

    def given(self, name: str) -> Iterator[Call]:
        """Yield the calls of application code that are handed a thing by its full name, such as ``flask.Flask().config``."""
        last = name.rpartition(".")[2]
        for site in self._index.every_call():
            for arg in site.node.args if site.scope.module.role is Role.APP else ():
                if (
                    isinstance(arg, ast.Attribute)
                    and arg.attr == last
                    and self.names.name(arg, site.scope) == name
                ):
                    yield Call(site, self.names.name(site.node.func, site.scope) or "", self.names)

    def calls_holding(self, *words: str) -> Iterator[Call]:
        """Yield the calls in whose own text, keywords and arguments included, one of the words stands."""
        for module in self.modules:
            if any(word in module.text.content for word in words):
                sites = (site for some in module.calls.values() for site in some)
                yield from (
                    Call(site, self.names.name(site.node.func, site.scope) or "", self.names)
                    for site in sites
                    if any(word in module.source(site.node) for word in words)
                )

    def defaults_holding(self, *words: str) -> Iterator[tuple[str, Expr]]:
        """Yield the parameters whose default's text holds one of the words, each with the default."""
        for module in self.modules:
            for scope in module.scopes if any(word in module.text.content for word in words) else ():
                args = getattr(scope.node, "args", None)
                if not isinstance(args, ast.arguments) or scope.parent is None:
                    continue
                given = [
                    *zip(reversed([*args.posonlyargs, *args.args]), reversed(args.defaults), strict=False)
                ]
                given += [
                    (arg, node) for arg, node in zip(args.kwonlyargs, args.kw_defaults, strict=True) if node
                ]
                for arg, node in given:
                    if any(word in module.source(node) for word in words):
                        yield arg.arg, Expr(node, scope.parent, self.names)

    def items_of(self, *owners: str) -> Iterator[tuple[Expr, Expr]]:
        """Yield what is read by a key from anything whose text ends in one of the words, ``globals()`` for one, with the key."""
        for module in self.modules:
            nodes = ast.walk(module.tree) if any(owner in module.text.content for owner in owners) else ()
            for node in nodes:
                if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Load):
                    continue
                if module.source(node.value).endswith(owners):
                    scope = max(_around(module, node), key=lambda one: getattr(one.node, "lineno", 0))
                    yield Expr(node, scope, self.names), Expr(node.slice, scope, self.names)

    def is_handed(self, name: str) -> bool:
        """Tell whether a call is given a thing of this last name, as a thread or a pool is given the function to run."""
        return name in self._handed

    @cached_property
    def _handed(self) -> frozenset[str]:
        """The last names of all that calls are given bare."""
        given = (
            arg
            for site in self._index.every_call()
            for arg in (*site.node.args, *(keyword.value for keyword in site.node.keywords))
        )
        return frozenset(getattr(arg, "id", "") or getattr(arg, "attr", "") for arg in given)

    def every_call(self, last: str) -> Iterator[Call]:
        """Yield the calls written with this last name, whatever it stands for (``name`` is "" when not known)."""
        for site in self._index.written(last):
            yield Call(site, self.names.name(site.node.func, site.scope) or "", self.names)

    def passed(self, function: Scope, parameter: str) -> list[Expr]:
        """Return what the project's calls of a function pass for one of its parameters; nothing where there is none of that name."""
        args = getattr(function.node, "args", None)
        names = [arg.arg for arg in parameters(args)] if isinstance(args, ast.arguments) else []
        if parameter not in names:
            return []
        place = names.index(parameter) - (1 if function.owner is not None else 0)
        found = [call.argument(place, parameter) for call in self.every_call(function.name)]
        return [one for one in found if one is not None]

    def call_at(self, place: Location) -> Call | None:
        """Return the call that starts and ends where ``place`` does."""
        module = self.by_path.get(place.path)
        for sites in module.calls.values() if module is not None else ():
            for site in sites:
                if site.node.lineno == place.line and site.scope.module.location(site.node) == place:
                    return Call(site, self.names.name(site.node.func, site.scope) or "", self.names)
        return None

    def imports(self, *prefixes: str) -> list[Location]:
        """Return where one of the packages or modules is imported."""
        return [module.location(node) for module, node in self._index.imports(prefixes)]

    def uses(self, *prefixes: str) -> bool:
        """Tell whether application code, not tests, imports one of the packages."""
        return any(self.by_path[place.path].role is Role.APP for place in self.imports(*prefixes))

    def stores(self, *owners: str, key: str | None = None) -> Iterator[Store]:
        """Yield assignments to members or items of anything named, such as ``flask.Flask().config``."""
        owners = tuple(owner for owner in owners if self._is_known(owner))
        if key is None:
            placed = sorted(one for owner in set(owners) for one in self._owned.get(owner, ()))
            yield from (self._stored[at] for at in placed)
            return
        for target, value, scope in self._index.stores(key) if owners else ():
            store = self._store(target, value, scope, owners)
            if store is not None and store.key == key:
                yield store

    @cached_property
    def _stored(self) -> list[Store]:
        """Every assignment of which the owner and the key are known."""
        made = (self._store(target, value, scope, None) for target, value, scope in self._index.stores(None))
        return [store for store in made if store is not None]

    @cached_property
    def _owned(self) -> dict[str, list[int]]:
        """The positions of the assignments by what they change."""
        found: dict[str, list[int]] = {}
        for at, store in enumerate(self._stored):
            found.setdefault(store.owner, []).append(at)
        return found

    def _store(
        self, target: ast.expr, value: ast.expr, scope: Scope, owners: tuple[str, ...] | None
    ) -> Store | None:
        """Return an assignment to a member or an item of one of the owners, of anything where they are None."""
        if not isinstance(target, ast.Attribute | ast.Subscript):
            return None
        owner = self.names.name(target.value, scope) or ""
        if owners is not None and owner not in owners:
            return None
        name = target.attr if isinstance(target, ast.Attribute) else self._item(target.slice, scope)
        if not name:
            return None
        return Store(owner, name, Expr(target, scope, self.names), Expr(value, scope, self.names))

    def _item(self, key: ast.expr, scope: Scope) -> str:
        if isinstance(key, ast.Constant):
            return key.value if isinstance(key.value, str) else ""
        known = evaluate(key, scope, self.names)
        return known.constant if known.known and isinstance(known.constant, str) else ""

    def expr(self, node: ast.expr, scope: Scope) -> Expr:
        """Return a node of a syntax tree as rules may see it."""
        return Expr(node, scope, self.names)


def _around(module: Module, node: ast.expr) -> Iterator[Scope]:
    """Yield the module's own scope, and the functions that hold a node."""
    yield module.scope
    for scope in module.scopes:
        first, last = getattr(scope.node, "lineno", 0), getattr(scope.node, "end_lineno", None)
        if first <= node.lineno <= (last or node.lineno):
            yield scope


def _under_main(call: Call) -> bool:
    """Tell whether a call stands below ``if __name__ == "__main__"``, or in a function of a file that has one."""
    spans = Branches(call.module).spans()
    mains = [
        (first, last)
        for first, last, test, holds in spans
        if holds and "__main__" in call.module.source(test)
    ]
    line = call.node.lineno
    return any(first <= line <= last for first, last in mains) or (bool(call.function) and bool(mains))
