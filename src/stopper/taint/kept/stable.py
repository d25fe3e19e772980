"""Stable names: how values are kept from one run to the next, of a project of which the parts that they name did not change.

A scope is named by its module and its number in it, a place in the code by the operation that stands there. What is read back is
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
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any

from stopper.finding import Confidence, Location, RouteRef, Step
from stopper.source.module import Module, Scope
from stopper.taint.domain import UNKNOWN, Taint, Target, Value
from stopper.taint.program import Program
from stopper.taint.travel import Travel

Scopes = tuple[tuple[int, int], ...]
"""Functions: the number of a module, and those of the scopes in it, one bit each."""
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
        self.named_modules = 0
        """The modules in which something was named since somebody set it to 0, one bit each."""
        self._numbers_of = {module.path: number for number, module in enumerate(modules)}
        self._first: list[int] = []
        self._parts: dict[int, tuple[int, int]] = {}
        for number, module in enumerate(modules):
            self._first.append(len(self._parts))
            for inside, scope in enumerate((module.scope, *module.scopes)):
                self._parts[id(scope)] = number, inside
        self._modules = modules
        self._seals: dict[int, bytes] = {}
        self._entered = tuple(entered)
        self._entries: dict[int, tuple[int, int]] = {}

    def number(self, scope: int) -> tuple[int, int] | None:
        """Return the number of a scope's module and its own in it, by its identity."""
        return self._parts.get(scope)

    def scope(self, module: int, number: int) -> Scope:
        """Return the scope of a number in a module."""
        end = self._first[module + 1] if module + 1 < len(self._first) else len(self.scopes)
        if not 0 <= number < end - self._first[module]:
            raise IndexError("no scope of that number stands in the module")
        found: Scope = self.scopes[self._first[module] + number]
        return found

    def every_scope(self, every: Iterable[Scopes]) -> set[int]:
        """Return functions by the identity of their scopes."""
        masks: dict[int, int] = {}
        for scopes in every:
            for module, mask in scopes:
                masks[module] = masks.get(module, 0) | mask
        return {
            id(self.scope(module, number))
            for module, mask in masks.items()
            for number in range(mask.bit_length())
            if mask >> number & 1
        }

    def numbered(self, scopes: Iterable[int]) -> Scopes:
        """Return functions by their numbers, of scopes by their identity."""
        masks: dict[int, int] = {}
        for scope in scopes:
            found = self._parts.get(scope)
            if found is not None:
                masks[found[0]] = masks.get(found[0], 0) | 1 << found[1]
        return tuple(sorted(masks.items()))

    def note_path(self, path: str) -> None:
        """Note that something in a file was named."""
        number = self._numbers_of.get(path)
        if number is not None:
            self.named_modules |= 1 << number

    def name(self, thing: object) -> Any:
        """Return the name of what stands in the project; None for what is copied."""
        found: Any
        try:
            found = super().name(thing)
        except pickle.PicklingError:
            found = self._entry(thing)
        if found is None or thing is UNKNOWN:
            return found
        kind, number, ordinal = found
        module, inside = self._split(number)
        self.named_modules |= 1 << module
        return kind, module, inside, ordinal

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
        kind, module, inside, ordinal = name
        scope = self.scope(module, inside)
        if kind == _ENTRY:
            return _signature(scope)[ordinal]
        return super().named((kind, self._first[module] + inside, ordinal))

    def load(self, raw: bytes) -> Any:
        """Return what an earlier run has dumped; raises whatever false bytes may make it raise."""
        return _Checked(raw, self.named).load()

    def sealed(self, raw: bytes, rests: int) -> bytes:
        """Return bytes that only who has the code of some modules can read; or what these were, of sealed ones."""
        total = hashlib.blake2b(digest_size=32, person=b"stopper-seal")
        for number in range(rests.bit_length()):
            if rests >> number & 1:
                total.update(self._seal(number))
        stream = hashlib.shake_256(total.digest()).digest(len(raw))
        return (int.from_bytes(raw, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(raw), "big")

    def _seal(self, number: int) -> bytes:
        found = self._seals.get(number)
        if found is None:
            text = self._modules[number].text.content.encode("utf-8", "surrogatepass")
            found = self._seals[number] = hashlib.blake2b(text, person=b"seal").digest()
        return found

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

    def _split(self, number: int) -> tuple[int, int]:
        module = bisect_right(self._first, number) - 1
        return module, number - self._first[module]


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


def _signature(scope: Scope) -> list[ast.AST]:
    args = getattr(scope.node, "args", None)
    nodes = [*scope.decorators, *([args] if isinstance(args, ast.arguments) else [])]
    return [inner for node in nodes for inner in ast.walk(node)]
