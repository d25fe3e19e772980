"""The domain: what is known of a value (its taints, its constant, its fields) and of a point of the program."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain
from typing import Any

from stopper.records import dataclass, field
from stopper.taint.ir import Place

MAX_TAINTS = 6
"""How many taints of one value are kept apart."""
MAX_DEPTH = 3
"""How deeply the fields of a value are kept apart."""
MAX_SOURCES = 32
"""How many of one value are kept at all, one for each part of a parameter that it may come from."""
MAX_TRACE = 12
"""How many hops of a trace are kept."""
MAX_FIELDS = 40
"""How many fields of one value are kept apart."""
MAX_CHOICES = 6
"""How many functions or classes one value may be."""

ALL = "*"
"""Stands for every kind of sink."""
IMPLIED = {"page": "html", "page-url": "redirect", "mail-html": "html"}
"""What is safe for the second kind of sink is safe for the first."""
ANY = "[*]"
"""The field of elements at unknown places."""
PAYLOAD = "(payload)"
"""The field of what a text was made of and can be made into again; it is no part of the text."""
CONTENT = "(content)"
"""The field of what the file holds that a path leads to; it is no part of the path."""
KEYS = "[keys]"
"""The field of a dict's unknown keys."""
EACH = "[each]"
"""The part that iteration reads."""
SEQUENCES = frozenset(("list", "tuple"))
CONTAINERS = frozenset(("list", "tuple", "set", "dict", "iterator"))

Hop = tuple[Place, str]


class _Unknown:
    def __repr__(self) -> str:
        return "?"


UNKNOWN = _Unknown()
"""The constant of a value that is not constant."""


