"""Model the objects that registering routes passes around: apps, blueprints, APIs, functions, classes, and what is unknown."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from stopper.finding import Location
from stopper.records import dataclass, field
from stopper.source.module import Module, Scope


@dataclass(eq=False, slots=True, repr=False)
class Unknown:
    """Stand for a value that the source does not tell."""

    text: str = ""
    """The source of the expression, to show in a rule that contains it."""
    parameter: bool = False
    """Nobody in the project passes this parameter: it may well be an app or a blueprint."""
    node: Node | None = None
    """The app it is taken for, once it was used as one."""

    def __str__(self) -> str:
        return f"{{{self.text}}}"


@dataclass(eq=False, slots=True, repr=False)
class External:
    """Stand for something of another package, by its dotted name."""

    dotted: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False, slots=True, repr=False)
class Env:
    """Hold the names that a running module, class body or function has bound."""

    module: Module
    parent: Env | None
    names: dict[str, Any] = field(default_factory=dict)
    is_class: bool = False
    owner: Class | None = None
    """The class whose method runs here, for ``super()``."""
    globals: set[str] = field(default_factory=set)
    returned: list[Any] = field(default_factory=list)

    @property
    def top(self) -> Env:
        """Return the module's own names."""
        env = self
        while env.parent is not None:
            env = env.parent
        return env


@dataclass(eq=False, slots=True, repr=False)
class Function:
    """Stand for a function of the project, with the names it closes over."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    env: Env
    owner: Class | None = None
    attrs: dict[str, Any] = field(default_factory=dict)
    wraps: Function | ClassView | None = None
    """The view that this function, made by a decorator, stands before."""

    @property
    def name(self) -> str:
        """Return the function's name."""
        return getattr(self.node, "name", "<lambda>")


@dataclass(eq=False, slots=True, repr=False)
class Class:
    """Stand for a class of the project."""

    node: ast.ClassDef
    env: Env
    bases: tuple[Any, ...]
    attrs: dict[str, Any] = field(default_factory=dict)

    def line(self) -> Iterator[Class]:
        """Yield the class and the project's classes it inherits from, nearest first."""
        seen: set[int] = set()
        stack: list[Any] = [self]
        while stack:
            part = stack.pop(0)
            if isinstance(part, Class) and id(part) not in seen:
                seen.add(id(part))
                yield part
                stack.extend(part.bases)

    def external(self) -> list[str]:
        """Return the dotted names of the bases that other packages define."""
        return [base.dotted for part in self.line() for base in part.bases if isinstance(base, External)]

    def find(self, name: str, after: Class | None = None) -> Any:
        """Return what the class or one of its bases binds to a name, ``None`` if nothing does."""
        line = list(self.line())
        if after is not None and after in line:
            line = line[line.index(after) + 1 :]
        return next((part.attrs[name] for part in line if name in part.attrs), None)


@dataclass(eq=False, slots=True, repr=False)
class Instance:
    """Stand for an object of a project class."""

    cls: Class
    attrs: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False, slots=True, repr=False)
class Super:
    """Stand for ``super()`` in a method."""

    cls: Class
    target: Any


@dataclass(eq=False, slots=True, repr=False)
class Bound:
    """Stand for a method together with its object; ``function`` is a name for what Stopper models itself."""

    target: Any
    function: Function | str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False, slots=True, repr=False)
class ClassView:
    """Stand for what ``View.as_view(name)`` returns."""

    cls: Class | External
    name: str
    given: tuple[tuple[str, Any], ...] = ()
    """What its constructor is given: by the place of an argument, or by its name."""


@dataclass(eq=False, slots=True, repr=False)
class ModuleObject:
    """Stand for a module of the project."""

    name: str
    env: Env | None = None


@dataclass(slots=True, repr=False)
class RawRule:
    """One rule as it was registered on a node, before the prefixes of its parents."""

    rule: str
    methods: tuple[str, ...] | None
    endpoint: str
    view: Any
    location: Location
    decorated: bool = False
    own_class: Class | None = None
    """The class whose exposed method is the view."""


@dataclass(slots=True, repr=False)
class RawHook:
    """A function registered to run around requests or in templates."""

    kind: str
    view: Any
    location: Location
    argument: Any = None


@dataclass(slots=True, repr=False)
class Mount:
    """A node registered on another node."""

    child: Node
    prefix: str | None
    name: str | None
    location: Location


@dataclass(eq=False, slots=True, repr=False)
class Node:
    """Stand for anything rules can be registered on."""

    kind: str
    """``app``, ``blueprint``, ``api``, ``namespace`` or ``admin``."""
    location: Location
    library: str = "flask"
    cls: Class | None = None
    name: str = ""
    prefix: str | None = None
    attrs: dict[str, Any] = field(default_factory=dict)
    rules: list[RawRule] = field(default_factory=list)
    mounts: list[Mount] = field(default_factory=list)
    hooks: list[RawHook] = field(default_factory=list)
    views: dict[str, Any] = field(default_factory=dict)
    """Views bound to an endpoint by ``@app.endpoint`` or ``app.view_functions``."""
    mounted: bool = False


def view_of(value: Any) -> Any:
    """Unwrap bound methods, partials and wrappers down to the function or class view itself."""
    for _ in range(8):
        if isinstance(value, Bound) and isinstance(value.function, Function):
            value = value.function
        elif isinstance(value, Function) and value.wraps is not None:
            value = value.wraps
        elif isinstance(value, Bound) and value.function == "partial":
            value = value.target
        else:
            break
    return value


def scope_of(value: Any, scopes: dict[int, Scope]) -> Scope | None:
    """Return the scope of a function, class or class view."""
    value = view_of(value)
    if isinstance(value, ClassView):
        value = value.cls
    return scopes.get(id(value.node)) if isinstance(value, Function | Class) else None
