"""Signatures: what is known of data when the signature that was made of it is the one that came with it."""

from __future__ import annotations

from typing import Protocol

from stopper.taint.change import Change
from stopper.taint.domain import Value
from stopper.taint.ir import AccessPath, Call, Op, Operand
from stopper.taint.prefixes import SIGNED

_ENCODING = ("hexdigest", "digest", "b64encode", "decode", "encode")
_DEEP = 4
"""How many encodings of a signature are followed back."""


class Guards(Protocol):
    """The guards of one function, as far as they are asked here."""

    def read(self, operand: Operand, /) -> Value:
        """Return what is known of an operand."""

    def op(self, operand: Operand, /) -> Op | None:
        """Return the operation that made a value."""

    def subject(self, operand: Operand, /) -> tuple[AccessPath | None, list[str]]:
        """Return the variable that a tested value is made from."""


def signed_changes(guards: Guards, signature: Operand) -> list[Change]:
    """Return what a signature that fits says of the data it was made of, here or by a function of the project."""
    made = guards.op(signature)
    for _ in range(_DEEP):  # a variable may be made of itself
        if isinstance(made, Call) and made.last in _ENCODING and made.receiver is not None:
            made = guards.op(made.receiver)
    if not isinstance(made, Call):
        return []
    signed = made.args[1:2] if made.name.startswith("hmac.") else ()
    if made.callee is not None and guards.read(signature).name.startswith("hmac."):
        signed = tuple([arg for arg in made.args if guards.read(arg).every()])
    paths = [guards.subject(arg)[0] for arg in signed] if len(signed) == 1 else []
    told = frozenset(("deserialization",)), "", frozenset((SIGNED,))
    return [Change(path, *told) for path in paths if path is not None]
