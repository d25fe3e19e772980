"""Travel: how values cross from one process to its fork and back, when both know the same project.

What stood before the fork is named and not copied: a scope by its number, a place in the code by the function and the operation
that stand there. What cannot be named does not travel; the process that wanted it works it out itself.
"""

from __future__ import annotations

import ast
import io
import pickle
from collections.abc import Iterable
from typing import Any

from stopper.source.module import Module, Scope
from stopper.taint.domain import UNKNOWN
from stopper.taint.ir import Function
from stopper.taint.program import Program

_Name = tuple[str, int, int]
_SCOPE, _NODE, _DECORATED, _UNKNOWN = "scope", "node", "decorated", "unknown"
PLACE = "place"
"""The kind of the name of an operation in the body of a function."""


class Travel:
    """The names of what both processes know."""

    def __init__(self, program: Program, modules: Iterable[Module]) -> None:
        """Number the scopes; to be called before the fork."""
        self.program = program
        self.scopes = [scope for module in modules for scope in (module.scope, *module.scopes)]
        self._numbers = {id(scope): number for number, scope in enumerate(self.scopes)}
        self._places: dict[int, _Name] = {
            id(scope.node): (_NODE, number, 0) for number, scope in enumerate(self.scopes)
        }
        self._seen: set[tuple[str, int]] = set()
        self._ops: dict[tuple[str, int], list[Any]] = {}

    def dump(self, thing: object) -> bytes:
        """Return something as bytes, which ``load`` reads in the other process."""
        self.learn()
        return self.written(thing)

    def written(self, thing: object) -> bytes:
        """Return something as bytes, of which every place was learnt."""
        buffer = io.BytesIO()
        _Dump(buffer, self).dump(thing)
        return buffer.getvalue()

    def learn(self) -> None:
        """Give names to the places in what has been lowered by now."""
        self._learn(PLACE, self.program.every())
        self._learn(_DECORATED, self.program.decorated())

    def load(self, raw: bytes) -> Any:
        """Return what the other process has dumped."""
        return _Load(io.BytesIO(raw), self).load()

    def _learn(self, kind: str, functions: Iterable[tuple[int, Function | None]]) -> None:
        for scope, function in functions:
            number = self._numbers.get(scope)
            if function is None or number is None or (kind, number) in self._seen:
                continue
            self._seen.add((kind, number))
            for ordinal, op in enumerate(function.ops()):
                self._places.setdefault(id(op.at), (kind, number, ordinal))

    def name(self, thing: object) -> _Name | None:
        """Return the name of what stood before the fork; None for what is copied."""
        if isinstance(thing, Scope):
            number = self._numbers.get(id(thing))
            if number is None:
                raise pickle.PicklingError(f"{thing.dotted} was not known before the fork")
            return _SCOPE, number, 0
        if isinstance(thing, ast.AST):
            found = self._places.get(id(thing))
            if found is None:
                raise pickle.PicklingError(f"no operation stands at {type(thing).__name__}")
            return found
        return (_UNKNOWN, 0, 0) if thing is UNKNOWN else None

    def named(self, name: _Name) -> Any:
        """Return what has a name."""
        kind, number, ordinal = name
        if kind == _UNKNOWN:
            return UNKNOWN
        scope = self.scopes[number]
        if kind in (_SCOPE, _NODE):
            return scope if kind == _SCOPE else scope.node
        ops = self._ops.get((kind, number))
        if ops is None:
            function = self.program.lowered(scope) if kind == PLACE else self.program.definition(scope)
            ops = self._ops[kind, number] = list(function.ops()) if function is not None else []
        return ops[ordinal].at


class _Dump(pickle.Pickler):
    """Write names for what both processes know."""

    def __init__(self, buffer: io.BytesIO, travel: Travel) -> None:
        super().__init__(buffer, pickle.HIGHEST_PROTOCOL)
        self._travel = travel

    def persistent_id(self, obj: Any) -> Any:
        return self._travel.name(obj)


class _Load(pickle.Unpickler):
    """Read names; the only bytes read are those that our own fork wrote into a pipe nobody else can open."""

    def __init__(self, buffer: io.BytesIO, travel: Travel) -> None:
        super().__init__(buffer)
        self._travel = travel

    def persistent_load(self, pid: Any) -> Any:
        return self._travel.named(pid)
