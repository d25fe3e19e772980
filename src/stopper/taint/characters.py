"""Characters: which of them get through a test or a replacement, and which kinds of sinks these can still harm."""

from __future__ import annotations

import re
import re._constants as codes  # type: ignore[import-not-found] # the parser that re itself uses; typeshed leaves it out
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from stopper.taint.domain import ALL, Value

Characters = frozenset[int]
"""Code points below 128, and ``OTHER`` for every other character."""

OTHER = 128
_EVERY: Characters = frozenset(range(129))
_DIGITS: Characters = frozenset(b"0123456789")
_LINES = frozenset(b"\n\r")
_WORDS: Characters = frozenset(point for point in range(128) if chr(point).isalnum()) | frozenset(b"_-")
_NUMBERS: Characters = frozenset(b"0123456789 \t\n\r\f\v.,+-*/%()<>=&|^~eE")
"""What numbers are written and worked out with: no name can be spelt of it."""


def _of(text: str) -> Characters:
    return frozenset(text.encode("ascii"))


MATCHES = frozenset(("fullmatch", "match", "search"))
"""The functions of ``re`` that ask whether a text is as a pattern says."""
_QUOTES = _of("'\"`;\\")
_FLAGS = {"re.MULTILINE": "m", "re.M": "m", "re.VERBOSE": "x", "re.X": "x", "re.DOTALL": "s", "re.S": "s"}
_HARMFUL: dict[str, Characters] = {
    "sql": _of("'\"`;\\()=<>| \t\n\r#*"),
    "nosql": _of("'\"`;\\(){}$"),
    "command": _of("'\"`;\\()<>|&$\n\r{}*?[]!#"),
    "argument": _of("-"),
    "template": _of("{}$<%#@`("),
    "template-name": _of("/\\."),
    "html": _of("<>\"'"),
    "markup": _of("<>\"'"),
    "path": _of("/"),
    "redirect": _of("/\\:"),
    "ssrf": _of("/\\:@?#&%."),
    "xml": _of("<&"),
    "xslt": _of("<&"),
    "xpath": _of("'\"[]()/|*=<>@$"),
    "ldap": _of("*()\\&|=!~<>\0"),
    "ldap-name": _of(',=+<>#;\\"\0'),
    "header": _LINES | _of(":"),
    "cookie": _LINES | _of(";,= "),
    "log": _LINES,
    "mail": _LINES,
    "csv": _of("=+-@\t\r"),
    "regex": _of(".*+?()[]{}|^$\\"),
    "format-string": _of("{"),
    "code": _EVERY - _NUMBERS,
    "environment": _of("="),
    "deserialization": _EVERY - _WORDS,
    "page": _of("<>\"'"),
    "page-url": _of(":"),
    "page-script": _of("'\"`;\\()<>{}\n\r+-*/,=[]. &"),
    "page-style": _of(";:(){}\\'\"<>@"),
    "page-attribute": _of(" \t\n\r\f/\"'`=<>"),
}
"""What a sink of each kind must not be given; a kind that is not here is harmed by words as well."""


def harmless(characters: Characters) -> frozenset[str]:
    """Return the kinds of sinks that text of these characters alone cannot harm; ``ALL`` for digits."""
    if characters <= _DIGITS:
        return frozenset((ALL,))
    return frozenset(kind for kind, harmful in _HARMFUL.items() if not characters & harmful)


def without(gone: Characters) -> Characters:
    """Return every character but those."""
    return _EVERY - gone


def one_segment(characters: Characters) -> bool:
    """Tell whether text of these characters stays one segment of a URL's path."""
    return not characters & _of("/\\:@?#&%")


_METHODS: dict[str, Callable[[str], bool]] = {
    "isdigit": str.isdigit, "isdecimal": str.isdecimal, "isnumeric": str.isnumeric, "isalnum": str.isalnum, "isalpha": str.isalpha,
    "isspace": str.isspace, "isprintable": str.isprintable,
}  # fmt: skip


@lru_cache(maxsize=64)
def of_method(name: str) -> Characters | None:
    """Return what gets through ``text.isalnum()`` and its like, or None for a method that is no such test."""
    if name == "isidentifier":
        return frozenset(point for point in range(128) if chr(point).isalnum()) | _of("_") | {OTHER}
    test = _METHODS.get(name)
    if test is None:
        return None
    plain = frozenset(point for point in range(128) if test(chr(point)))
    return plain if name in ("isdigit", "isdecimal", "isnumeric") else plain | {OTHER}


def of_text(text: str) -> Characters:
    """Return the characters of a text."""
    return frozenset(min(ord(letter), OTHER) for letter in text)


def of_value(value: Value) -> Characters | None:
    """Return the characters of a constant that letters are looked up in; None where it is not constant."""
    if isinstance(value.constant, str):
        texts = [value.constant]
    elif value.shape and value.literal:
        texts = [value.literal]
    elif value.fields and all(isinstance(part.constant, str) for _, part in value.fields):
        texts = [part.constant for _, part in value.fields]
    else:
        return None
    return frozenset(min(ord(letter), OTHER) for text in texts for letter in text)


def matched(pattern: str, method: str) -> Characters | None:
    """Return what gets through ``re.fullmatch`` (or ``match`` or ``search``) of a pattern; None where anything may follow or precede."""
    found = parsed(pattern)
    if found is None:
        return None
    tree, _ = found
    if method != "fullmatch" and not ends(found):
        return None
    if method == "search" and not _begins(tree):
        return None
    return letters(tree)


