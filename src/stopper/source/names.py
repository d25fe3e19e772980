"""What an expression *is*: imports, aliases, re-exports, attributes and calls resolved to one full name.

The full name of a call's result carries ``()``: after ``conn = sqlite3.connect(p)``, ``conn.execute`` is
``sqlite3.connect().execute``. Members that a project class inherits from a library are named as the library's, so that
``MyFlask().route`` is ``flask.Flask().route``.

Approximated: a name bound several times in one scope is taken for the first binding that resolves; parameters are known by
their annotation only, ``self`` and ``cls`` by their class; a function's result is its first ``return`` that resolves.
"""

from __future__ import annotations

import ast
import enum
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from sys import stdlib_module_names
from typing import TypeVar

from stopper.records import dataclass
from stopper.source.canonical import canonical
from stopper.source.files import Nearby
from stopper.source.holders import HOLDERS, Stored, part_of, stored, supposed
from stopper.source.module import Binding, Bound, Kind, Module, Scope, looked_up
from stopper.source.stars import starred_library
from stopper.source.units import number, outside

_Key = TypeVar("_Key")
_T = TypeVar("_T")

MAX_DEPTH = 40
"""How many names one resolution may pass through."""

_TRANSPARENT = frozenset(
    ("contextlib.closing", "werkzeug.local.LocalProxy", "werkzeug.LocalProxy", "copy.copy", "typing.cast")
)


class RefKind(enum.Enum):
    """What a name stands for."""

    EXTERNAL = enum.auto()
    """Something outside the project: a library's or the language's."""
    MODULE = enum.auto()
    FUNCTION = enum.auto()
    CLASS = enum.auto()
    INSTANCE = enum.auto()


@dataclass(frozen=True, slots=True)
class Ref:
    """What an expression stands for."""

    name: str
    """The full name, with ``()`` for the result of a call."""
    kind: RefKind
    scope: Scope | None = None
    """The project's function or class, or its module's scope."""


