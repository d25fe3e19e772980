"""The project as the engine sees it: scopes lowered when asked for, and what a name or a member stands for."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

from stopper.records import dataclass
from stopper.source import values
from stopper.source.canonical import canonical
from stopper.source.module import Bound, Kind, Module, Scope
from stopper.source.names import Names, Ref, RefKind
from stopper.source.units import outside
from stopper.source.values import State, evaluate
from stopper.taint.domain import UNKNOWN
from stopper.taint.ir import Call, Function, Load
from stopper.taint.lower import lower, lower_definition

_GENERATED = frozenset(
    (
        *(
            "dataclasses.dataclass",
            "attr.s",
            "attr.attrs",
            "attr.dataclass",
            "attrs.define",
            "attrs.frozen",
            "attr.define",
        ),
        *("pydantic.dataclasses.dataclass", "attrs.mutable", "marshmallow_dataclass.dataclass"),
    )
)
_RECORDS = frozenset(
    ("typing.NamedTuple", "typing.TypedDict", "pydantic.BaseModel", "pydantic.main.BaseModel")
)
_CLOSED = frozenset(("enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag", "enum.IntFlag"))
_FIELDS = frozenset(("ib", "attrib", "field"))
"""The functions of attrs that declare a field."""
_FACTORIES = ("default_factory", "factory")
_NUMBERS = frozenset(("int", "float", "bool", "UUID", "Decimal"))
_MANY = 1_000
"""How often a function is taken to be called that nothing calls by its name."""
_PROPERTIES = frozenset(("property", "cached_property", "hybrid_property", "locked_cached_property"))


@dataclass(frozen=True, slots=True)
class Variable:
    """What a free name stands for."""

    scope: Scope | None = None
    """The project's function, class or module."""
    name: str = ""
    """The full name of a library's thing."""
    key: str = ""
    """For a variable of a module: its full name."""
    module: Module | None = None
    """For a variable of a module: where it is assigned."""
    last: str = ""
    """For a variable of a module: its name there."""
    constant: object = UNKNOWN


_NOTHING = Variable()
_Named = TypeVar("_Named", Call, Load)


