"""Addresses: where a text can lead that a regular expression lets through."""

from __future__ import annotations

import re._constants as codes  # type: ignore[import-not-found] # the parser that re itself uses; typeshed leaves it out
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from stopper.taint.characters import Characters, ends, letters, parsed

_SLASHES = frozenset(b"/\\")
_ENDS_HOST = frozenset(b"/\\@?#%")
_NONE: frozenset[str] = frozenset()
_OWN = frozenset(("redirect", "page-url"))
_FIXED = _OWN | {"ssrf"}


class _Item(NamedTuple):
    """One item of a pattern."""

    text: str
    """The letter that it is, "" where it may be several."""
    allowed: Characters
    optional: bool
    first: str = ""
    """The letter that it begins with, where it is a group that begins with one."""


@lru_cache(maxsize=256)
def settled(pattern: str, method: str) -> frozenset[str]:
    """Return the kinds of sinks that text cannot lead astray which a pattern lets through by ``method``."""
    tree = parsed(pattern)
    anchored = tree is not None and (method != "search" or pattern.startswith(("^", "\\A")))
    if tree is None or not anchored:
        return _NONE
    items, whole = list(_flat(tree[0])), method == "fullmatch" or ends(tree)
    if items and items[0].text == "/":
        return _OWN if _stays(items[1:], whole=whole) else _NONE
    return _FIXED if _host_is_fixed(items, whole=whole) else _NONE


def _stays(behind: list[_Item], *, whole: bool) -> bool:
    """Tell whether no second slash can stand behind the first."""
    for item in behind:
        if item.allowed & _SLASHES:
            return False
        if not item.optional:
            return True
    return whole


def _host_is_fixed(items: list[_Item], *, whole: bool) -> bool:
    """Tell whether ``https://`` stands there, and a host of which at least the last two labels are constant."""
    texts = [item.text for item in items]
    start = next((at for at in range(len(texts)) if texts[at : at + 3] == [":", "/", "/"]), None)
    if start is None or "".join(texts[:start]) not in ("http", "https"):
        return False
    host = items[start + 3 :]
    end = next(
        (at for at, item in enumerate(host) if _ends_host(item, whole=whole)), len(host) if whole else 0
    )
    if not end or any(item.allowed & _ENDS_HOST for item in host[:end]):
        return False
    fixed = "".join([item.text or "\0" for item in host[:end]]).rpartition("\0")[2]
    return len(fixed) == end or fixed.count(".") > 1


def _ends_host(item: _Item, *, whole: bool) -> bool:
    """Tell whether the host is over where an item begins: at a slash, or where one may stand and nothing else."""
    return item.text == "/" or (whole and item.optional and item.first == "/")


def _first(tree: Any) -> str:
    """Return the letter that items of a pattern begin with, "" where it may be several."""
    if not len(tree):
        return ""
    op, value = tree[0]
    if op is codes.SUBPATTERN:
        return _first(value[-1])
    return chr(value) if op is codes.LITERAL else ""


def _flat(tree: Any) -> Iterator[_Item]:
    """Yield the items of a pattern in their order."""
    for op, value in tree:
        if op is codes.LITERAL:
            yield _Item(chr(value), letters([(op, value)]), optional=False)
        elif op is codes.SUBPATTERN:
            yield from _flat(value[-1])
        elif op is not codes.AT:
            repeated = op in (codes.MAX_REPEAT, codes.MIN_REPEAT)
            optional = value[0] == 0 if repeated else op is codes.BRANCH
            first = _first(value[2]) if repeated else ""
            yield _Item("", letters([(op, value)]), optional=optional, first=first)
