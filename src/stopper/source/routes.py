"""Answer which URLs a project serves: every route with its methods, its view, and what guards it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from stopper.finding import Location, RouteRef, Skipped
from stopper.records import dataclass, field
from stopper.source.files import Role
from stopper.source.module import Module, Scope
from stopper.source.names import Names
from stopper.source.routes_flatten import Placed, flatten, handlers, methods_of
from stopper.source.routes_interest import Interest
from stopper.source.routes_native import Registrar
from stopper.source.routes_objects import (
    Class,
    ClassView,
    Env,
    Function,
    Instance,
    Node,
    RawHook,
    Unknown,
    scope_of,
    view_of,
)
from stopper.source.routes_run import TOO_DEEP, above

if TYPE_CHECKING:
    from stopper.source.code import Code

MAX_ATTEMPTS = 15
"""How often modules are run anew because some stand at the far end of a long chain of imports, those first."""
MAX_REACH = 8
"""How many calls deep ``reaching`` looks."""

_CONVERTER = re.compile(r"<(?:([a-zA-Z_]\w*)(?:\([^<>]*\))?:)?([a-zA-Z_]\w*)>")
_GUARD = re.compile(
    r"login|auth|require|permission|admin|role|jwt|token|protect|private|allowed|access|acl|logged|secured|restrict",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class Route:
    """One rule of one app, and the view that answers it."""

    rule: str
    """The whole URL rule with all prefixes. A part that cannot be known stands in braces as it is written."""
    methods: tuple[str, ...]
    """As declared; HEAD and OPTIONS only where the project itself names them."""
    endpoint: str
    parameters: dict[str, str]
    """The name of each routed parameter and its converter, ``string`` where none is written."""
    view: Scope | None
    """The function, or the class of a class-based view; ``None`` for a view of another package."""
    location: Location
    """Where the view is defined; where it is registered when it is another package's."""
    registration: Location
    """The decorator or call that registers the rule."""
    handlers: dict[str, Scope] = field(default_factory=dict)
    """For a class-based view: the method that answers each verb."""
    decorators: tuple[str, ...] = ()
    """The view's decorators, outermost first, as written without their arguments."""
    guarded_by: tuple[str, ...] = ()
    """The decorators and request hooks whose name speaks of a check of who is asking."""
    blueprint: str = ""
    """The dotted name of the blueprint, "" on the app itself."""
    registered: Location | None = None
    """Where the blueprint is registered; ``None`` on the app itself, and for a blueprint that nothing registers."""
    application: Location | None = None
    """Where the app is made; ``None`` when nothing registers the blueprint."""
    given: tuple[tuple[str, object], ...] = ()
    """For a class-based view: what ``as_view()`` hands to its constructor, by place or name, as far as it is known: a constant, or the
    scope of a function or a class."""

    @property
    def ref(self) -> RouteRef:
        """Return the route as a report prints it."""
        return RouteRef(self.rule, self.methods, self.endpoint)


@dataclass(frozen=True, eq=False)
class Hook:
    """A function that Flask runs around requests, on errors, or in templates."""

    kind: str
    """``before_request``, ``errorhandler``, ``context_processor``, ``template_filter`` ... with ``app_`` taken off."""
    view: Scope
    location: Location
    blueprint: str
    """The blueprint it is limited to, "" for the whole app."""
    argument: Any = None
    """The status code of an error handler, the name of a filter; ``None`` where it is not a constant."""


@dataclass(frozen=True)
class Routes:
    """The routes and hooks of a project."""

    routes: tuple[Route, ...]
    hooks: tuple[Hook, ...]
    code: Code = field(repr=False)
    skipped: tuple[Skipped, ...] = ()
    """What could not be followed to the routes that it may register."""

    def at(self, path: str, line: int) -> Route | None:
        """Return the route whose view holds a line, the innermost where views are nested."""
        holding = [
            route
            for route in self._in_file.get(path, ())
            if route.view is not None and _holds(route.view.node, line)
        ]
        return max(holding, key=lambda route: route.location.line, default=None)

    def reaching(self, scope: Scope) -> list[Route]:
        """Return the routes from whose view a function is called, directly or through others of the project."""
        return self._reached.get(id(scope), [])

    @cached_property
    def _in_file(self) -> dict[str, list[Route]]:
        found: dict[str, list[Route]] = {}
        for route in self.routes:
            found.setdefault(route.location.path, []).append(route)
        return found

    @cached_property
    def _reached(self) -> dict[int, list[Route]]:
        calls = _Calls(self.code)
        found: dict[int, list[Route]] = {}
        for route in self.routes:
            for scope in calls.below(route.view, MAX_REACH) if route.view is not None else ():
                found.setdefault(id(scope), []).append(route)
        return found


