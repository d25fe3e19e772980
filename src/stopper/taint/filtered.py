"""What ``filter(test, values)`` lets through: what the test says of each of them."""

from __future__ import annotations

from typing import Any

from stopper.taint import characters
from stopper.taint.domain import ALL, ANY, EACH, Value
from stopper.taint.ir import Call, Load, Operand
from stopper.taint.outcomes import checked


def filtered(
    run: Any, op: Call, _receiver: Value, args: tuple[Value, ...], _keywords: dict[str, Value]
) -> Value | None:
    """Return the values that a test lets through; None for a test that says nothing of them."""
    if len(args) != 2 or op.stars:
        return None
    kinds = _let_through(run, op.args[0] if len(op.args) == 2 else None, args[0])
    if not kinds:
        return None
    each = args[1].part(EACH).refined(lambda taint: taint.cleaned(kinds))
    return Value(shape="iterator", fields=((ANY, each),))


def _let_through(run: Any, test: Operand | None, held: Value) -> frozenset[str]:
    """Return the kinds of sinks that what passes a test cannot harm: ``str.isdigit``, ``NAMES.__contains__``, the project's own.

    There is no operand where only a value led here: ``partial(filter, test)``.
    """
    made = run.guards.op(test) if test is not None else None
    if isinstance(made, Load) and made.part == ".__contains__":
        return frozenset() if run.read(made.base).every() else frozenset((ALL,))
    if isinstance(made, Load) and str(made.base) in ("str", "bytes"):
        allowed = characters.of_method(made.part[1:])
        return frozenset() if allowed is None else characters.harmless(allowed)
    scope = held.targets[0].scope if len(held.targets) == 1 else None
    first = (
        next(iter(run.engine.lowered(scope).params), "")
        if hasattr(getattr(scope, "node", None), "args")
        else ""
    )
    found: frozenset[str] = (
        checked(run.engine.summary(scope).outcomes).get(first, frozenset()) if first else frozenset()
    )
    return found
