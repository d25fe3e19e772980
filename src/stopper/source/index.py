"""Where a project's modules call, import and store what, by the last name it is written with: built once, asked by every rule."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator

from stopper.source.module import CallNode, Module, Scope

Stored = tuple[ast.expr, ast.expr, Scope]
"""The target, the value and the scope of an assignment to an attribute or a subscript."""


class Index:
    """Calls, imports and assignments of the modules; every answer is in the order of the files."""

    def __init__(self, modules: Iterable[Module]) -> None:
        """Read the modules' own lists."""
        self._calls: dict[str, list[tuple[int, CallNode]]] = {}
        self._every: list[tuple[int, CallNode]] = []
        self._local: dict[str, set[tuple[int, str]]] = {}
        self._imports: dict[str, list[tuple[int, int, str, Module, ast.stmt]]] = {}
        self._attributes: dict[str, list[tuple[int, int, Stored]]] = {}
        self._items: list[tuple[int, int, Stored]] = []
        for number, module in enumerate(modules):
            self._add(number, module)

    def _add(self, number: int, module: Module) -> None:
        for last, sites in module.calls.items():
            placed = [(number, site) for site in sites]
            self._calls.setdefault(last, []).extend(placed)
            self._every.extend(placed)
        for name, bindings in module.scope.bindings.items():
            for binding in bindings:
                last = binding.dotted.rpartition(".")[2]
                if last and last != name:
                    self._local.setdefault(last, set()).add((number, name))
        for at, (dotted, node) in enumerate(module.imports):
            self._imports.setdefault(dotted.partition(".")[0], []).append((number, at, dotted, module, node))
        for at, stored in enumerate(module.stores):
            target = stored[0]
            if isinstance(target, ast.Attribute):
                self._attributes.setdefault(target.attr, []).append((number, at, stored))
            else:
                self._items.append((number, at, stored))

    def calls(self, lasts: Collection[str]) -> list[CallNode]:
        """Return the calls written with one of the last names, or with a name under which a module imports it."""
        found = [placed for last in lasts for placed in self._calls.get(last, ())]
        renamed = {local for last in lasts for local in self._local.get(last, ())}
        for number, name in renamed:
            if name not in lasts:
                found += [placed for placed in self._calls.get(name, ()) if placed[0] == number]
        return [site for _, site in sorted(found, key=_position)]

    def every_call(self) -> list[CallNode]:
        """Return all calls."""
        return [site for _, site in sorted(self._every, key=_position)]

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
        """Yield the assignments to attributes of a name, or to all where it is None, and those to any subscript."""
        lists = self._attributes.values() if key is None else [self._attributes.get(key, [])]
        placed = [one for some in (*lists, self._items) for one in some]
        return (stored for _, _, stored in sorted(placed, key=lambda one: one[:2]))


def _position(placed: tuple[int, CallNode]) -> tuple[int, int, int, int, int]:
    number, site = placed
    node = site.node
    return number, node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0
