"""Binding: how arguments meet parameters, and how a function's answer is read with the arguments put in for the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from stopper.taint.constants import numbered
from stopper.taint.domain import (
    ANY,
    CLEAN,
    EACH,
    KEYS,
    SEQUENCES,
    UNKNOWN,
    Taint,
    Value,
    joined,
    merged,
    together,
)
from stopper.taint.ir import Function, Place

_FILE = ".filename"
_FILES = "request.files"
_WHOLE = (
    "request.json",
    "request.get_json()",
    "request.payload",
    "request.form",
    "request.args",
    "request.values",
)
MAX_CONSTANT = 80
"""How long a text may be to tell one way of calling a function from another."""


def bound(
    function: Function, args: tuple[Value, ...], stars: tuple[int, ...], keywords: Mapping[str, Value]
) -> dict[str, Value]:
    """Return what each parameter holds, for those that something was passed for; ``*`` and ``**`` are spread."""
    signature = function.signature
    given, rest = _spread(args, stars)
    found = dict(zip(signature.positional, given, strict=False))
    if rest is not None:
        found.update(dict.fromkeys(signature.positional[len(given) :], rest))
    if signature.star:
        more = numbered("tuple", given[len(signature.positional) :])
        found[signature.star] = more if rest is None else more.opened().with_part(ANY, rest)
    if not keywords and not signature.double_star:
        return found
    given_names, loose, keys = named(keywords)
    extra = Value(shape="dict")
    for key, value in given_names.items():
        if key in function.params and key not in (signature.star, signature.double_star):
            found[key] = value
        else:
            extra = extra.with_part(f"[{key!r}]", value)
    if loose is not None:
        extra = extra.with_part(ANY, loose).with_part(KEYS, keys)
        for name in function.params:
            found.setdefault(name, loose)
    if signature.double_star:
        found[signature.double_star] = extra
    return found


def _spread(args: tuple[Value, ...], stars: tuple[int, ...]) -> tuple[list[Value], Value | None]:
    """Return the arguments with a known place, and what those behind them may be."""
    if not stars:
        return list(args), None
    given: list[Value] = []
    rest: Value | None = None
    for place, value in enumerate(args):
        pieces = [value]
        if place in stars and value.closed and value.shape in SEQUENCES:
            pieces = [item for _, item in value.items()]
        elif place in stars:
            rest = together([value.part(EACH), *([rest] if rest else [])])
            continue
        if rest is None:
            given += pieces
        else:
            rest = together([rest, *pieces])
    return given, rest


def spread(args: tuple[Value, ...], stars: tuple[int, ...]) -> list[Value]:
    """Return arguments with ``*values`` spread; those whose number is not known are one argument, of any of their taints."""
    given, rest = _spread(args, stars)
    return given if rest is None else [*given, Value(rest.every())]


def named(keywords: Mapping[str, Value]) -> tuple[dict[str, Value], Value | None, Value]:
    """Return the keywords by name, what ``**`` may pass under names that are not known, and what these names are."""
    found = {key: value for key, value in keywords.items() if key != "**"}
    spread = keywords.get("**")
    if spread is None:
        return found, None, CLEAN
    for part, value in spread.fields:
        if part.startswith("['"):
            found.setdefault(part[2:-2], value)
    other = spread.field(ANY)
    loose = Value(spread.taints) if other is None else joined(other, Value(spread.taints))
    return found, loose if loose != CLEAN else None, spread.field(KEYS) or Value(spread.taints)


class Tokens:
    """Stand-ins for the taints of arguments, so that a function is solved once for all data that comes in the same way."""

    def __init__(self) -> None:
        """Start without any."""
        self.given: list[tuple[Taint, ...]] = []
        self.holders: list[str] = []
        """The parameter that each token came in with."""
        self._holder = ""

    def abstract(self, values: Mapping[str, Value], *, general: bool, plain: bool) -> dict[str, Value]:
        """Return the values with tokens for their taints.

        Args:
            values: What the parameters hold, by name.
            general: Whether to forget all constants.
            plain: Whether to forget the constants of values without taints.
        """
        return {name: self._settled(name, value, general, plain) for name, value in values.items()}

    def flattened(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return the values with tokens for their taints and little else."""
        found: dict[str, Value] = {}
        for name, value in values.items():
            self._holder = name
            targets = tuple(target.mapped(self.tokens) for target in value.targets)
            found[name] = Value(
                self.tokens(value.every()), name=value.name, targets=targets, classes=value.classes
            )
        return found

    def _settled(self, name: str, value: Value, general: bool, plain: bool) -> Value:
        self._holder = name
        if value is CLEAN:
            return value
        if general or (plain and not value.every()):
            return _general(value.mapped(self.tokens))
        if isinstance(value.constant, str | bytes) and len(value.constant) > MAX_CONSTANT:
            value = replace(value, constant=UNKNOWN)
        return value.mapped(self.tokens)

    def tokens(self, taints: tuple[Taint, ...]) -> tuple[Taint, ...]:
        """Return one token for all taints in the same state."""
        groups: dict[tuple[frozenset[str], frozenset[str], str], list[Taint]] = {}
        for taint in taints:
            groups.setdefault((taint.clean, taint.marks, _origin(taint)), []).append(taint)
        return tuple(self._token(group) for group in groups.values())

    def _token(self, group: list[Taint]) -> Taint:
        self.given.append(tuple(group))
        self.holders.append(self._holder)
        first = group[0]
        return Taint(_origin(first), "parameter", len(self.given) - 1, first.clean, first.marks)


