"""Stable names: how values are kept from one run to the next, of a project of which the parts that they name did not change.

A scope is named by its module, the unit in it and its number there, a place in the code by the operation that stands there. What is read back is
checked: nothing but what is listed here can be made of it, so that nothing in it can run. What code holds as constants may be
secret, and is sealed with the code itself.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import hashlib
import io
import pickle
import struct
from collections.abc import Callable, Iterable
from functools import cached_property, reduce
from itertools import compress
from operator import xor
from typing import Any

from stopper.finding import Confidence, Location, RouteRef, Step
from stopper.source.module import Module, Scope
from stopper.source.units import at_line, outside, texts
from stopper.taint.domain import UNKNOWN, Taint, Target, Value
from stopper.taint.program import Program
from stopper.taint.travel import PLACE, Travel

Scopes = tuple[tuple[int, int, int], ...]
"""Functions: the number of a module, that of a unit, 0 for the frame, and those of the scopes that it declares, one bit each."""
_ENTRY = "entry"
_KNOWN: dict[tuple[str, str], Any] = {
    (one.__module__, one.__qualname__): one
    for one in (Value, Taint, Target, Location, Step, RouteRef, Confidence, frozenset, set, complex)
}


def _member(kind: object, name: str) -> enum.Enum:
    """Return a member of an enumeration, which the first releases of Python 3.11 keep as a call of `getattr`."""
    if not isinstance(kind, type) or not issubclass(kind, enum.Enum):
        raise pickle.UnpicklingError(f"{name} of {kind!r} is nothing that is kept")
    return kind[name]


_KNOWN["builtins", "getattr"] = _member


class Stable(Travel):
    """The names of one project's parts, which are the same in a later run."""

    def __init__(self, program: Program, modules: Iterable[Module], entered: Iterable[Scope]) -> None:
        """Number the modules; of the functions ``entered`` the parameters and the decorators have names too."""
        modules = tuple(modules)
        super().__init__(program, modules)
        self.named_parts = 0
        """The parts of the code in which something was named since somebody set it to 0, one bit each."""
        self._modules = {module.path: module for module in modules}
        self._parts: dict[int, tuple[int, int, int]] = {}
        self._declared = [_declared(module) for module in modules]
        for number, units in enumerate(self._declared):
            for unit, scopes in enumerate(units):
                self._parts.update((id(scope), (number, unit, place)) for place, scope in enumerate(scopes))
        self._seals: dict[tuple[int, int], int] = {}
        self._entered = tuple(entered)
        self._entries: dict[int, tuple[int, int]] = {}

    def scope(self, module: int, unit: int, number: int) -> Scope:
        """Return the scope of a number in a unit of a module."""
        if min(module, unit, number) < 0:
            raise IndexError("nothing has such a number")
        return self._declared[module][unit][number]

    def every_scope(self, every: Iterable[Scopes]) -> set[int]:
        """Return functions by the identity of their scopes."""
        masks: dict[tuple[int, int], int] = {}
        for scopes in every:
            for module, unit, mask in scopes:
                masks[module, unit] = masks.get((module, unit), 0) | mask
        return {
            id(self.scope(module, unit, number))
            for (module, unit), mask in masks.items()
            for number in range(mask.bit_length())
            if mask >> number & 1
        }

    def numbered(self, scopes: Iterable[int]) -> Scopes:
        """Return functions by their numbers, of scopes by their identity."""
        masks: dict[tuple[int, int], int] = {}
        for scope in scopes:
            found = self._parts.get(scope)
            if found is not None:
                masks[found[:2]] = masks.get(found[:2], 0) | 1 << found[2]
        return tuple(sorted([(*place, mask) for place, mask in masks.items()]))

    def note_path(self, path: str) -> None:
        """Note that a place in a file was named that is not found again where lines are added above it."""
        module = self._modules.get(path)
        self.named_parts |= module.bit if module is not None else 0

    def note_lines(self, location: Location) -> None:
        """Note that lines were named."""
        module = self._modules.get(location.path)
        if module is not None:
            self.named_parts |= at_line(module, location.line) | at_line(module, location.end_line)

    def name(self, thing: object) -> Any:
        """Return the name of what stands in the project; None for what is copied."""
        found: Any
        if isinstance(thing, Location):
            self.note_path(thing.path)
        try:
            found = super().name(thing)
        except pickle.PicklingError:
            found = self._entry(thing)
        if found is None or thing is UNKNOWN:
            return found
        kind, number, ordinal = found
        scope = self.scopes[number]
        self.named_parts |= scope.bit if kind == PLACE else outside(scope)
        return kind, *self._parts[id(scope)], ordinal

    def _entry(self, thing: object) -> tuple[str, int, int]:
        """Return the name of a parameter or of a part of a decorator; most projects have none that must be named."""
        for scope in self._entered:
            number = self._numbers.get(id(scope))
            for ordinal, node in enumerate(_signature(scope) if number is not None else ()):
                self._entries.setdefault(id(node), (number or 0, ordinal))
        self._entered = ()
        if id(thing) not in self._entries:
            raise pickle.PicklingError(f"nothing of that name stands in the project: {type(thing).__name__}")
        return (_ENTRY, *self._entries[id(thing)])

    def named(self, name: Any) -> Any:
        """Return what has a name."""
        if len(name) == 3:
            return super().named(name)
        kind, module, unit, inside, ordinal = name
        scope = self.scope(module, unit, inside)
        if kind == _ENTRY:
            return _signature(scope)[ordinal]
        return super().named((kind, self._numbers[id(scope)], ordinal))

    def load(self, raw: bytes) -> Any:
        """Return what an earlier run has dumped; raises whatever false bytes may make it raise."""
        return _Checked(raw, self.named).load()

    def sealed(self, raw: bytes, rests: int) -> bytes:
        """Return bytes that only who has some parts of the code can read; or what these were, of sealed ones."""
        size, seal = (rests.bit_length() + 63) // 64, 0
        for place, word in enumerate(struct.unpack(f"<{size}Q", rests.to_bytes(8 * size, "little"))):
            if word:
                seal ^= self._seal(place, word)
        key = hashlib.blake2b(seal.to_bytes(32, "big"), digest_size=32, person=b"stopper-seal").digest()
        stream = hashlib.shake_256(key).digest(len(raw))
        return (int.from_bytes(raw, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(raw), "big")

    def _seal(self, place: int, word: int) -> int:
        """Return what stands for those of 64 neighbouring parts that have a bit, whatever their numbers are."""
        found = self._seals.get((place, word))
        if found is None:
            chosen = self._code[64 * place : 64 * place + 64]
            found = self._seals[place, word] = reduce(xor, compress(chosen, map(int, f"{word:b}"[::-1])))
        return found

    @cached_property
    def _code(self) -> list[int]:
        """What stands for the text of each part."""
        return [_seal_of(text) for module in self._modules.values() for text in texts(module)]

    def digest(self, thing: object) -> str:
        """Return a digest of values that is the same in a later run, "" where something in them has no name, or was not learnt."""
        try:
            text = repr(self._plain(thing))
        except pickle.PicklingError:
            return ""
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()

    def _plain(self, thing: Any) -> object:
        """Return the same as texts, numbers and tuples, in an order of its own where it has none."""
        if thing is None or isinstance(thing, str | bytes | int | float | complex):
            return f"{type(thing).__name__} {thing!r}"
        if isinstance(thing, tuple | list):
            return [type(thing).__name__, *[self._plain(one) for one in thing]]
        if isinstance(thing, dict):
            return ["dict", *[(self._plain(key), self._plain(value)) for key, value in thing.items()]]
        if isinstance(thing, set | frozenset):
            return ["set", *sorted([repr(self._plain(one)) for one in thing])]
        if isinstance(thing, enum.Enum):
            return str(thing)
        if isinstance(thing, Scope | ast.AST) or thing is UNKNOWN:
            return self.name(thing)
        if isinstance(thing, Module):
            return thing.path
        if dataclasses.is_dataclass(thing):
            names = [one.name for one in dataclasses.fields(thing) if one.init]
            return [type(thing).__name__, *[self._plain(getattr(thing, name)) for name in names]]
        return f"{type(thing).__name__} {thing!r}"


class _Checked(pickle.Unpickler):
    """Read names and values, and make nothing else."""

    def __init__(self, raw: bytes, named: Callable[[Any], Any]) -> None:
        super().__init__(io.BytesIO(raw))
        self._named = named

    def persistent_load(self, pid: Any) -> Any:
        return self._named(pid)

    def find_class(self, module: str, name: str) -> Any:
        found = _KNOWN.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name} is nothing that is kept")
        return found


def checked(raw: bytes) -> Any:
    """Return what bytes hold that name nothing of a project, None where they are none of ours."""
    try:
        return _Checked(raw, lambda _: None).load()
    except Exception:  # noqa: BLE001 - false bytes may raise anything
        return None


def learn_known(*kinds: type) -> None:
    """Let instances of further classes be read back."""
    _KNOWN.update({(kind.__module__, kind.__qualname__): kind for kind in kinds})


def _declared(module: Module) -> list[list[Scope]]:
    """Return the scopes that the frame of a module declares, with that of the module, and those that each of its units declares."""
    units = {scope.bit: place for place, (_, _, scope) in enumerate(module.units, 1)}
    found: list[list[Scope]] = [[module.scope], *([] for _ in units)]
    for scope in module.scopes:
        found[units.get(outside(scope), 0)].append(scope)
    return found


def _seal_of(text: str) -> int:
    raw = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(raw, digest_size=32, person=b"seal").digest(), "big")


def _signature(scope: Scope) -> list[ast.AST]:
    args = getattr(scope.node, "args", None)
    nodes = [*scope.decorators, *([args] if isinstance(args, ast.arguments) else [])]
    return [inner for node in nodes for inner in ast.walk(node)]
