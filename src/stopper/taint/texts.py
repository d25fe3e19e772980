"""Texts: formatting, replacing and joining where the template is known, so that every value keeps its place."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping

from stopper.regex import regex
from stopper.taint.constants import constant
from stopper.taint.domain import CLEAN, SEQUENCES, Value
from stopper.taint.ir import Place
from stopper.taint.strings import joined_text

MAX_PARTS = 60
"""Of how many parts a text may be made."""
_PERCENT = regex(r"%(?:\((?P<key>[^)]*)\))?[#0\- +]*(?:\*|\d+)?(?:\.\d+)?[hlL]?(?P<kind>[diouxXeEfFgGcrsa%])")
_NUMBERS = frozenset("diouxXeEfFgG")
_QUOTING = ("r", "a")
"""The conversions that show a text as Python writes it."""


def formatted(
    template: str, args: tuple[Value, ...], keywords: Mapping[str, Value], at: Place
) -> Value | None:
    """Return what ``template.format(*args, **keywords)`` gives; None where the template is not understood."""
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError:
        return None
    parts: list[Value] = []
    quoted: list[int] = []
    for counter, (literal, name, _, conversion) in enumerate(pieces):
        parts.append(constant(literal))
        if name is not None:
            quoted += [len(parts)] if conversion in _QUOTING else []
            parts.append(_named(name, counter, args, keywords))
    return joined_text(parts, quoted, at) if len(parts) <= MAX_PARTS else None


def _named(name: str, counter: int, args: tuple[Value, ...], keywords: Mapping[str, Value]) -> Value:
    key, _, attribute = name.partition("[")[0].partition(".")
    place = counter if not key else int(key) if key.isdecimal() else -1
    if place >= 0:
        value = args[place] if place < len(args) else CLEAN
    else:
        value = keywords[key] if key in keywords else keywords.get("**", CLEAN).part(f"[{key!r}]")
    return value.part(f".{attribute}") if attribute else value


def percent(template: str, given: Value, at: Place) -> Value | None:
    """Return what ``template % given`` gives; None where the template is not understood."""
    parts: list[Value] = []
    quoted: list[int] = []
    end = place = 0
    several = given.shape == "tuple" and given.closed
    values = [item for _, item in given.items()] if several else [given]
    for found in _PERCENT.finditer(template):
        parts.append(constant(template[end : found.start()]))
        end = found.end()
        if found["kind"] == "%":
            continue
        if found["key"] is not None:
            value = given.part(f"[{found['key']!r}]")
        else:
            value = values[place] if place < len(values) else CLEAN
            place += 1
        quoted += [len(parts)] if found["kind"] in _QUOTING else []
        parts.append(CLEAN if found["kind"] in _NUMBERS else value)
    parts.append(constant(template[end:]))
    return joined_text(parts, quoted, at) if len(parts) <= MAX_PARTS else None


def replaced(text: str, old: str, new: Value, at: Place) -> Value | None:
    """Return a known text with a value put in for a part of it."""
    pieces = text.split(old) if old else []
    if not 1 < len(pieces) <= MAX_PARTS:
        return None
    return joined_text(_between(new, [constant(piece) for piece in pieces]), (), at)


def put_between(separator: Value, items: Value, at: Place) -> Value | None:
    """Return what ``separator.join(items)`` gives, where each item is known by its place."""
    if items.shape not in SEQUENCES or not items.closed or len(items.fields) > MAX_PARTS:
        return None
    return joined_text(_between(separator, [item for _, item in items.items()]), (), at)


def _between(separator: Value, pieces: list[Value]) -> list[Value]:
    parts: list[Value] = []
    for piece in pieces:
        parts += [separator, piece] if parts else [piece]
    return parts


def unsplit(parts: Value, at: Place) -> Value | None:
    """Return what ``urlunsplit`` or ``urlunparse`` makes of a tuple of known length."""
    items = [item for _, item in parts.items()]
    if not parts.closed or len(items) not in (5, 6):
        return None
    scheme, host, path, *rest = items
    empty = scheme.known and not scheme.constant and host.known and not host.constant
    named = scheme if scheme.known else constant("https")  # what is not known of it says nothing of the host
    chosen = any(not taint.safe_for("ssrf") for taint in host.every())
    own = host if chosen or host.known else constant("host")
    start = [] if empty else [named, constant("://"), own, constant("/")]
    return joined_text([*start, path, *rest], (), at)


def template_filled(
    template: Value, args: tuple[Value, ...], keywords: Mapping[str, Value], at: Place
) -> Value | None:
    """Return what ``string.Template(...).substitute(...)`` gives."""
    text = template.literal
    if not text or "\0" in text:
        return None
    given = args[0] if args else CLEAN
    parts: list[Value] = []
    for piece in re.split(r"(\$\w+|\$\{\w+\})", text):
        key = piece.strip("${}") if piece.startswith("$") else ""
        named = keywords.get(key)
        parts.append(constant(piece) if not key else named if named is not None else given.part(f"[{key!r}]"))
    return joined_text(parts, (), at) if len(parts) <= MAX_PARTS else None
