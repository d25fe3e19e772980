"""Refusals: the project's own functions that are called to let only some data pass."""

from __future__ import annotations

import re

from stopper.taint.ir import Call, Function, Op, Raise

_REFUSING = re.compile(
    r"_*(?:check|validate|verify|ensure|assert|require|refuse|reject|guard|forbid|deny)", re.IGNORECASE
)
"""How a function is called that lets only some data pass."""


def near_miss(name: str, function: Function) -> str:
    """Return what is said of a function of the project's that is called to refuse, and raises; "" for all others."""
    if not _REFUSING.match(name) or not function.once(
        "gives up", lambda: any(map(_gives_up, function.ops()))
    ):
        return ""
    return f"the function {name}() was not seen to refuse what is dangerous"


def _gives_up(op: Op) -> bool:
    return isinstance(op, Raise) or (isinstance(op, Call) and op.last == "abort")