class _Calls:
    def __init__(self, code: Code) -> None:
        self.names = code.names
        self.callees: dict[int, list[Scope]] = {}
        self.nested: dict[int, list[tuple[ast.Call, Scope]]] = {}
        for module in code.modules:
            for made in module.calls.values():
                for call in made:
                    self.nested.setdefault(id(call.scope), []).append((call.node, call.scope))

    def below(self, start: Scope, depth: int) -> list[Scope]:
        seen = {id(start)}
        found = level = [start]
        while level and depth:
            fresh = [scope for caller in level for scope in self._from(caller) if id(scope) not in seen]
            level = list({id(scope): scope for scope in fresh}.values())
            seen |= {id(scope) for scope in level}
            found = [*found, *level]
            depth -= 1
        return found

    def _from(self, caller: Scope) -> list[Scope]:
        if id(caller) not in self.callees:
            refs = (self.names.resolve(node.func, scope) for node, scope in self.nested.get(id(caller), ()))
            called = [ref.scope for ref in refs if ref is not None and ref.scope is not None]
            self.callees[id(caller)] = [*called, *caller.children]
        return self.callees[id(caller)]


def read(code: Code) -> Routes:
    """Return the routes and hooks of the project."""
    modules = list(code.modules)
    registrar = run(modules, code.names)
    scopes = {id(scope.node): scope for module in modules for scope in module.scopes}
    builder = _Builder(scopes, registrar.nodes)
    skipped = tuple(Skipped(what, reason) for what, reason in registrar.cut.items())
    return Routes(tuple(builder.routes()), tuple(builder.hooks), code, skipped)


def run(modules: list[Module], names: Names) -> Registrar:
    """Run the modules' registering code on paper: first what nothing imports, then the rest, then what nothing calls."""
    own = [module for module in modules if module.role is Role.APP or module.role is Role.DOCS]
    chosen = own or modules
    interest = Interest(chosen, names)
    registrar = _loaded(chosen, interest, ())
    first: list[str] = []
    attempts = 0
    while registrar.refused and attempts < MAX_ATTEMPTS:
        attempts += 1
        first = list(dict.fromkeys((*registrar.refused[::-1], *first)))
        registrar = _loaded(chosen, interest, first)
    registrar.cut |= {registrar.modules[name].path: TOO_DEEP for name in registrar.refused}
    _uncalled(registrar, interest)
    return registrar


def _loaded(chosen: list[Module], interest: Interest, first: Sequence[str]) -> Registrar:
    """Run the bodies of all modules; ``first`` those that are imported from too far away to be run when they are asked for."""
    registrar = Registrar({module.name: module for module in chosen}, interest)
    registrar.nodes = []
    imported = {dotted for module in chosen for dotted, _ in module.imports}
    imported |= above(imported)
    rest = sorted(chosen, key=lambda module: (module.name in imported, module.name.count(".")))
    for name in (*first, *(module.name for module in rest)):
        registrar.start(registrar.modules[name].path, partial(registrar.load, name))
    return registrar


def _uncalled(registrar: Registrar, interest: Interest) -> None:
    waiting = [scope for scope in interest.functions if interest.directly(scope) and not _inner(scope)]
    made = {id(scope.node): "Flask" in scope.words for scope in waiting}
    for scope in sorted(waiting, key=lambda scope: not made[id(scope.node)]):
        if id(scope.node) in registrar.entered or isinstance(scope.node, ast.Lambda):
            continue
        registrar.start(f"{scope.module.path} {scope.qualname}()", partial(_enter, registrar, scope))


def _enter(registrar: Registrar, scope: Scope) -> None:
    env = registrar.envs[scope.module.name]
    owner = env.names.get(scope.owner.name) if scope.owner is not None else None
    if scope.owner is None:
        value = env.names.get(scope.name)
        registrar.enter(value if isinstance(value, Function) else Function(_def(scope), env), [], {})
    elif isinstance(owner, Class) and isinstance(method := owner.attrs.get(scope.name), Function):
        registrar.enter(method, [_self(registrar, owner, scope, env)], {})


