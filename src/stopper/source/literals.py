"""The string literals in a line of code that stand for a secret although they do not read like it."""

from __future__ import annotations

import ast
import re
import warnings

_LITERAL = re.compile(
    r"""(?<![\w"'])(?P<prefix>[bBuU]?[rR]?|[rR][bB])(?P<quote>["'])(?:(?!(?P=quote))[^\\\r\n]|\\.)*(?P=quote)"""
)
SHORTEST = 4
"""Parts of a secret that are shorter tell nothing of it."""


def mask_literals(line: str, secret: str) -> str:
    r"""Mask what a line writes of a secret with escapes (``b"\xec]/"``) or piece by piece (``"one" "two"``).

    Bytes count as the characters of their numbers, as ``decode("latin-1")`` has them.
    """

    def masked(found: re.Match[str]) -> str:
        value = _value(found[0])
        if len(value) < SHORTEST or value not in secret:
            return found[0]
        return f"{found['prefix']}{found['quote']}****{found['quote']}"

    return _LITERAL.sub(masked, line)


def _value(literal: str) -> str:
    """Return what a literal stands for, "" where it is none after all."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", SyntaxWarning
            )  # an escape that Python does not know stands for itself
            value = ast.literal_eval(literal)
    except (SyntaxError, ValueError):
        return ""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