@dataclass(slots=True)
class Taint:
    """Data from one source, and what happened to it since; never written to, and not frozen as it is made too often for that."""

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
    _hash: int = field(default=0, init=False, repr=False, compare=False)
    """Worked out when first asked for: what is known of a value is looked up far more often than it is made."""

    def __hash__(self) -> int:
        found = self._hash
        if not found:
            found = self._hash = hash((self.source, self.kind, self.parameter, self.clean, self.marks)) or 1
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the hash out of copies: another process hashes texts in another way."""
        return Taint, (self.source, self.kind, self.parameter, self.clean, self.marks, self.near, self.trace)

    def safe_for(self, kind: str) -> bool:
        """Tell whether the data can no longer harm a sink of ``kind``."""
        return kind in self.clean or ALL in self.clean or IMPLIED.get(kind, kind) in self.clean

    def cleaned(self, kinds: Iterable[str]) -> Taint:
        """Return the taint after a sanitiser or a guard for ``kinds``."""
        clean = self.clean.union(kinds)
        return self if clean == self.clean else self.within(clean, self.marks)

    def marked(self, *marks: str) -> Taint:
        """Return the taint in a further state."""
        found = self.marks.union(marks)
        return self if found == self.marks else self.within(self.clean, found)

    def within(self, clean: frozenset[str], marks: frozenset[str]) -> Taint:
        """Return the taint in this state and no other."""
        return Taint(self.source, self.kind, self.parameter, clean, marks, self.near, self.trace)

    def doubted(self, near: str) -> Taint:
        """Return the taint with this said of a guard on the way, whatever was said before."""
        return Taint(self.source, self.kind, self.parameter, self.clean, self.marks, near, self.trace)

    def hop(self, at: Place, note: str) -> Taint:
        """Return the taint after one more hop; a second hop at one place is left out."""
        trace = self.way(at, note)
        if trace is self.trace:
            return self
        return Taint(self.source, self.kind, self.parameter, self.clean, self.marks, self.near, trace)

    def way(self, at: Place, note: str) -> tuple[Hop, ...]:
        """Return the hops of the taint after one more hop."""
        trace = self.trace
        if at is None or len(trace) >= MAX_TRACE or (trace and trace[-1][0] is at):
            return trace
        return (*trace, (at, note))


@dataclass(slots=True)
class Target:
    """Something that can be called, as a value: a function or a class of the project, a bound method, a partial; never written to."""

    scope: Any
    """The project's function, class or module; None for a library's."""
    name: str = ""
    """The full name of a library's function."""
    receiver: Value | None = None
    """What a bound method is bound to."""
    args: tuple[Value, ...] = ()
    """What ``functools.partial`` has put in front."""
    keywords: tuple[tuple[str, Value], ...] = ()
    outer: tuple[tuple[str, Value], ...] = ()
    """The variables of the enclosing functions, as they stood when the function was defined."""
    _hash: int = field(default=0, init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        found = self._hash
        if not found:
            everything = (self.scope, self.name, self.receiver, self.args, self.keywords, self.outer)
            found = self._hash = hash(everything) or 1
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the hash out of copies: another process hashes texts in another way."""
        return Target, (self.scope, self.name, self.receiver, self.args, self.keywords, self.outer)

    def __repr__(self) -> str:
        return f"Target({self.name or getattr(self.scope, 'dotted', '')})"

    def held(self) -> Iterator[Value]:
        """Yield what it carries along: its receiver, its first arguments, the variables around it."""
        yield from self.args
        if self.receiver is not None:
            yield self.receiver
        for _, value in chain(self.keywords, self.outer):
            yield value

    def mapped(self, change: Callable[[tuple[Taint, ...]], tuple[Taint, ...]]) -> Target:
        """Return the target with ``change`` applied to the taints of everything it holds."""
        if all(value.bare for value in self.held()):
            return self
        return Target(
            self.scope,
            self.name,
            self.receiver.mapped(change) if self.receiver is not None else None,
            tuple([value.mapped(change) for value in self.args]),
            tuple([(name, value.mapped(change)) for name, value in self.keywords]),
            tuple([(name, value.mapped(change)) for name, value in self.outer]),
        )


@dataclass(slots=True)
class Value:
    """What is known of a value; never written to, and not frozen as it is made too often for that."""

    taints: tuple[Taint, ...] = ()
    constant: Any = UNKNOWN
    """A text, bytes, a number, a truth or None; containers are told by their fields."""
    shape: str = ""
    """``list``, ``dict``, ``tuple``, ``set``, ``iterator``; "" for all else."""
    fields: tuple[tuple[str, Value], ...] = ()
    """What is known of parts, apart from the whole: ``.name``, ``['key']``, ``[0]``; ``[*]`` for elements at unknown places and
    ``[keys]`` for unknown keys."""
    literal: str = ""
    """The constant text in a string that is built, with a NUL for each part that is not constant."""
    name: str = ""
    """The full name of a library's object, with ``()`` for the result of a call: ``flask.request``."""
    targets: tuple[Target, ...] = ()
    """What is called when the value is called, as far as it is known."""
    classes: tuple[Any, ...] = ()
    """The project's classes that it may be an instance of."""
    choices: tuple[Any, ...] = ()
    """The constants of which it is one, where these are few and nothing else may be there."""
    _hash: int = field(default=0, init=False, repr=False, compare=False)
    _bare: bool | None = field(default=None, init=False, repr=False, compare=False)
    _weight: int = field(default=0, init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        found = self._hash
        if not found:
            found = self._hash = hash(self.everything) or 1
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the hash out of copies: another process hashes texts in another way."""
        return Value, self.everything

    @property
    def everything(self) -> tuple[Any, ...]:
        """Return all that is known, by which values are equal."""
        return (
            self.taints, self.constant, self.shape, self.fields, self.literal, self.name, self.targets, self.classes,
            self.choices,
        )  # fmt: skip

    def named(self, name: str) -> Value:
        """Return the value as a library's object of that name."""
        if name == self.name:
            return self
        return Value(
            self.taints, self.constant, self.shape, self.fields, self.literal, name, self.targets, self.classes
        )  # fmt: skip

    @property
    def known(self) -> bool:
        """Tell whether the value is one constant."""
        return self.constant is not UNKNOWN

    @property
    def closed(self) -> bool:
        """Tell whether it is a container of which every element is known by its place."""
        if self.taints or self.shape not in CONTAINERS:
            return False
        return ANY not in [name for name, _ in self.fields]

    def items(self) -> list[tuple[str, Value]]:
        """Return the elements of a container: the fields in brackets, in their order; of a list by number."""
        found = [item for item in self.fields if item[0][0] == "[" and item[0] != KEYS]
        return sorted(found, key=_by_number) if self.shape != "dict" else found

    @property
    def bare(self) -> bool:
        """Tell whether nothing in it is tainted: no part, and nothing that it calls."""
        if self._bare is None:
            self._bare = not (
                self.taints
                or any(not part.bare for _, part in self.fields)
                or any(not value.bare for target in self.targets for value in target.held())
            )
        return self._bare

    @property
    def weight(self) -> int:
        """Return how much it is made of, in what it calls as well; a level deeper counts by half more."""
        if not self._weight:
            called = sum([value.weight for target in self.targets for value in target.held()])
            self._weight = 1 + 3 * (called + sum([part.weight for _, part in self.fields])) // 2
        return self._weight

    def every(self) -> tuple[Taint, ...]:
        """Return the taints of the value and of all its parts."""
        if not self.fields or self.bare:
            return self.taints
        inside = [
            found
            for key, part in self.fields
            if (part.taints or part.fields) and key[0] != "(" and (found := part.every())
        ]
        return merged(self.taints, *inside) if inside or len(self.taints) > 1 else self.taints

    def field(self, name: str) -> Value | None:
        """Return what a field holds, None where nothing is known of it apart from the whole."""
        for key, part in self.fields:
            if key == name:
                return part
        return None

    def part(self, name: str) -> Value:
        """Return what a field holds; a part that is not known by itself is as the whole."""
        found = self.field(name) if self.fields else None
        if found is not None and (name != ANY or self.shape != "dict"):
            return found
        if name[0] == ".":
            return Value(self.taints)
        if name == EACH:
            return self._each()
        if name == ANY:
            return self._any()
        if name == "[:]":
            return Value(self.every(), UNKNOWN, self.shape, ((ANY, self._any()),))
        if name.startswith("[-") and not self.closed:
            return self._any()
        if name.startswith("[-"):
            items = self.items()
            place = len(items) + int(name[1:-1]) if name[2:-1].isdecimal() else -1
            return items[place][1] if 0 <= place < len(items) else CLEAN
        rest = self.field(ANY) if self.fields and name[0] == "[" else None
        return Value(self.taints) if rest is None else _with(rest, self.taints)

    def _any(self) -> Value:
        """Return what an element at an unknown place may be."""
        items = self.items()
        if not items or self.shape not in CONTAINERS:
            return Value(self.every())
        return _with(together([part for _, part in items]), self.taints)

    def _each(self) -> Value:
        """Return what iteration gives: the keys of a dict, the elements of all else."""
        if self.shape != "dict":
            return self._any() if self.field(ANY) is None else _with(self.part(ANY), self.taints)
        keys = self.field(KEYS)
        return Value(self.taints) if keys is None else _with(keys, self.taints)

    def with_part(self, name: str, part: Value, depth: int = 0) -> Value:
        """Return the value after a store into a field: a strong update where the field is known."""
        if depth >= MAX_DEPTH:
            flat = self.flat()
            return flat.holding(merged(self.taints, part.every()), flat.fields, flat.constant)
        found = dict(self.fields)
        if name in (ANY, KEYS) and name in found:
            part = joined(found[name], part)
        new = name not in found
        found[name] = part
        if len(found) > MAX_FIELDS:
            return self.holding(self.taints, self.fields, UNKNOWN).flat(part.every())
        fields = sorted(found.items(), key=_name) if new else found.items()
        return self.holding(self.taints, tuple(fields), UNKNOWN)

    def holding(
        self, taints: tuple[Taint, ...], fields: tuple[tuple[str, Value], ...], constant: Any
    ) -> Value:
        """Return the value with other taints, other fields and another constant."""
        return Value(
            taints, constant, self.shape, fields, self.literal, self.name, self.targets, self.classes, self.choices
        )  # fmt: skip

    def flat(self, more: tuple[Taint, ...] = ()) -> Value:
        """Return the value with its fields given up: whatever a field holds may be anywhere."""
        rest = ((ANY, CLEAN),) if self.shape in CONTAINERS else ()
        return self.holding(merged(self.every(), more), rest, self.constant)

    def opened(self) -> Value:
        """Return a container with its elements at unknown places."""
        items = self.items()
        others = [item for item in self.fields if item not in items]
        fields = tuple(sorted([*others, (ANY, self._any())], key=_name))
        return self.holding(self.taints, fields, self.constant)

    def ajar(self) -> Value:
        """Return a dictionary that may have other keys than those that are known, or lack some of them."""
        fields = tuple(sorted([*self.fields, (ANY, CLEAN)], key=_name))
        return self if self.field(ANY) is not None else self.holding(self.taints, fields, self.constant)

    def mapped(self, change: Callable[[tuple[Taint, ...]], tuple[Taint, ...]]) -> Value:
        """Return the value with ``change`` applied to the taints of each of its parts, in what it calls as well."""
        if not self.taints and ((not self.fields and not self.targets) or self.bare):
            return self
        taints = change(self.taints) if self.taints else ()
        fields = tuple([(name, part.mapped(change)) for name, part in self.fields])
        targets = tuple([target.mapped(change) for target in self.targets])
        return Value(
            taints, self.constant, self.shape, fields, self.literal, self.name, targets, self.classes, self.choices
        )  # fmt: skip

    def refined(self, change: Any) -> Value:
        """Return the value with ``change`` applied to each taint; None drops one."""
        if not self.taints and (not self.fields or self.bare):
            return self
        taints = tuple([new for taint in self.taints if (new := change(taint)) is not None])
        fields = tuple([(name, part.refined(change)) for name, part in self.fields])
        return self.holding(taints, fields, self.constant)


CLEAN = Value()


def together(values: list[Value]) -> Value:
    """Return what is known when any one of the values may be there; nothing where there are none."""
    if not values:
        return CLEAN
    result = values[0]
    for value in values[1:]:
        result = joined(result, value)
    return result


def _with(value: Value, taints: tuple[Taint, ...]) -> Value:
    return value.holding(merged(taints, value.taints), value.fields, value.constant) if taints else value


def _name(item: tuple[str, Value]) -> str:
    return item[0]


def _by_number(item: tuple[str, Value]) -> tuple[int, str]:
    return (int(text), "") if (text := item[0][1:-1]).isdecimal() else (MAX_FIELDS, text)


def merged(*groups: Collection[Taint]) -> tuple[Taint, ...]:
    """Return the taints of all groups, each once, the first seen first; past the limit those of one source become one."""
    given = [group for group in groups if group]
    if len(given) < 2:
        if not given or len(given[0]) == 1:
            return tuple(given[0]) if given else ()
        found = dict.fromkeys(given[0])
    else:
        found = dict.fromkeys(chain.from_iterable(given))
    if len(found) > MAX_TAINTS:
        return _narrowed(found)
    every, first = tuple(found), given[0]
    return first if every == first and type(first) is tuple else every


_ELSEWHERE = frozenset(("stored", "kept"))
"""The marks of data that another request left behind; it is never taken for data of this one."""


def _narrowed(taints: Iterable[Taint]) -> tuple[Taint, ...]:
    by_source: dict[tuple[str, int, bool], Taint] = {}
    for taint in taints:
        key = (taint.kind, taint.parameter, not taint.marks.isdisjoint(_ELSEWHERE))
        other = by_source.get(key)
        by_source[key] = (
            taint if other is None else other.within(other.clean & taint.clean, other.marks & taint.marks)
        )
    return tuple(by_source.values())[:MAX_SOURCES]


def joined(one: Value, other: Value) -> Value:
    """Return what is known when either value may be there; ``one`` itself, where the other adds nothing to it."""
    if one is other:
        return one
    first, before = one, one.everything
    if before == other.everything:
        return one
    if one.shape in SEQUENCES and other.shape in SEQUENCES and len(one.fields) != len(other.fields):
        one, other = one.opened(), other.opened()
    elif one.shape == "dict" == other.shape and dict(one.fields).keys() != dict(other.fields).keys():
        one, other = one.ajar(), other.ajar()
    constant, choices = one.constant, ()
    if constant is not other.constant and not _same(constant, other.constant):
        constant = UNKNOWN
    if constant is UNKNOWN and (one.choices or one.constant is not UNKNOWN):
        choices = _choices(one, other)
    taints, its = one.taints, other.taints
    if its and taints is not its:
        taints = merged(taints, its)
    elif len(taints) > 1:
        taints = merged(taints)
    found = (
        taints, constant, one.shape or other.shape, _fields(one, other) if (other.fields or its) and one.fields is not other.fields else one.fields,
        one.literal or other.literal, one.name if one.name == other.name else _name_of(one, other),
        _union(one.targets, other.targets) if other.targets else one.targets,
        _union(one.classes, other.classes) if other.classes else one.classes, choices,
    )  # fmt: skip
    return first if found == before else Value(*found)


def _choices(one: Value, other: Value) -> tuple[Any, ...]:
    """Return the constants that two values may be, if both can be nothing else."""
    left = (one.constant,) if one.known else one.choices
    right = (other.constant,) if other.known else other.choices
    if not left or not right:
        return ()
    both = tuple(dict.fromkeys((*left, *right)))
    return both if len(both) <= MAX_CHOICES else ()


def _fields(one: Value, other: Value) -> tuple[tuple[str, Value], ...]:
    if not one.fields or not other.fields:
        rest = Value(other.taints if one.fields else one.taints)  # what may be under any key of the other
        told = one.fields or other.fields
        return tuple([(name, joined(part, rest) if name[:2] == "['" else part) for name, part in told])
    left, right, found = dict(one.fields), dict(other.fields), []
    for name in sorted(left | right):
        mine, its = left.get(name), right.get(name)
        if mine is not its or mine is None:
            mine = joined(mine or one.part(name), its or other.part(name))
        found.append((name, mine))
    return tuple(found)


def _name_of(one: Value, other: Value) -> str:
    """Return the name that both have; a value that was None before it was set keeps the name it was given."""
    if other.constant is None:
        return one.name
    return other.name if one.constant is None else ""


def _union(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    if one == other or not other:
        return one
    return tuple(dict.fromkeys((*one, *other)))[:MAX_CHOICES]


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