class Names:
    """The names of a project. Answers are remembered."""

    def __init__(self, modules: Iterable[Module]) -> None:
        """Take the modules of the project; two of one name are told apart by the nearest path."""
        self.modules: dict[str, Module] = {}
        self.rested = 0
        """The parts of the code on which the answers rest that were given since somebody set it to 0, one bit each: see ``units``."""
        for module in number(modules):
            self.modules.setdefault(module.name, module)
        self.tops = frozenset(name.partition(".")[0] for name in self.modules)
        """The first words of the modules' names."""
        self._memo: dict[int, tuple[Ref | None, int, int]] = {}
        self._asked: dict[int, tuple[Ref | None, int]] = {}
        self._passing: dict[int, Ref | None] = {}
        self._bases: dict[int, tuple[tuple[Ref, ...], int]] = {}
        self._kept: list[ast.AST] = []
        self._active: set[int] = set()
        self._cut, self._deepest = False, 0
        self._suffixes = self._by_suffix()
        """The functions of each module that declare a variable global, by its name."""

    def resolve(self, expr: ast.expr, scope: Scope) -> Ref | None:
        """Return what ``expr``, read in ``scope``, stands for; None when that cannot be known."""
        key, depth = id(expr), len(self._active)
        known = self._memo.get(key)
        if known is not None and depth + known[1] <= MAX_DEPTH:
            self._deepest = max(self._deepest, depth + known[1])
            self.rested |= known[2]
            return known[0]
        if depth == 0 and key in self._asked:
            self.rested |= self._asked[key][1]
            return self._asked[key][0]
        if key in self._active or depth > MAX_DEPTH or key in self._passing:
            self._cut = True
            return self._passing.get(key)
        return self._work_out(expr, scope)

    def _work_out(self, expr: ast.expr, scope: Scope) -> Ref | None:
        """Return an answer and remember it so that no later one depends on the order of the questions.

        An answer on the way to which a cycle or the depth cut nothing is the same wherever it is needed: it is kept with the
        depth that it took. Any other is kept for the question it was asked in, and for the same question asked anew.
        """
        if expr.__class__ not in _NAMED:
            return None
        key, depth, before = id(expr), len(self._active), (self._cut, self._deepest)
        self._cut, self._deepest = False, depth
        noted, self.rested = self.rested, scope.bit
        self._active.add(key)
        ref = None
        try:
            ref = self._resolve(expr, scope)
        finally:
            self._active.discard(key)
            cut, deepest = self._cut, self._deepest
            self._cut, self._deepest = before[0] or cut, max(before[1], deepest)
            rests = self.rested if ref is None or ref.scope is None else self.rested | outside(ref.scope)
            self.rested = noted | rests
            if depth == 0:
                self._passing.clear()
                self._cut = False
        self._kept.append(expr)
        if not cut:
            self._memo[key] = ref, deepest - depth, rests
        elif depth:
            self._passing[key] = ref
        else:
            self._asked[key] = ref, rests
        return ref

    def name(self, expr: ast.expr, scope: Scope) -> str | None:
        """Return the full name of ``expr``, or None."""
        ref = self.resolve(expr, scope)
        return ref.name if ref else None

    def bases(self, scope: Scope) -> Iterable[Ref]:
        """Return the ancestors of a project class, the nearest first; an external one ends its branch."""
        if self._active:  # amid another question: an answer may be cut here and nowhere else
            return self._ancestors(scope)
        return self.remembered(self._bases, id(scope), 0, lambda: tuple(self._ancestors(scope)))

    def remembered(
        self, table: dict[_Key, tuple[_T, int]], key: _Key, home: int, work_out: Callable[[], _T]
    ) -> _T:
        """Return an answer that is worked out once; whoever asks again rests on the same code as who asked first.

        Args:
            table: The answers so far, each with the parts of the code on which it rests: see ``rested``.
            key: What is asked.
            home: The parts of the code on which it rests whatever comes out, one bit each.
            work_out: What gives the answer when it is first asked for.
        """
        known = table.get(key)
        if known is None:
            noted, self.rested = self.rested, home
            found = work_out()
            known = table[key] = found, self.rested
            self.rested = noted
        self.rested |= known[1]
        return known[0]

    def _ancestors(self, scope: Scope) -> Iterator[Ref]:
        seen: set[int] = set()
        waiting = [scope]
        while waiting:
            current = waiting.pop(0)
            if id(current) in seen:
                continue
            seen.add(id(current))
            self.rested |= current.bit
            for base in getattr(current.node, "bases", []):
                ref = self.resolve(base, current.parent or current)
                if ref is None:
                    continue
                yield ref
                if ref.kind is RefKind.CLASS and ref.scope is not None:
                    waiting.append(ref.scope)

    def member(self, owner: Scope, name: str) -> tuple[Scope, Binding] | None:
        """Return the class that defines attribute ``name`` for the project class ``owner``, and how."""
        self.rested |= owner.bit
        for ref in (Ref("", RefKind.CLASS, owner), *self.bases(owner)):
            if ref.scope is None or ref.kind is not RefKind.CLASS:
                continue
            bindings = ref.scope.bindings.get(name)
            if bindings:
                return ref.scope, bindings[-1]
            assigned = ref.scope.attributes.get(name)
            if assigned:
                self.rested |= (self._method_of(ref.scope, assigned[-1]) or ref.scope.module).bit
                return ref.scope, assigned[-1]
        return None

    def method(self, owner: Scope, name: str) -> Scope | None:
        """Return the function of that name that the project class ``owner`` defines or inherits."""
        found = self.member(owner, name)
        scope = found[1].scope if found is not None else None
        return scope if scope is not None and scope.kind is Kind.FUNCTION else None

    def lookup(self, name: str, scope: Scope) -> tuple[Scope, list[Binding]] | None:
        """Return the scope that binds ``name`` as seen from ``scope``, and its bindings."""
        self.rested |= scope.bit
        for place in scope.chain():
            if name in place.outer:
                continue
            if found := place.bindings.get(name):
                return place, found
        return self._starred(scope.module, name) if "*" in scope.module.scope.bindings else None

    def _starred(self, module: Module, name: str) -> tuple[Scope, list[Binding]] | None:
        """Return what ``from ... import *`` brings in under a name: the module of the project that binds it, and how."""
        for home in self._stars(module, {module.name}) if name[0] != "_" else ():
            if isinstance(home, Module) and name in home.scope.bindings:
                self.rested |= home.scope.bit
                return home.scope, home.scope.bindings[name]
        return None

    def _stars(self, module: Module, seen: set[str]) -> Iterator[Module | str]:
        """Return what a module imports all names from, at first or second hand: modules of the project, names of libraries."""
        for star in module.scope.bindings.get("*", ()) if len(seen) < 10 * MAX_DEPTH else ():
            dotted = star.dotted.removesuffix(".*")
            home = self._module(dotted, module)
            if (name := home.name if home else dotted) in seen:
                continue
            seen.add(name)
            yield home or dotted
            if home is not None:
                self.rested |= home.scope.bit
                yield from self._stars(home, seen)

    def _from_library(self, module: Module, name: str) -> Ref | None:
        """Return what a name that the project binds nowhere stands for if a library is imported with ``*``."""
        stars = self._stars(module, {module.name}) if name[0] != "_" else ()
        library = starred_library(name, [home for home in stars if isinstance(home, str)])
        return Ref(canonical(f"{library}.{name}"), RefKind.EXTERNAL) if library else None

    def dotted(self, name: str) -> Ref | None:
        """Return what a full dotted name stands for: a thing of the project, else something external."""
        return self._dotted(name, 0)

    def home(self, name: str) -> Scope | None:
        """Return the module of a full name, whatever else its package has under that name; None where there is none."""
        module = self._module(name, None)
        if module is not None:
            self.rested |= module.scope.bit
            return module.scope
        ref = self._dotted(name, 0)
        return ref.scope if ref is not None and ref.kind is RefKind.MODULE else None

    def call(self, ref: Ref, node: ast.Call | None = None, scope: Scope | None = None) -> Ref | None:
        """Return what calling ``ref`` gives."""
        if ref.kind is RefKind.CLASS:
            return Ref(f"{ref.name}()", RefKind.INSTANCE, ref.scope)
        if ref.kind is RefKind.FUNCTION and ref.scope is not None:
            return self._returned(ref.scope) or Ref(f"{ref.name}()", RefKind.EXTERNAL)
        if ref.name in _TRANSPARENT and node is not None and scope is not None and node.args:
            inner = self.resolve(node.args[-1], scope)
            return self.call(inner) if inner is not None and inner.kind is RefKind.FUNCTION else inner
        if ref.kind is RefKind.EXTERNAL:
            return Ref(f"{ref.name}()", RefKind.EXTERNAL) if len(ref.name) < 200 else None
        return None

    def attribute(self, ref: Ref, name: str) -> Ref | None:
        """Return what attribute ``name`` of ``ref`` stands for."""
        if ref.kind is RefKind.MODULE and ref.scope is not None:
            return self._module_member(ref.scope.module, name, 0)
        if ref.kind in (RefKind.CLASS, RefKind.INSTANCE) and ref.scope is not None:
            return self._class_member(ref, name)
        if ref.kind is RefKind.FUNCTION:
            return None
        return Ref(canonical(f"{ref.name}.{name}"), RefKind.EXTERNAL)

    def _resolve(self, expr: ast.expr, scope: Scope) -> Ref | None:
        if isinstance(expr, ast.Name):
            return self._name(expr.id, scope)
        if isinstance(expr, ast.Attribute):
            owner = self.resolve(expr.value, scope)
            if owner is None:
                return None
            return self._put_there(owner, expr.attr, scope) or self.attribute(owner, expr.attr)
        if isinstance(expr, ast.Call):
            return self._call(expr, scope)
        if isinstance(expr, ast.Await | ast.NamedExpr):
            return self.resolve(expr.value, scope)
        if isinstance(expr, ast.BoolOp):
            return next((ref for part in expr.values if (ref := self.resolve(part, scope))), None)
        if isinstance(expr, ast.IfExp):
            return self.resolve(expr.body, scope) or self.resolve(expr.orelse, scope)
        if isinstance(expr, ast.Subscript):
            owner = self.resolve(expr.value, scope)
            if owner is None or owner.kind is not RefKind.EXTERNAL:
                return None
            return self._put_there(owner, part_of(expr), scope) or Ref(f"{owner.name}[]", RefKind.EXTERNAL)
        return None

    def _call(self, expr: ast.Call, scope: Scope) -> Ref | None:
        word = expr.func.id if isinstance(expr.func, ast.Name) else ""
        if word == "__import__" and expr.args and isinstance(expr.args[0], ast.Constant):
            return self._dotted(str(expr.args[0].value), 0, scope.module)
        member = looked_up(expr) if word == "getattr" else ""
        held = self.resolve(expr.args[0], scope) if member else None
        if held is not None and held.name in stdlib_module_names:
            return self.attribute(held, member)
        if word == "super":
            owner = next((place.owner for place in scope.chain() if place.owner), None)
            base = next(iter(self.bases(owner)), None) if owner else None
            return self.call(base) if base else None
        ref = self.resolve(expr.func, scope)
        return self.call(ref, expr, scope) if ref is not None else None

    def _put_there(self, owner: Ref, part: str, near: Scope) -> Ref | None:
        """Return what the project stored on ``flask.g`` or on the application under a name, or among its extensions."""
        stored = self._stored.get(part) if owner.name in HOLDERS else None
        for holder, value, scope in stored.meant(near.module.path) if stored is not None else ():
            if (self.name(holder, scope) or supposed(holder)) == owner.name:
                found = self.resolve(value, scope)
                if found is not None and found.name != "None":
                    return found
        return None

    @cached_property
    def _stored(self) -> dict[str, Nearby[Stored]]:
        """What is assigned to attributes and under constant keys, by their names."""
        return stored(self.modules.values())

    def _name(self, name: str, scope: Scope) -> Ref | None:
        found = self.lookup(name, scope)
        if found is None:
            return _BUILTINS.get(name) or self._from_library(scope.module, name)
        place, bindings = found
        refs = (self._binding(binding, name, place) for binding in bindings)
        ref = next((ref for ref in refs if ref is not None), None)
        return self._set_later(place.module, name) if ref is None and place.kind is Kind.MODULE else ref

    def _set_later(self, module: Module, name: str) -> Ref | None:
        """Return what a function puts into a variable of its module: ``global pool; pool = Pool()``."""
        for scope in module.rebound.get(name, ()):
            self.rested |= scope.bit
            for binding in scope.bindings.get(name, ()):
                ref = self._binding(binding, name, scope)
                if ref is not None:
                    return ref
        return None

    def _binding(self, binding: Binding, name: str, place: Scope) -> Ref | None:
        if binding.how is Bound.IMPORT:
            return self._dotted(binding.dotted, 0, place.module)
        if binding.how is Bound.SCOPE and binding.scope is not None:
            kind = RefKind.CLASS if binding.scope.kind is Kind.CLASS else RefKind.FUNCTION
            self.rested |= outside(binding.scope)
            return Ref(binding.scope.dotted, kind, binding.scope)
        if binding.how in (Bound.ASSIGN, Bound.WITH) and binding.value is not None:
            if isinstance(binding.value, ast.Constant):
                return None
            return self.resolve(binding.value, place)
        if binding.how is Bound.PARAMETER:
            return self._parameter(binding, name, place)
        return None

    def _parameter(self, binding: Binding, name: str, place: Scope) -> Ref | None:
        owner = place.owner
        if owner is not None and next(iter(place.bindings), None) == name:
            decorators = {getattr(item, "id", "") for item in place.decorators}
            if "staticmethod" not in decorators:
                kind = RefKind.CLASS if "classmethod" in decorators else RefKind.INSTANCE
                return Ref(owner.dotted + ("()" if kind is RefKind.INSTANCE else ""), kind, owner)
        if binding.value is None:
            return None
        annotation = _bare(binding.value)
        ref = self.resolve(annotation, place.parent or place) if annotation is not None else None
        return self.call(ref) if ref is not None and ref.kind is not RefKind.FUNCTION else None

    def _returned(self, scope: Scope) -> Ref | None:
        self.rested |= scope.bit
        results = scope.yields if scope.yields and not scope.returns else scope.returns
        for value in results:
            if not isinstance(value, ast.Constant) and (ref := self.resolve(value, scope)) is not None:
                return ref
        return None

    def _class_member(self, ref: Ref, name: str) -> Ref | None:
        assert ref.scope is not None
        found = self.member(ref.scope, name)
        if found is not None:
            place, binding = found
            if (
                binding.scope is not None
                and binding.scope.kind is Kind.FUNCTION
                and _is_property(binding.scope)
            ):
                return self._returned(binding.scope)
            where = self._method_of(place, binding) or place
            result = self._binding(binding, name, where)
            return result or Ref(f"{ref.name}.{name}", RefKind.EXTERNAL)
        for base in self.bases(ref.scope):
            if base.kind is RefKind.EXTERNAL and base.name != "object":
                suffix = "()" if ref.kind is RefKind.INSTANCE else ""
                return Ref(canonical(f"{base.name}{suffix}.{name}"), RefKind.EXTERNAL)
        return Ref(f"{ref.name}.{name}", RefKind.EXTERNAL)

    def _method_of(self, owner: Scope, binding: Binding) -> Scope | None:
        """Return the method that assigns ``self.name``, for names in its right-hand side."""
        line = getattr(binding.node, "lineno", 0)
        for method in owner.children:
            first, last = getattr(method.node, "lineno", 0), getattr(method.node, "end_lineno", 0) or 0
            if method.kind is Kind.FUNCTION and first <= line <= last:
                return method
        return None

    def _dotted(self, name: str, depth: int, near: Module | None = None) -> Ref | None:
        if depth > MAX_DEPTH:
            return None
        module = self._module(name, near)
        owner, _, last = name.rpartition(".")
        holder = self._module(owner, near) if owner else None
        if module is not None:
            self.rested |= module.scope.bit
            if holder is None or not self._hides(holder, last, name):
                return Ref(module.name, RefKind.MODULE, module.scope)
        if holder is not None:
            return self._module_member(holder, last, depth + 1)
        return Ref(canonical(name), RefKind.EXTERNAL)

    def _hides(self, package: Module, name: str, dotted: str) -> bool:
        """Tell whether a package binds something else under the name of one of its modules: ``from .db import db``."""
        self.rested |= package.scope.bit
        bindings = package.scope.bindings.get(name) or (self._starred(package, name) or (None, ()))[1]
        return any(one.how is not Bound.IMPORT or one.dotted != dotted for one in bindings)

    def _module_member(self, module: Module, name: str, depth: int) -> Ref | None:
        self.rested |= module.scope.bit
        for binding in module.scope.bindings.get(name, []):
            if binding.how is Bound.IMPORT and binding.dotted == f"{module.name}.{name}":
                continue
            if binding.how is Bound.IMPORT:
                ref = self._dotted(binding.dotted, depth + 1, module)
            else:
                ref = self._binding(binding, name, module.scope)
            if ref is not None:
                return ref
        later = self._set_later(module, name) if name in module.scope.bindings else None
        if later is not None:
            return later
        if (starred := self._starred(module, name)) is not None:
            return self._module_member(starred[0].module, name, depth + 1)
        inner = self.modules.get(f"{module.name}.{name}")
        if inner is not None:
            self.rested |= inner.scope.bit
            return Ref(inner.name, RefKind.MODULE, inner.scope)
        return self._from_library(module, name) or Ref(f"{module.name}.{name}", RefKind.EXTERNAL)

    def _by_suffix(self) -> dict[str, Nearby[Module]]:
        table: dict[str, list[Module]] = {}
        for module in self.modules.values():
            parts = module.name.split(".")
            for start in range(1, len(parts)):
                table.setdefault(".".join(parts[start:]), []).append(module)
        return {name: Nearby((one.path, one) for one in found) for name, found in table.items()}

    def _module(self, name: str, near: Module | None) -> Module | None:
        """Return the project's module of that name; for a monorepo, the nearest whose path ends in it."""
        exact = self.modules.get(name)
        if exact is not None:
            return exact
        candidates = self._suffixes.get(name)
        if candidates is None or near is None:
            return None
        best = min(candidates.nearest(near.path), key=lambda module: len(module.name))
        root = best.name.removesuffix(name).rstrip(".")
        return best if not root or near.name.startswith(f"{root}.") or near.name == root else None


def _is_property(scope: Scope) -> bool:
    names = {getattr(item, "id", getattr(item, "attr", "")) for item in scope.decorators}
    return bool(names & {"property", "cached_property", "hybrid_property"})


def _bare(annotation: ast.expr) -> ast.expr | None:
    """Return the class in ``X``, ``X | None``, ``Optional[X]`` or ``"X"``."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except (SyntaxError, ValueError):
            return None
    if isinstance(annotation, ast.BinOp):
        left = annotation.left
        return _bare(annotation.right if isinstance(left, ast.Constant) else left)
    if isinstance(annotation, ast.Subscript):
        base = getattr(annotation.value, "id", getattr(annotation.value, "attr", ""))
        return _bare(annotation.slice) if base in ("Optional", "Annotated", "Final", "ClassVar") else None
    return annotation if isinstance(annotation, ast.Name | ast.Attribute) else None


_BUILTINS = {name: Ref(name, RefKind.EXTERNAL) for name in dir(__import__("builtins"))}

_NAMED = frozenset(
    {ast.Name, ast.Attribute, ast.Call, ast.Await, ast.NamedExpr, ast.BoolOp, ast.IfExp, ast.Subscript}
)
"""The expressions that can stand for something with a name."""