def _origin(taint: Taint) -> str:
    """Return how an upload, the name of one, and all that a client sent together are told from what is only known by its state."""
    if taint.source.endswith(_FILE):
        return _FILE
    if taint.source.startswith(_FILES):
        return _FILES
    return _WHOLE[0] if taint.source in _WHOLE else ""


def _general(value: Value) -> Value:
    """Return a value without its constants; a container that holds nothing else is any container of its shape."""
    constant, fields = value.constant if value.constant is None else UNKNOWN, value.fields
    if fields:
        parts = [(name, _general(part)) for name, part in fields]
        if value.shape and not value.taints and all(part in (CLEAN, _NOTHING) for _, part in parts):
            parts = [(ANY, CLEAN)]
        fields = tuple(parts)
    elif value.shape and not value.taints:
        fields = ((ANY, CLEAN),)
    elif constant is value.constant and not value.literal and not value.choices:
        return value
    return Value(value.taints, constant, value.shape, fields, "", value.name, value.targets, value.classes)


_NOTHING = Value(constant=None)


class Answer:
    """A function's answer read at a call: its tokens are the arguments' taints."""

    def __init__(self, tokens: Tokens, at: Place, called: str, passed: frozenset[str] = frozenset()) -> None:
        """Take the tokens that the function was solved with, where the call stands, what it is called and what is passed to it."""
        self.given = tokens.given
        self._holders = tokens.holders
        self._passed = passed
        self.at = at
        self.called = called

    def value(self, value: Value) -> Value:
        """Return a value of the function as the caller sees it."""
        return value.mapped(self._returned)

    def reaching(self, taint: Taint) -> list[Taint]:
        """Return the caller's taints that a taint stands for which reached a sink in the function."""
        if taint.kind != "parameter":
            return [taint]
        known = 0 <= taint.parameter < len(self._holders)
        handed = known and self._holders[taint.parameter] in self._passed
        return self.taints(taint, f"passed to {self.called}()" if handed else f"used by {self.called}()")

    def taints(self, taint: Taint, note: str) -> list[Taint]:
        """Return the caller's taints that a taint of the function stands for."""
        if taint.kind != "parameter":
            return [taint]
        given = self.given[taint.parameter] if 0 <= taint.parameter < len(self.given) else ()
        return [_met(one, taint, one.way(self.at, note)) for one in given]

    def _returned(self, taints: tuple[Taint, ...]) -> tuple[Taint, ...]:
        found: list[Taint] = []
        for taint in taints:
            if taint.kind != "parameter":
                found.append(taint.hop(self.at, f"returned by {self.called}()"))
            else:
                found += self.taints(taint, f"goes through {self.called}()")
        return merged(found)


def _met(given: Taint, inside: Taint, trace: tuple[tuple[Place, str], ...]) -> Taint:
    named = inside.source.endswith(_FILE) and not given.source.endswith(_FILE)
    source = given.source + _FILE if named else given.source
    met = (*trace, *inside.trace)[:_LONGEST]
    near = given.near or inside.near
    if "member" in inside.marks and given.source.startswith(_FILES):
        near = inside.near  # what is asked of an archive says nothing of the names in it
    return Taint(source, given.kind, given.parameter, given.clean | inside.clean, inside.marks, near, met)


_LONGEST = 24
