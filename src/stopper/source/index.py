"""Where a project's modules call, import and store what, by the last name it is written with: built once, asked by every rule."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator

from stopper.source.module import CallNode, Module, Scope, looked_up

Stored = tuple[ast.expr, ast.expr, Scope]
"""The target, the value and the scope of an assignment to an attribute or a subscript."""


class Index:
    """Calls, imports and assignments of the modules; every answer is in the order of the files."""

    def __init__(self, modules: Iterable[Module]) -> None:
        """Read the modules' own lists."""
        self._written: dict[str, list[CallNode]] = {}
        self._local: dict[str, set[tuple[int, str]]] = {}
        self._imports: dict[str, list[tuple[int, int, str, Module, ast.stmt]]] = {}
        self._attributes: dict[str, list[tuple[int, int, Stored]]] = {}
        self._items: dict[str | None, list[tuple[int, int, Stored]]] = {}
        calls: list[tuple[int, str, CallNode]] = []
        for number, module in enumerate(modules):
            self._add(number, module)
            calls += [(number, last, site) for last, sites in module.calls.items() for site in sites]
        calls.sort(key=_position)
        self._every = [site for _, _, site in calls]
        self._calls: dict[str, list[tuple[int, int, CallNode]]] = {}
        for at, (number, last, site) in enumerate(calls):
            self._calls.setdefault(last, []).append((at, number, site))

    def _add(self, number: int, module: Module) -> None:
        for last, sites in module.calls.items():
            self._written.setdefault(last, []).extend(sites)
        for name, bindings in module.scope.bindings.items():
            for binding in bindings:
                last = (
                    binding.dotted.rpartition(".")[2]
                    or looked_up(binding.value)
                    or getattr(binding.value, "id", "")
                )
                if last and last != name:
                    self._local.setdefault(last, set()).add((number, name))
        for at, (dotted, node) in enumerate(module.imports):
            self._imports.setdefault(dotted.partition(".")[0], []).append((number, at, dotted, module, node))
        for at, stored in enumerate(module.stores):
            target = stored[0]
            if isinstance(target, ast.Attribute):
                self._attributes.setdefault(target.attr, []).append((number, at, stored))
            else:
                self._items.setdefault(_key(target), []).append((number, at, stored))

    def calls(self, lasts: Collection[str]) -> list[CallNode]:
        """Return the calls written with one of the last names, or with a name under which a module imports it."""
        found = [placed for last in lasts for placed in self._calls.get(last, ())]
        renamed = {local for last in lasts for local in self._local.get(last, ())}
        for number, name in renamed:
            if name not in lasts:
                found += [placed for placed in self._calls.get(name, ()) if placed[1] == number]
        return [site for _, _, site in sorted(found, key=_first)]

    def every_call(self) -> list[CallNode]:
        """Return all calls."""
        return self._every

    def written(self, last: str) -> list[CallNode]:
        """Return the calls written with a last name."""
        return self._written.get(last, [])

    def is_imported(self, top: str) -> bool:
        """Tell whether a package or module of this name, or anything in it, is imported."""
        return top in self._imports

    def imports(self, prefixes: Iterable[str]) -> list[tuple[Module, ast.stmt]]:
        """Return the imports of the packages and modules named, and of what lies in them."""
        found = {}
        for prefix in prefixes:
            inside = f"{prefix}."
            for number, at, dotted, module, node in self._imports.get(prefix.partition(".")[0], ()):
                if dotted == prefix or dotted.startswith(inside):
                    found[number, at] = (module, node)
        return [found[key] for key in sorted(found)]

    def stores(self, key: str | None) -> Iterator[Stored]:
        """Yield the assignments to attributes of a name, or to all where it is None, and those to subscripts that may have that key."""
        if key is None:
            lists = [*self._attributes.values(), *self._items.values()]
        else:
            lists = [self._attributes.get(key, []), self._items.get(key, []), self._items.get(None, [])]
        placed = [one for some in lists for one in some]
        return (stored for _, _, stored in sorted(placed, key=lambda one: one[:2]))


def _key(target: ast.expr) -> str | None:
    """Return the key of a subscript; None where it is not written out."""
    index = target.slice if isinstance(target, ast.Subscript) else None
    return str(index.value) if isinstance(index, ast.Constant) else None


def _first(placed: tuple[int, int, CallNode]) -> int:
    return placed[0]


def _position(placed: tuple[int, str, CallNode]) -> tuple[int, int, int, int, int]:
    number, _, site = placed
    node = site.node
    return number, node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0
