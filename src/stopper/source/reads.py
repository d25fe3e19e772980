"""What a function reads of what a call gave it."""

from __future__ import annotations

import ast

from stopper.source.code import Call


def keys_read(call: Call) -> frozenset[str] | None:
    """Return the keys that are read of a call's result, ``d["iss"]`` and ``d.get("iss")``; None where it is used otherwise, too."""
    body = call.scope.node
    parents = {child: parent for parent in ast.walk(body) for child in ast.iter_child_nodes(parent)}
    made = parents.get(call.node)
    if not isinstance(made, ast.Assign):
        key = _key(call.node, parents)
        return None if key is None else frozenset((key,))
    if len(made.targets) != 1 or not isinstance(made.targets[0], ast.Name):
        return None
    uses = [
        node
        for node in ast.walk(body)
        if isinstance(node, ast.Name) and node.id == made.targets[0].id and node is not made.targets[0]
    ]
    keys = [_key(use, parents) for use in uses]
    return frozenset(key for key in keys if key is not None) if keys and None not in keys else None


def _key(node: ast.expr, parents: dict[ast.AST, ast.AST]) -> str | None:
    """Return the constant key that is read of an expression, None where something else is done with it."""
    around = parents.get(node)
    key: ast.expr | None = None
    if isinstance(around, ast.Subscript) and around.value is node and isinstance(around.ctx, ast.Load):
        key = around.slice
    elif isinstance(around, ast.Attribute) and around.attr == "get":
        got = parents.get(around)
        key = got.args[0] if isinstance(got, ast.Call) and got.func is around and got.args else None
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
