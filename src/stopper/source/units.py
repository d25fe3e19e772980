"""Units: the parts of a project's code that change one at a time, each with a bit by which sets of them are kept as numbers.

A unit is the body of a function, with all that stands in it. What is left of a module is its frame: imports, variables, classes,
decorators and signatures. Who rests on a unit rests on the frame around it too.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from operator import itemgetter

from stopper.source.module import Kind, Module, Scope

_first = itemgetter(0)


def number(modules: Iterable[Module]) -> Iterator[Module]:
    """Give each scope the bits of the frame and the unit that it stands in, and each module those of all that it holds."""
    count = 0
    for module in modules:
        frame = module.bit = module.scope.bit = 1 << count
        count += 1
        module.units = []
        for scope in module.scopes:
            scope.bit = outside(scope)
            body = _body(scope) if scope.bit == frame and not module.problem else None
            if body is not None:
                scope.bit |= 1 << count
                module.bit |= scope.bit
                module.units.append((*body, scope))
                count += 1
        yield module


def outside(scope: Scope) -> int:
    """Return the bits of what declares a scope: of a function's name, decorators and signature, and not of its body."""
    return scope.parent.bit if scope.parent is not None else scope.bit


def at_line(module: Module, line: int) -> int:
    """Return the bits of what stands in a line."""
    place = _place(module, line)
    return module.scope.bit if place < 0 else module.units[place][2].bit


def texts(module: Module) -> tuple[str, ...]:
    """Return the text of the frame, and that of each unit."""
    content, starts = module.text.content, (*module.text.starts, len(module.text.content))
    frame, units, done = [], [], 0
    for first, last, _ in module.units:
        frame.append(content[done : starts[first - 1]])
        done = starts[min(last, len(starts) - 1)]
        units.append(content[starts[first - 1] : done])
    return "\0".join((*frame, content[done:])), *units


def told(module: Module) -> tuple[object, ...]:
    """Return what the units say of the frame: which attributes methods give to objects, which of its variables functions assign."""
    frame = module.scope.bit
    attributes = [
        (scope.qualname, name, [_place(module, getattr(one.node, "lineno", 0)) for one in bindings])
        for scope in module.scopes
        if scope.kind is Kind.CLASS and scope.bit == frame
        for name, bindings in scope.attributes.items()
    ]
    return attributes, sorted(
        {(name, scope.qualname) for name, scopes in module.rebound.items() for scope in scopes}
    )


def _place(module: Module, line: int) -> int:
    """Return which unit holds a line; -1 where none does."""
    place = bisect_right(module.units, line, key=_first) - 1
    return place if place >= 0 and line <= module.units[place][1] else -1


def _body(scope: Scope) -> tuple[int, int] | None:
    """Return the first and the last line of a function's body; None where it does not stand in lines of its own."""
    node = scope.node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.body:
        return None
    start: ast.AST = node.body[0]
    start = next(iter(getattr(start, "decorator_list", ())), start)
    line, column = getattr(start, "lineno", 0), getattr(start, "col_offset", 0)
    before = scope.module.text.line(line)[:column].strip()
    return (line, node.end_lineno or line) if before in ("", "@") else None
