"""The domain: what is known of a value (its taints, its constant, its fields) and of a point of the program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stopper.taint.ir import Place

MAX_TAINTS = 6
"""How many taints of one value are kept apart."""
MAX_DEPTH = 3
"""How deeply the fields of a value are kept apart."""
MAX_TRACE = 12
"""How many hops of a trace are kept."""

ALL = "*"
"""Stands for every kind of sink."""

Hop = tuple[Place, str]


class _Unknown:
    def __repr__(self) -> str:
        return "?"


UNKNOWN = _Unknown()
"""The constant of a value that is not constant."""


@dataclass(frozen=True, slots=True)
class Taint:
    """Data from one source, and what happened to it since."""

    source: str
    """What is read, as a reader knows it: ``request.args['q']``."""
    kind: str = "request"
    """``request``, ``exception``, or ``parameter`` while a function is summarised."""
    parameter: int = -1
    """For ``parameter``: which one."""
    clean: frozenset[str] = frozenset()
    """The kinds of sinks that this data can no longer harm."""
    marks: frozenset[str] = frozenset()
    """States: ``built`` (one part of a longer string), ``normalised`` (a path), ``slashes`` (no backslash is left) and so on."""
    near: str = field(default="", compare=False)
    """A guard on the way that does not count, and why."""
    trace: tuple[Hop, ...] = field(default=(), compare=False)
    """The hops since the source, the source first."""

    def safe_for(self, kind: str) -> bool:
        """Tell whether the data can no longer harm a sink of ``kind``."""
        return kind in self.clean or ALL in self.clean

    def cleaned(self, kinds: Iterable[str]) -> Taint:
        """Return the taint after a sanitiser or a guard for ``kinds``."""
        return replace(self, clean=self.clean | frozenset(kinds))

    def marked(self, *marks: str) -> Taint:
        """Return the taint in a further state."""
        return replace(self, marks=self.marks | frozenset(marks))

    def hop(self, at: Place, note: str) -> Taint:
        """Return the taint after one more hop; a second hop at one place is left out."""
        if at is None or len(self.trace) >= MAX_TRACE or (self.trace and self.trace[-1][0] is at):
            return self
        return replace(self, trace=(*self.trace, (at, note)))


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of a value."""

    taints: tuple[Taint, ...] = ()
    constant: Any = UNKNOWN
    shape: str = ""
    """``list``, ``dict``, ``tuple``, ``set``, ``iterator``; "" for all else."""
    fields: tuple[tuple[str, Value], ...] = ()
    """What is known of parts, apart from the whole."""
    literal: str = ""
    """The constant text in a string that is built, with a NUL for each part that is not constant."""

    @property
    def known(self) -> bool:
        """Tell whether the value is one constant."""
        return self.constant is not UNKNOWN

    def every(self) -> tuple[Taint, ...]:
        """Return the taints of the value and of all its parts."""
        if not self.fields:
            return self.taints
        return merged(self.taints, *(part.every() for _, part in self.fields))

    def part(self, name: str) -> Value:
        """Return what a field holds; a part that is not known by itself is as the whole."""
        found = dict(self.fields)
        if name in found:
            return found[name]
        if name in ("[*]", "[:]"):
            return Value(self.every(), shape=self.shape if name == "[:]" else "")
        if "[*]" in found:
            return Value(merged(self.taints, found["[*]"].every()))
        return Value(self.taints)

    def with_part(self, name: str, part: Value, depth: int = 0) -> Value:
        """Return the value after a store into a field: a strong update where the field is known."""
        if depth >= MAX_DEPTH:
            return Value(merged(self.taints, part.every()), shape=self.shape)
        found = dict(self.fields)
        if name == "[*]" and name in found:
            part = joined(found[name], part)
        found[name] = part if len(part.fields) < 40 else Value(part.every(), shape=part.shape)
        return Value(self.taints, UNKNOWN, self.shape, tuple(sorted(found.items())))

    def mapped(self, taints: Iterable[Taint]) -> Value:
        """Return a flat value with these taints instead."""
        return Value(tuple(taints))

    def refined(self, change: Any) -> Value:
        """Return the value with ``change`` applied to each taint; None drops one."""
        taints = tuple(new for taint in self.taints if (new := change(taint)) is not None)
        fields = tuple((name, part.refined(change)) for name, part in self.fields)
        return replace(self, taints=taints, fields=fields)


CLEAN = Value()
State = Mapping[str, Value]


def merged(*groups: Iterable[Taint]) -> tuple[Taint, ...]:
    """Return the taints of all groups, each once, the first seen first; past the limit those of one source become one."""
    found: dict[Taint, None] = {}
    for group in groups:
        for taint in group:
            found.setdefault(taint)
    return tuple(found) if len(found) <= MAX_TAINTS else _narrowed(found)


def _narrowed(taints: Iterable[Taint]) -> tuple[Taint, ...]:
    by_source: dict[tuple[str, int], Taint] = {}
    for taint in taints:
        key = (taint.kind, taint.parameter)
        other = by_source.get(key)
        by_source[key] = (
            taint
            if other is None
            else replace(other, clean=other.clean & taint.clean, marks=other.marks & taint.marks)
        )
    return tuple(by_source.values())


def joined(one: Value, other: Value) -> Value:
    """Return what is known when either value may be there."""
    if one is other or one == other:
        return one
    constant = one.constant if _same(one.constant, other.constant) else UNKNOWN
    names = [*dict(one.fields), *(name for name, _ in other.fields if name not in dict(one.fields))]
    fields = tuple(sorted((name, joined(one.part(name), other.part(name))) for name in names))
    shape = one.shape if one.shape == other.shape else one.shape or other.shape
    literal = one.literal if one.literal == other.literal else one.literal or other.literal
    return Value(merged(one.taints, other.taints), constant, shape, fields, literal)


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and bool(one == other))


def joined_states(one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    """Return what is known where two ways meet; a variable that only one way sets may hold what that way put there."""
    result = dict(one)
    for name, value in other.items():
        before = result.get(name)
        result[name] = value if before is None else joined(before, value)
    return result