def chosen(pattern: str) -> bool:
    """Tell whether a pattern is a list of words, and nothing else."""
    found = parsed(pattern)
    return found is not None and _fixed(found[0])


def _fixed(tree: Any) -> bool:
    return all(
        op in (codes.LITERAL, codes.AT)
        or (op in (codes.SUBPATTERN, codes.BRANCH) and all(map(_fixed, _inside(op, value))))
        for op, value in tree
    )


def group(pattern: str, number: int | str) -> Characters | None:
    """Return what a group of a pattern can hold; 0 is the whole match."""
    found = parsed(pattern)
    if found is None:
        return None
    tree, _ = found
    if number == 0:
        return letters(tree)
    wanted = tree.state.groupdict.get(number, number)
    return next((letters(inner) for found, inner in _groups(tree) if found == wanted), None)


def groups(pattern: str) -> int:
    """Return how many groups a pattern has."""
    found = parsed(pattern)
    return 0 if found is None else found[0].state.groups - 1


def kept(pattern: str, replacement: str) -> Characters | None:
    """Return what is left after ``re.sub(pattern, replacement, text)`` where the pattern is one class of characters."""
    found = parsed(pattern)
    if found is None or len(found[0]) != 1 or not replacement.isascii() or "\\" in replacement:
        return None
    removed = _single(found[0][0])
    return None if removed is None else (_EVERY - removed) | frozenset(replacement.encode("ascii"))


def flagged(pattern: str, flags: Iterable[str]) -> str:
    """Return a pattern that says itself which flags it is used with, of those that change what it lets through."""
    told = "".join([_FLAGS.get(flag, "") for flag in flags])
    return f"(?{told}){pattern}" if told else pattern


@lru_cache(maxsize=512)
def parsed(pattern: str) -> tuple[Any, int] | None:
    """Return a pattern as the items it is made of, with its flags; None for what is none."""
    try:
        tree = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return None
    return tree, tree.state.flags


def _single(item: tuple[Any, Any]) -> Characters | None:
    """Return the class that a pattern of one item removes, one or many at a time."""
    op, value = item
    if op in (codes.MAX_REPEAT, codes.MIN_REPEAT):
        low, _, inner = value
        return _single(inner[0]) if low <= 1 and len(inner) == 1 else None
    if op in (codes.IN, codes.LITERAL, codes.NOT_LITERAL, codes.ANY):
        return _in_item(item)
    return None


def _groups(tree: Any) -> Iterable[tuple[int | None, Any]]:
    for op, value in tree:
        for inner in _inside(op, value):
            if op is codes.SUBPATTERN:
                yield value[0], inner
            yield from _groups(inner)


def _inside(op: Any, value: Any) -> list[Any]:
    if op is codes.SUBPATTERN:
        return [value[3]]
    if op is codes.BRANCH:
        return list(value[1])
    if op in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        return [value[2]]
    if op is codes.ATOMIC_GROUP:
        return [value]
    if op is codes.GROUPREF_EXISTS:
        return [part for part in value[1:] if part is not None]
    return []


def ends(found: tuple[Any, int]) -> bool:
    """Tell whether nothing may follow what a pattern fits, as ``parsed`` gives it."""
    tree, flags = found
    return not flags & re.MULTILINE and _anchored(tree, -1, (codes.AT_END, codes.AT_END_STRING))


def _begins(tree: Any) -> bool:
    return _anchored(tree, 0, (codes.AT_BEGINNING, codes.AT_BEGINNING_STRING))


def _anchored(tree: Any, place: int, anchors: tuple[Any, ...]) -> bool:
    if not len(tree):
        return False
    op, value = tree[place]
    if op is codes.AT:
        return value in anchors
    if op in (codes.SUBPATTERN, codes.BRANCH):
        return all(_anchored(inner, place, anchors) for inner in _inside(op, value))
    return False


def letters(tree: Any) -> Characters:
    """Return every character that may stand in what items of a pattern match."""
    found: Characters = frozenset()
    for item in tree:
        found |= _in_item(item)
    return found


def _in_item(item: tuple[Any, Any]) -> Characters:
    op, value = item
    if op is codes.LITERAL:
        return frozenset((min(value, OTHER),))
    if op is codes.NOT_LITERAL:
        return _EVERY - {value}
    if op is codes.ANY:
        return _EVERY - {10}
    if op is codes.IN:
        return _in_class(value)
    found: Characters = frozenset()
    for inner in _inside(op, value):
        found |= letters(inner)
    return found


def _in_class(items: list[tuple[Any, Any]]) -> Characters:
    found: Characters = frozenset()
    for op, value in items:
        if op is codes.LITERAL:
            found |= {min(value, OTHER)}
        elif op is codes.RANGE:
            found |= frozenset(range(value[0], min(value[1], 127) + 1)) | (
                {OTHER} if value[1] > 127 else set()
            )
        elif op is codes.CATEGORY:
            found |= _category(value)
    return _EVERY - found if items and items[0][0] is codes.NEGATE else found


def _category(value: Any) -> Characters:
    name = str(value).removeprefix("CATEGORY_")
    word = frozenset(point for point in range(128) if chr(point).isalnum()) | _of("_") | {OTHER}
    plain = {"DIGIT": _DIGITS, "WORD": word, "SPACE": _of(" \t\n\r\f\v")}
    if name.startswith("NOT_"):
        return _EVERY - plain.get(name.removeprefix("NOT_"), frozenset())
    return plain.get(name, _EVERY)
