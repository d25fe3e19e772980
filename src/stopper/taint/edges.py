"""Hidden edges: where a framework carries data that no call and no assignment in the code shows."""

from __future__ import annotations

from typing import Any, Protocol

from stopper.taint.domain import Value
from stopper.taint.ir import Call, Function, Load, Operand, Place, Store


class Run(Protocol):
    """A function that is being solved, as an edge sees it."""

    function: Function
    engine: Any

    def read(self, operand: Operand) -> Value:
        """Return what is known of an operand at this point."""

    def record(self, kind: str, value: Value, at: Place, sink: str, confidence: str) -> None:
        """Note that the data of ``value`` reached a sink."""

    def share(self, key: str, value: Value) -> None:
        """Write to a cell that outlives the function's run."""


class Edges:
    """What a framework does with calls, fields and stores; each hook does nothing until it is overridden."""

    def call(
        self, run: Run, op: Call, receiver: Value, args: tuple[Value, ...], keywords: dict[str, Value]
    ) -> Value | None:
        """Return what a call of a library's function gives, None to leave it to the models."""
        del run, op, receiver, args, keywords
        return None

    def load(self, run: Run, op: Load, base: Value) -> Value | None:
        """Return what a field holds that nothing in the code stored, None to leave it to the models."""
        del run, op, base
        return None

    def construct(
        self, run: Run, owner: Any, args: tuple[Value, ...], keywords: dict[str, Value]
    ) -> Value | None:
        """Return an instance of a project's class that a library's constructor makes, None to leave it to the engine."""
        del run, owner, args, keywords
        return None

    def store(self, run: Run, op: Store, source: Value) -> None:
        """Look at a store."""
        del run, op, source