def _self(registrar: Registrar, owner: Class, scope: Scope, env: Env) -> Any:
    if scope.name == "__init__":
        return Instance(owner)
    return registrar.construct(owner, [], {}, scope.node, env) if not owner.external() else Instance(owner)


def _def(scope: Scope) -> Any:
    return scope.node


def _inner(scope: Scope) -> bool:
    return scope.parent is not None and scope.parent.function is not None


def _holds(node: ast.AST, line: int) -> bool:
    first: int = min(
        [getattr(node, "lineno", 0), *(mark.lineno for mark in getattr(node, "decorator_list", []))]
    )
    last: int = getattr(node, "end_lineno", None) or first
    return first <= line <= last


_CONSTANTS = (str, bytes, int, float, bool, type(None))


class _Builder:
    """Turn what was recorded into routes and hooks."""

    def __init__(self, scopes: dict[int, Scope], nodes: list[Node]) -> None:
        self.scopes = scopes
        self.nodes = nodes
        self.hooks = list(_hooks(nodes, scopes))
        self.before = [
            (hook.blueprint, hook.view.name)
            for hook in self.hooks
            if hook.kind == "before_request" and _GUARD.search(hook.view.name)
        ]

    def routes(self) -> Iterable[Route]:
        seen: set[tuple[Any, ...]] = set()
        for placed in sorted(flatten(self.nodes), key=lambda placed: placed.app is None):
            route = self._route(placed)
            key = (route.rule, route.methods, route.endpoint, route.location)
            if key not in seen:
                seen.add(key)
                yield route

    def _route(self, placed: Placed) -> Route:
        view = scope_of(placed.view, self.scopes)
        bare = view_of(placed.view)
        verbs = handlers(bare.cls) if isinstance(bare, ClassView) and isinstance(bare.cls, Class) else {}
        answering = {
            verb: scope
            for verb, value in verbs.items()
            if (scope := scope_of(value, self.scopes)) is not None
        }
        blueprint = ".".join(node.name for node in placed.chain if node.kind == "blueprint")
        decorators = _decorators(view)
        return Route(
            placed.rule,
            methods_of(placed.raw, placed.view),
            placed.endpoint,
            {name: converter or "string" for converter, name in _CONVERTER.findall(placed.rule)},
            view,
            _definition(view) if view is not None else placed.raw.location,
            placed.raw.location,
            answering,
            decorators,
            (*filter(_GUARD.search, decorators), *self._guards(blueprint)),
            blueprint,
            placed.registered,
            placed.app.location if placed.app is not None else None,
            tuple(self._given(bare)) if isinstance(bare, ClassView) else (),
        )

    def _given(self, view: ClassView) -> Iterable[tuple[str, object]]:
        for key, value in view.given:
            scope = scope_of(value, self.scopes)
            if scope is not None or isinstance(value, _CONSTANTS):
                yield key, value if scope is None else scope

    def _guards(self, blueprint: str) -> Iterable[str]:
        return (name for at, name in self.before if at in {"", blueprint})


def _definition(view: Scope) -> Location:
    return view.module.location(view.node)


def _decorators(view: Scope | None) -> tuple[str, ...]:
    if view is None:
        return ()
    bare = (mark.func if isinstance(mark, ast.Call) else mark for mark in view.decorators)
    return tuple(view.module.source(mark) for mark in bare)


def _hooks(nodes: list[Node], scopes: dict[int, Scope]) -> Iterable[Hook]:
    seen: set[tuple[str, int, str]] = set()
    for node in nodes:
        for raw in node.hooks:
            view = scope_of(raw.view, scopes)
            kind, everywhere = _kind(raw)
            blueprint = "" if everywhere or node.kind != "blueprint" else node.name
            if view is not None and (kind, id(view), blueprint) not in seen:
                seen.add((kind, id(view), blueprint))
                yield Hook(
                    kind,
                    view,
                    raw.location,
                    blueprint,
                    None if isinstance(raw.argument, Unknown) else raw.argument,
                )


def _kind(raw: RawHook) -> tuple[str, bool]:
    name = {"register_error_handler": "errorhandler"}.get(raw.kind, raw.kind).removeprefix("add_")
    return name.replace("app_", "", 1), "app_" in name or name.startswith("template_")