class Program:
    """Functions of one project, lowered once, and the questions that need its names.

    Each answer notes in ``names.rested`` on which code it rests, however often it was given before.
    """

    def __init__(self, names: Names, table: dict[int, Function] | None = None) -> None:
        """Take the names of the project, and a table of what has been lowered."""
        self.names = names
        self._tops = names.tops
        self._lowered = table if table is not None else {}
        self._definitions: dict[int, tuple[Function | None, int]] = {}
        self._variables: dict[tuple[int, str], tuple[Variable, int]] = {}
        self._members: dict[tuple[int, str], tuple[Scope | None, int]] = {}
        self._kinds: dict[int, str] = {}
        self._sites: Counter[str] | None = None
        self._shapes: dict[int, tuple[tuple[str, ...] | None, int]] = {}
        self._converted: dict[int, frozenset[str]] = {}
        self._factories: dict[int, tuple[tuple[tuple[str, Scope], ...], int]] = {}
        self._ancestors: dict[int, tuple[list[Scope], int]] = {}
        self._later: dict[int, tuple[list[str], int]] = {}
        self._closed: dict[int, tuple[bool, int]] = {}
        self.counted: set[str] = set()
        """The names of which it was asked how many calls there are."""
        self._own: dict[str, bool] = {}
        self._canonical: dict[str, str] = {}
        self._renamed: dict[tuple[int, str], Any] = {}

    def lowered(self, scope: Scope) -> Function:
        """Return a scope as blocks of operations."""
        function, names = self._lowered.get(id(scope)), self.names
        if function is None:
            noted, names.rested = names.rested, scope.bit
            function = self._lowered[id(scope)] = lower(scope, names, scope.module.rebound)
            function.rests, names.rested = names.rested, noted
        names.rested |= function.rests
        return function

    def every(self) -> list[tuple[int, Function]]:
        """Return all that has been lowered so far."""
        return list(self._lowered.items())

    def decorated(self) -> list[tuple[int, Function | None]]:
        """Return what hands functions through decorators, as far as it was asked for."""
        return [(key, function) for key, (function, _) in self._definitions.items()]

    def sites(self, scope: Scope) -> int:
        """Return how many calls there may be of a function, by the name that they are written with; many where there are none."""
        owner = scope.owner
        name = owner.name if owner is not None and scope.name == "__init__" else scope.name
        self.counted.add(name)
        return self.calls(name) or _MANY

    def calls(self, name: str) -> int:
        """Return how many calls are written with a name."""
        if self._sites is None:
            self._sites = Counter()
            for module in self.names.modules.values():
                self._sites.update({last: len(calls) for last, calls in module.calls.items()})
        return self._sites[name]

    def definition(self, scope: Scope) -> Function | None:
        """Return what hands a function through the project's own decorators; None where it has none."""
        home = outside(scope)
        return self.names.remembered(self._definitions, id(scope), home, lambda: self._definition(scope))

    def _definition(self, scope: Scope) -> Function | None:
        found = lower_definition(scope, self.names) if scope.decorators else None
        decorated = found is not None and any(getattr(op, "decorators", ()) for op in found.ops())
        return found if decorated else None

    def variable(self, scope: Scope, name: str) -> Variable:
        """Return what ``name``, free in ``scope``, stands for."""
        key, home = (id(scope), name), scope.bit
        return self.names.remembered(self._variables, key, home, lambda: self._variable(scope, name))

    def _variable(self, scope: Scope, name: str) -> Variable:
        self._variables[id(scope), name] = (
            _NOTHING,
            0,
        )  # for as long as it is asked for: imports may go in a circle
        variable = self._looked_up(scope, name)
        if variable.scope is not None:
            self.names.rested |= outside(variable.scope)
        return variable

    def _looked_up(self, scope: Scope, name: str) -> Variable:
        place = self.names.lookup(name, scope)
        if place is None:
            ref = self.names.resolve(ast.Name(name), scope)
            if ref is not None:
                return Variable(ref.scope, "" if ref.scope else ref.name)
            return self._assigned(scope.module, name) if name in scope.module.rebound else _NOTHING
        holder, bindings = place
        if holder.kind is Kind.CLASS and bindings[-1].how is Bound.SCOPE:
            return Variable(bindings[-1].scope)
        if holder.kind is not Kind.MODULE:
            return _NOTHING
        if bindings[-1].how is Bound.IMPORT:
            return self._imported(bindings[-1].dotted, holder)
        return self._of_module(holder.module, name)

    def _imported(self, dotted: str, place: Scope) -> Variable:
        owner, _, last = dotted.rpartition(".")
        ref = self.names.resolve(ast.Name(dotted.partition(".")[0]), place) if not owner else None
        ref = ref or self.names.dotted(dotted)
        own = ref.scope if ref is not None and ref.kind is not RefKind.INSTANCE else None
        if own is not None and own.owner is None:  # a method that a variable holds is bound to an object
            return Variable(own)
        home = self.names.home(owner) if owner else None
        if home is not None:
            return self.attribute(home, last)
        return Variable(name=ref.name if ref else "")

    def attribute(self, module: Scope, name: str) -> Variable:
        """Return what a module's attribute stands for."""
        return self.variable(module, name)

    def _of_module(self, module: Module, name: str) -> Variable:
        bindings = module.scope.bindings.get(name, [])
        if not bindings:
            return _NOTHING
        if bindings[-1].how is Bound.SCOPE and bindings[-1].scope is not None:
            return Variable(bindings[-1].scope)
        ref = self.names.resolve(ast.Name(name), module.scope)
        outside = (
            ref is not None and ref.scope is None and ref.kind is RefKind.EXTERNAL and len(bindings) == 1
        )
        return self._assigned(module, name, ref.name if ref is not None and outside else "")

    def _assigned(self, module: Module, name: str, made: str = "") -> Variable:
        known = evaluate(ast.Name(name), module.scope, self.names)
        settled = known.state is State.CONSTANT and name not in module.rebound
        constant = known.constant if settled and not _holds_unknown(known.constant) else UNKNOWN
        return Variable(None, made, f"{module.name}.{name}", module, name, constant)

    def method(self, owner: Scope, name: str) -> Scope | None:
        """Return the function that ``name`` is, as a member of a project's class or of its ancestors."""
        return self.names.remembered(
            self._members, (id(owner), name), 0, lambda: self.names.method(owner, name)
        )

    def accessor(self, owner: Scope, name: str, kind: str) -> Scope | None:
        """Return what reads (``getter``) or writes (``setter``) a property of a project's class or of its ancestors."""
        key, home = (id(owner), f"{name} {kind}"), owner.bit
        return self.names.remembered(self._members, key, home, lambda: self._accessor(owner, name, kind))

    def _accessor(self, owner: Scope, name: str, kind: str) -> Scope | None:
        found = self.names.member(owner, name)
        bindings = found[0].bindings.get(name, []) if found else []
        if found is not None and bindings and bindings[-1].value is not None:
            return self._descriptor(
                bindings[-1].value, found[0], "__get__" if kind == "getter" else "__set__"
            )
        scopes = [one.scope for one in bindings]
        written = [scope for scope in scopes if scope is not None and _is_setter(scope)]
        if kind == "setter":
            return written[-1] if written else None
        read = [scope for scope in scopes if scope is not None and self.how(scope) == "property"]
        return next((scope for scope in read if scope not in written), None)

    def _descriptor(self, value: ast.expr, owner: Scope, name: str) -> Scope | None:
        """Return what reads or writes an attribute that a descriptor of the project stands for."""
        ref = self.names.resolve(value, owner) if isinstance(value, ast.Call) else None
        is_own = ref is not None and ref.kind is RefKind.INSTANCE and ref.scope is not None
        return self.method(ref.scope, name) if is_own and ref is not None and ref.scope is not None else None

    def set_later(self, owner: Scope) -> list[str]:
        """Return the fields of a class's objects that more than one statement of its methods sets."""
        return self.names.remembered(self._later, id(owner), owner.bit, lambda: self._set_later(owner))

    def _set_later(self, owner: Scope) -> list[str]:
        every = [item for place in self.ancestors(owner) for item in place.attributes.items()]
        return [f".{name}" for name, bindings in every if len(bindings) > 1]

    def after(self, owner: Scope, name: str) -> Scope | None:
        """Return the function that ``super().name`` is, as seen from a method of ``owner``."""
        for base in self.names.bases(owner):
            if base.kind is RefKind.CLASS and base.scope is not None:
                return self.method(base.scope, name)
        return None

    def ancestors(self, owner: Scope) -> list[Scope]:
        """Return a class and the project's classes that it derives from, the nearest first."""
        home = owner.bit
        return self.names.remembered(self._ancestors, id(owner), home, lambda: self._lineage(owner))

    def _lineage(self, owner: Scope) -> list[Scope]:
        bases = [base.scope for base in self.names.bases(owner) if base.kind is RefKind.CLASS]
        found = [owner, *[scope for scope in bases if scope is not None]]
        for scope in found:
            self.names.rested |= scope.bit
        return found

    def how(self, function: Scope) -> str:
        """Return how a member is bound: ``static``, ``class``, ``property`` or ``method``; "" for a plain function."""
        found = self._kinds.get(id(function))
        self.names.rested |= outside(function)
        if found is None:
            found = self._kinds[id(function)] = self._how(function)
        return found

    def _how(self, function: Scope) -> str:
        if function.owner is None:
            return ""
        names = {_last(item) for item in function.decorators}
        if names & _PROPERTIES or "setter" in names:
            return "property"
        return "static" if "staticmethod" in names else "class" if "classmethod" in names else "method"

    def record(self, owner: Scope) -> tuple[str, ...] | None:
        """Return the names of the fields of a class whose constructor is generated; None for all others."""
        home = owner.bit
        return self.names.remembered(self._shapes, id(owner), home, lambda: self._record(owner))

    def _record(self, owner: Scope) -> tuple[str, ...] | None:
        decorated = any(self._named(item, owner) in _GENERATED for item in owner.decorators)
        bases = [base for base in self.names.bases(owner) if base.kind is RefKind.EXTERNAL]
        if not decorated and not any(base.name in _RECORDS for base in bases):
            return None
        fields: dict[str, None] = {}
        for scope in reversed(self.ancestors(owner)):
            fields.update((name, None) for name, _ in _declared(scope))
        return tuple(fields)

    def converted(self, owner: Scope) -> frozenset[str]:
        """Return the fields of a record that its constructor turns into numbers: ``attr.ib(converter=int)``."""
        found, ancestors = self._converted.get(id(owner)), self.ancestors(owner)
        if found is None:
            every = [pair for scope in ancestors for pair in _declared(scope)]
            found = frozenset(name for name, value in every if _converts(value))
            self._converted[id(owner)] = found
        return found

    def factories(self, owner: Scope) -> tuple[tuple[str, Scope], ...]:
        """Return the project's functions and classes that fill fields of a record for which nothing is passed."""
        home = owner.bit
        return self.names.remembered(self._factories, id(owner), home, lambda: tuple(self._filled(owner)))

    def _filled(self, owner: Scope) -> Iterator[tuple[str, Scope]]:
        for scope in self.ancestors(owner):
            for name, value in _declared(scope):
                for keyword in value.keywords if isinstance(value, ast.Call) else ():
                    made = self.names.resolve(keyword.value, scope) if keyword.arg in _FACTORIES else None
                    if made is not None and made.scope is not None:
                        yield name, made.scope

    def is_closed(self, owner: Scope) -> bool:
        """Tell whether a class has a fixed set of instances, so that making one from data checks the data."""
        home = owner.bit
        return self.names.remembered(self._closed, id(owner), home, lambda: self._is_closed(owner))

    def _is_closed(self, owner: Scope) -> bool:
        return not _CLOSED.isdisjoint([base.name for base in self.names.bases(owner)])

    def base(self, owner: Scope) -> str:
        """Return the name of the nearest library class that a class derives from."""
        return next(
            (base.name for base in self.names.bases(owner) if base.kind is RefKind.EXTERNAL), "object"
        )

    def is_own(self, name: str) -> bool:
        """Tell whether a full name begins with a module of the project, so that it says nothing of a library."""
        known = self._own.get(name)
        if known is None:
            known = self._own[name] = name.partition(".")[0] in self._tops
        return known

    def canonical(self, name: str) -> str:
        """Return the best known of the names of a library's thing."""
        found = self._canonical.get(name)
        if found is None:
            found = self._canonical[name] = canonical(name) if len(name) < _LONGEST else ""
        return found

    def renamed(self, op: _Named, name: str) -> _Named:
        """Return an operation of lowered code under another name; a call then has no callee of the project's any more."""
        key = (id(op), name)
        found: _Named | None = self._renamed.get(key)
        if found is None:
            found = replace(op, name=name, callee=None) if isinstance(op, Call) else replace(op, name=name)
            self._renamed[key] = found
        return found

    def _named(self, item: ast.expr, scope: Scope) -> str:
        called = item.func if isinstance(item, ast.Call) else item
        ref: Ref | None = self.names.resolve(called, scope.parent or scope)
        return ref.name if ref else ""


_LONGEST = 200


def _declared(owner: Scope) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield the fields that the body of a record declares, with what stands behind each."""
    for statement in owner.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield statement.target.id, statement.value
        elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            if _last(statement.value) in _FIELDS:
                yield from ((name, statement.value) for name in names)


def _converts(value: ast.expr | None) -> bool:
    keywords = value.keywords if isinstance(value, ast.Call) else []
    return any(one.arg == "converter" and _last(one.value) in _NUMBERS for one in keywords)


def _last(item: ast.expr) -> str:
    called = item.func if isinstance(item, ast.Call) else item
    return str(getattr(called, "attr", getattr(called, "id", "")))


def _is_setter(scope: Scope) -> bool:
    return any(_last(item) == "setter" for item in scope.decorators)


def _holds_unknown(item: object) -> bool:
    if isinstance(item, dict):
        return any(_holds_unknown(key) or _holds_unknown(value) for key, value in item.items())
    return (
        any(map(_holds_unknown, item))
        if isinstance(item, list | tuple | frozenset | set)
        else item is values.UNKNOWN
    )
