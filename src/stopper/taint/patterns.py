"""Lower the patterns of ``match``: tests on the subject and the names they bind; a pattern that always fits ends the match."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stopper.taint.ir import AccessPath, Assign, Call, Compare, Constant, Edge, Load, Operand

if TYPE_CHECKING:
    from stopper.taint.expressions import Expressions


def match_pattern(
    lowering: Expressions, pattern: ast.pattern, subject: Operand, inside: int, following: int
) -> None:
    """Lower one pattern: control goes to block ``inside`` where ``subject`` fits, to ``following`` where it does not."""
    lower = _TABLE.get(type(pattern), _unknown)
    lower(lowering, pattern, subject, inside, following)


def _unknown(lowering: Expressions, pattern: Any, subject: Operand, inside: int, following: int) -> None:
    del pattern, subject
    lowering.current.edges += [Edge(inside), Edge(following)]


def _value(
    lowering: Expressions, pattern: ast.MatchValue, subject: Operand, inside: int, following: int
) -> None:
    test = lowering.temporary()
    lowering.emit(Compare(test, "==", subject, lowering.value(pattern.value), pattern))
    lowering.branch(test, inside, following)


def _singleton(
    lowering: Expressions, pattern: ast.MatchSingleton, subject: Operand, inside: int, following: int
) -> None:
    test = lowering.temporary()
    lowering.emit(Compare(test, "is", subject, Constant(pattern.value), pattern))
    lowering.branch(test, inside, following)


def _either(
    lowering: Expressions, pattern: ast.MatchOr, subject: Operand, inside: int, following: int
) -> None:
    for choice in pattern.patterns:
        other = lowering.block()
        match_pattern(lowering, choice, subject, inside, other)
        lowering.enter(other)
    lowering.jump(following)


def _name(lowering: Expressions, pattern: ast.MatchAs, subject: Operand, inside: int, following: int) -> None:
    if pattern.pattern is not None:
        fits = lowering.block()
        match_pattern(lowering, pattern.pattern, subject, fits, following)
        lowering.enter(fits)
    if pattern.name:
        lowering.emit(Assign(AccessPath(pattern.name), subject, pattern))
    lowering.jump(inside)


def _sequence(
    lowering: Expressions, pattern: ast.MatchSequence, subject: Operand, inside: int, following: int
) -> None:
    starred = next((at for at, part in enumerate(pattern.patterns) if isinstance(part, ast.MatchStar)), None)
    parts: list[tuple[str, ast.pattern]] = []
    for at, part in enumerate(pattern.patterns):
        place = at if starred is None or at < starred else at - len(pattern.patterns)
        parts.append(("[*]" if at == starred else f"[{place}]", part))
    _parts(lowering, parts, pattern, subject, inside, following)


def _mapping(
    lowering: Expressions, pattern: ast.MatchMapping, subject: Operand, inside: int, following: int
) -> None:
    keys = [f"[{key.value!r}]" if isinstance(key, ast.Constant) else "[*]" for key in pattern.keys]
    if pattern.rest:
        lowering.emit(Assign(AccessPath(pattern.rest), subject, pattern))
    _parts(lowering, list(zip(keys, pattern.patterns, strict=True)), pattern, subject, inside, following)


def _class(
    lowering: Expressions, pattern: ast.MatchClass, subject: Operand, inside: int, following: int
) -> None:
    test, fits = lowering.temporary(), lowering.block()
    case = AccessPath(f"case {test}")
    lowering.emit(Assign(case, subject))
    kind = lowering.value(pattern.cls)
    lowering.emit(Call(test, "isinstance", "isinstance", None, (case, kind), at=pattern))
    lowering.branch(test, fits, following)
    lowering.enter(fits)
    names = [f".{name}" for name in pattern.kwd_attrs]
    itself = getattr(pattern.cls, "id", "") in (
        "str",
        "int",
        "float",
        "bytes",
        "bool",
        "list",
        "dict",
        "tuple",
        "set",
    )
    places = ["" if itself else "[*]" for _ in pattern.patterns]
    parts = [*zip(places, pattern.patterns, strict=True), *zip(names, pattern.kwd_patterns, strict=True)]
    _parts(lowering, parts, pattern, case, inside, following)


def _parts(
    lowering: Expressions,
    parts: list[tuple[str, ast.pattern]],
    at: ast.AST,
    subject: Operand,
    inside: int,
    following: int,
) -> None:
    """Lower the patterns inside a pattern, each against a part of the subject; whether the rest fits stays open."""
    for part, pattern in parts:
        piece = subject
        if part:
            target = lowering.temporary()
            lowering.emit(Load(target, subject, part, at=at))
            piece = target
        fits = lowering.block()
        match_pattern(lowering, pattern, piece, fits, following)
        lowering.enter(fits)
    lowering.current.edges += [Edge(inside), Edge(following)]


def _star(
    lowering: Expressions, pattern: ast.MatchStar, subject: Operand, inside: int, following: int
) -> None:
    del following
    if pattern.name:
        lowering.emit(Assign(AccessPath(pattern.name), subject, pattern))
    lowering.jump(inside)


_TABLE: dict[type[ast.pattern], Callable[[Expressions, Any, Operand, int, int], None]] = {
    ast.MatchValue: _value,
    ast.MatchSingleton: _singleton,
    ast.MatchOr: _either,
    ast.MatchAs: _name,
    ast.MatchSequence: _sequence,
    ast.MatchMapping: _mapping,
    ast.MatchClass: _class,
    ast.MatchStar: _star,
}
