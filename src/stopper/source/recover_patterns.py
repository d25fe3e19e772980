"""The patterns of ``match``: from tree-sitter's nodes to those of ``ast``."""

from __future__ import annotations

import ast

from stopper.source.recover_part import OPAQUE, Lost, Part
from stopper.source.recover_strings import word

_WITHIN = {"case_pattern", "union_pattern", "keyword_pattern", "dict_pattern", "splat_pattern"}


def is_pattern(part: Part) -> bool:
    """Tell whether a list or tuple stands in a ``case``, where it is a pattern."""
    return part.outer in _WITHIN or any(child.kind == "case_pattern" for child in part.children)


def patterns(parts: list[Part]) -> list[ast.pattern]:
    """Build the patterns of nodes side by side; a minus belongs to the number after it."""
    made: list[ast.pattern] = []
    minus: Part | None = None
    for part in parts:
        if part.kind == "-":
            minus = part
        elif part.kind == "_":
            made.append(part.at(ast.MatchAs()))
        elif part.named and part.kind != "ERROR":
            made.append(_negative(minus, part) if minus is not None else pattern(part))
            minus = None
    return made


def _negative(minus: Part, part: Part) -> ast.pattern:
    value = part.between(ast.UnaryOp(ast.USub(), part.expr()), minus, part)
    return part.between(ast.MatchValue(value), minus, part)


def pattern(part: Part) -> ast.pattern:
    """Return the pattern made of a node; a value becomes one that is compared."""
    made = part.made
    if isinstance(made, ast.pattern):
        return made
    if part.kind == "dotted_name":
        return _dotted(part)
    if isinstance(made, ast.Constant) and (made.value is None or isinstance(made.value, bool)):
        return part.at(ast.MatchSingleton(made.value))
    return part.at(ast.MatchValue(part.expr()))


def _dotted(part: Part) -> ast.pattern:
    name = dotted_expression(part)
    if not isinstance(name, ast.Name):
        return part.at(ast.MatchValue(name))
    return part.at(ast.MatchAs(name=name.id) if name.id != "_" else ast.MatchAs())


def dotted_expression(part: Part) -> ast.expr:
    """Build ``a.b.c`` of a dotted name."""
    first, *others = part.parts
    made: ast.expr = first.at(ast.Name(word(first), ast.Load()))
    for other in others:
        made = part.between(ast.Attribute(made, word(other), ast.Load()), first, other)
    return made


def case_pattern(part: Part) -> ast.pattern:
    """Build the pattern of a case."""
    made = patterns(part.children)
    if not made:
        raise Lost("case_pattern")
    return made[0]


def union(part: Part) -> ast.pattern:
    """Build ``a | b``."""
    return part.at(ast.MatchOr(patterns(part.children)))


def sequence(part: Part) -> ast.pattern:
    """Build a list or tuple pattern; one pattern in parentheses is only in parentheses."""
    made = patterns(part.children)
    if part.kind == "tuple_pattern" and len(made) == 1 and not part.has(","):
        return made[0]
    return part.at(ast.MatchSequence(made))


def splat(part: Part) -> ast.pattern:
    """Build ``*rest``; ``**rest`` too, which the mapping takes apart again."""
    name = part.parts[0].text if part.parts else None
    return part.at(ast.MatchStar(name if name != "_" else None))


def mapping(part: Part) -> ast.pattern:
    """Build a dict pattern."""
    keys = patterns([child for child in part.children if child.label == "key"])
    values = patterns([child for child in part.children if child.label == "value"])
    rest = next((child.made.name for child in part.children if isinstance(child.made, ast.MatchStar)), None)
    return part.at(ast.MatchMapping([_key(key) for key in keys], values, rest))


def _key(key: ast.pattern) -> ast.expr:
    if isinstance(key, ast.MatchValue):
        return key.value
    value: ast.expr = (
        ast.Constant(key.value) if isinstance(key, ast.MatchSingleton) else ast.Name(OPAQUE, ast.Load())
    )
    return ast.copy_location(value, key)


def class_(part: Part) -> ast.pattern:
    """Build ``Name(pattern, field=pattern)``."""
    name, *cases = part.parts
    by_position: list[ast.pattern] = []
    names: list[str] = []
    by_name: list[ast.pattern] = []
    for case in cases:
        keyword = case.first("keyword_pattern")
        if keyword is None:
            by_position.append(pattern(case))
        else:
            names.append(word(keyword.only()))
            by_name.append(pattern(case))
    return part.at(ast.MatchClass(dotted_expression(name), by_position, names, by_name))


def keyword(part: Part) -> ast.pattern:
    """Build the pattern of ``field=pattern``; the class takes the name."""
    return patterns(part.children[part.children.index(part.only()) + 1 :])[0]


def as_(part: Part) -> ast.pattern:
    """Build ``pattern as name``."""
    case = part.only()
    return part.at(ast.MatchAs(pattern(case), word(part.parts[-1])))


def complex_(part: Part) -> ast.pattern:
    """Build ``1 + 2j``."""
    left, right = part.parts
    value: ast.expr = left.expr()
    if part.children[0].kind == "-":
        value = part.between(ast.UnaryOp(ast.USub(), value), part.children[0], left)
    sign = part.children[part.children.index(right) - 1].kind
    return part.at(
        ast.MatchValue(part.at(ast.BinOp(value, ast.Add() if sign == "+" else ast.Sub(), right.expr())))
    )
