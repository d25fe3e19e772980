"""Holders: where a Flask project puts its own things, for others to fetch: ``flask.g``, the application, its extensions."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from stopper.source.files import Nearby
from stopper.source.module import Module, Scope

HOLDERS = frozenset(("flask.g", "flask.Flask()", "flask.Flask().extensions"))
"""The full names of what the project puts its own things on."""


class Stored(NamedTuple):
    """An assignment to an attribute or under a key."""

    holder: ast.expr
    value: ast.expr
    scope: Scope


def stores(modules: Iterable[Module]) -> Iterator[tuple[str, Stored]]:
    """Yield what is assigned to attributes and under constant keys, behind the attribute's name or the key as it is written."""
    for module in modules:
        for target, value, scope in module.stores:
            part = part_of(target)
            if part and isinstance(target, ast.Attribute | ast.Subscript):
                yield part, Stored(target.value, value, scope)


def stored(modules: Iterable[Module]) -> dict[str, Nearby[Stored]]:
    """Return what is assigned to attributes and under constant keys, by the attribute's name or the key."""
    found: dict[str, list[Stored]] = {}
    for part, one in stores(modules):
        found.setdefault(part, []).append(one)
    return {part: Nearby((one.scope.module.path, one) for one in every) for part, every in found.items()}


def part_of(target: ast.expr) -> str:
    """Return the name of an attribute, or a constant key as it is written; "" for all else."""
    if isinstance(target, ast.Attribute):
        return target.attr
    key = target.slice if isinstance(target, ast.Subscript) else None
    return f"[{key.value!r}]" if isinstance(key, ast.Constant) else ""


def supposed(holder: ast.expr) -> str:
    """Return what something that is called ``app`` is when nothing else is known of it."""
    if isinstance(holder, ast.Attribute) and holder.attr == "extensions":
        app = supposed(holder.value)
        return f"{app}.extensions" if app else ""
    return "flask.Flask()" if isinstance(holder, ast.Name) and holder.id == "app" else ""
