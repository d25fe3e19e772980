"""Judge whether a request's input changed the tokens of a statement.

A value may stand in a statement as text as long as it stays what it was meant to be: inside one literal, one quoted name or one
comment, or as one number, one name, or a list of those. A value that begins, ends or makes tokens has become code (Su and
Wassermann, "The Essence of Command Injection Attacks", POPL 2006; OWASP's SQL Injection Prevention Cheat Sheet says what to write).

What is approximated: a value that was changed beyond the forms of `stopper.guard.inputs` is found again only where three tokens of
the statement stand in it in a row; a value that the database itself holds (second order) is not a request's input.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from stopper.guard import tokens
from stopper.guard.inputs import Forms, Inputs, escaped

COMPARING: Final = frozenset(("=", "==", "<>", "!=", "<", ">", "<=", ">=", "<=>", "~", "!~", "||", ":="))
VALUED: Final = frozenset("LIKE ILIKE REGEXP RLIKE GLOB MATCH BETWEEN LIMIT OFFSET THEN ELSE".split())
LISTED: Final = frozenset("IN VALUES VALUE ANY SOME".split())
"""What stands before a value: operators, words, and words before a list in parentheses."""

CONSTANTS: Final = frozenset("TRUE FALSE NULL".split())
ORDERS: Final = frozenset("ASC DESC NULLS FIRST LAST".split())

HARMLESS: Final = re.compile(r"(?!.*(?:--|/\*|\*/))[^\w'\"`\\#$\x80-\U0010ffff]*", re.DOTALL)
"""Signs alone, without a quote or a comment: they can break a statement, but not bend it."""
QUOTES: Final = re.compile(r"(['\"`])\1*")
PLACEHOLDER: Final = re.compile(r"(?<!%)%(?:\([^)]*\))?[sbt]")

BLANK: Final = " \t\n\r\f\v"
"""White space to all three databases; what else Python takes for a blank is a letter to them."""

OCCURRENCES: Final = 1000
"""How many places of one value in one statement are looked at."""


@dataclass(frozen=True, slots=True)
class Injection:
    """A place in a statement where a request's input became code."""

    source: str
    """Where the input came from, such as `args q`."""
    start: int
    """The offset of the first token it changed; for a name in a value's place, of the token before."""
    end: int
    """The offset after the last token it changed."""


class Statement:
    """A statement with its tokens, read when they are first needed."""

    def __init__(self, sql: str, dialect: str, *, interpolated: bool = False) -> None:
        self.sql = sql
        self.dialect = dialect
        self.interpolated = interpolated
        """Whether the driver itself puts the bound values into the text, wherever it sees a placeholder."""

    @cached_property
    def tokens(self) -> list[tokens.Token]:
        """Return the statement's tokens."""
        return tokens.tokenize(self.sql, self.dialect)

    @cached_property
    def ends(self) -> list[int]:
        """Return where each token ends."""
        return [end for _, end in self.tokens]

    @cached_property
    def is_broken(self) -> bool:
        """Tell whether the database would refuse to read the statement."""
        return any(kind == "bad" for kind, _ in self.tokens)

    @cached_property
    def starts(self) -> list[int]:
        """Return where each token begins."""
        return [tokens.start(self.sql, self.tokens, index) for index in range(len(self.tokens))]

    def text(self, index: int) -> str:
        """Return what a token says, in upper case; nothing before the first and after the last."""
        if not 0 <= index < len(self.tokens):
            return ""
        return self.sql[self.starts[index] : self.tokens[index][1]].upper()

    def shape(self, most: int = 300) -> str:
        """Return the statement without its literals, numbers and comments: nothing in it is a secret."""
        hidden = {"string": "?", "number": "?", "comment": "/* */", "bad": "..."}
        found = (
            hidden.get(kind) or self.sql[self.starts[i] : end] for i, (kind, end) in enumerate(self.tokens)
        )
        return " ".join(text for text, _ in zip(found, range(most), strict=False))[:most]


def injections(statement: Statement, inputs: Inputs) -> Iterator[Injection]:
    """Yield the places in a statement where an input became code, those of whole values first."""
    for source, value, variants in inputs.forms:
        if not HARMLESS.fullmatch(value):
            yield from _of_value(statement, source, value, variants)
    for value in inputs.rest:
        if value in statement.sql and not HARMLESS.fullmatch(value):
            yield from _of_value(statement, inputs.values[value], value, Forms((value,)))
    if inputs.words:
        yield from _of_words(statement, inputs.words)
    if inputs.joined:
        yield from _of_pieces(statement, inputs)


def _of_value(statement: Statement, source: str, value: str, variants: Forms) -> Iterator[Injection]:
    """Yield the places where one value, in one of its forms, changed the tokens."""
    sql = statement.sql
    quoted = escaped(value) if len(value) <= len(sql) else ()
    whole = {form for form in (*variants.whole, *quoted) if form in sql}
    parts = {form for form in variants.parts if form in sql}
    written = {text for one in (*whole, *parts) for text in escaped(one) if text in sql}
    spared: list[tuple[int, int]] = []
    for form in sorted(whole | parts | written, key=len, reverse=True):
        if HARMLESS.fullmatch(form):
            continue
        for start, end in _places(sql, form):
            if any(low <= start and end <= high for low, high in spared):
                continue
            if _is_confined(statement, start, end):
                spared.append((start, end))
            elif form in whole or form in parts:
                found = _judge(statement, start, end)
                if found is not None and (form in whole or not _is_plain(statement, *found)):
                    yield Injection(source, *found)


def _places(sql: str, form: str) -> Iterator[tuple[int, int]]:
    """Yield where a text stands in a statement, overlapping places too."""
    at = sql.find(form)
    for _ in range(OCCURRENCES):
        if at < 0:
            return
        yield at, at + len(form)
        at = sql.find(form, at + 1)


def _judge(statement: Statement, start: int, end: int) -> tuple[int, int] | None:
    """Return the tokens that a value changed, from where to where; nothing where it changed none."""
    text = statement.sql[start:end]
    start += len(text) - len(text.lstrip(BLANK))
    end -= len(text) - len(text.rstrip(BLANK))
    if start >= end:
        return None
    first, last = bisect_right(statement.ends, start), bisect_left(statement.ends, end)
    reach = statement.starts[first], statement.ends[last]
    if (start, end) != reach:
        harmless = first == last and _is_confined(statement, start, end)
        return None if harmless or _is_own_quote(statement, start, end, reach) else reach
    if first == last and statement.tokens[first][0] in {"string", "number", "op"}:
        return reach if text.startswith("/*") else None
    if not _is_list(statement, first, last):
        return reach
    return _in_value_place(statement, first, last)


def _is_confined(statement: Statement, start: int, end: int) -> bool:
    """Tell whether a part of a token could be anything else without changing where the token begins and ends."""
    index = bisect_right(statement.ends, start)
    if index >= len(statement.ends) or end > statement.ends[index]:
        return False
    kind, after = statement.tokens[index]
    begin = statement.starts[index]
    if begin > start or kind == "bad" or (begin, after) == (start, end):
        return False
    if kind == "op":
        return True
    if statement.interpolated and kind == "string" and PLACEHOLDER.search(statement.sql, start, end):
        return False
    neutral = ("0" if kind == "number" else "x") * (end - start)
    text = statement.sql[begin:start] + neutral + statement.sql[end:after]
    return tokens.kind_of(text, statement.dialect) == kind


def _is_own_quote(statement: Statement, start: int, end: int, reach: tuple[int, int]) -> bool:
    """Tell whether quotes are the ends of a literal that holds the same quotes well inside: `''` of ``''''``."""
    text = statement.sql[start:end]
    return QUOTES.fullmatch(text) is not None and any(
        _is_confined(statement, at, at + len(mark))
        for mark in (text, text * 2)
        for at, _ in _places(statement.sql[: reach[1]], mark)
        if at >= reach[0]
    )


def _is_list(statement: Statement, first: int, last: int) -> bool:
    """Tell whether tokens are a number, a name (with a dot, with an order), or several of these with commas between."""
    index = first
    while index <= last:
        index = _after_item(statement, index, last)
        if index < 0 or index == last:
            return False
        if index < last and statement.text(index) != ",":
            return False
        index += 1
    return True


def _after_item(statement: Statement, index: int, last: int) -> int:
    """Return the index after one item of a list, -1 where there is none."""
    if statement.text(index) in {"-", "+"}:
        before = statement.tokens[index - 1][0] if index else "op"
        if before not in {"op", "word"} or statement.text(index - 1) in {")", "]", "-", "+"}:
            return -1
        return index + 1 + 1 if index < last and statement.tokens[index + 1][0] == "number" else -1
    kind = statement.tokens[index][0]
    if kind == "number":
        return index + 1
    if kind not in {"word", "name"} or statement.text(index).startswith("@"):  # a variable of MySQL
        return -1
    index += 1
    while (
        index < last and statement.text(index) == "." and statement.tokens[index + 1][0] in {"word", "name"}
    ):
        index += 2
    while index <= last and statement.text(index) in ORDERS:
        index += 1
    return index


def _in_value_place(statement: Statement, first: int, last: int) -> tuple[int, int] | None:
    """Return the tokens around a name that stands where the statement wants a value: `id` in ``WHERE id = id``."""
    for index in range(first, last + 1):
        kind = statement.tokens[index][0]
        if (
            kind not in {"word", "name"}
            or statement.text(index) in CONSTANTS
            or statement.text(index - 1) == "."
        ):
            continue
        if index == last and statement.text(index + 1) in {".", "("}:
            continue
        if _wants_value(statement, index):
            return statement.starts[index - 1], statement.ends[index]
    return None


def _wants_value(statement: Statement, index: int) -> bool:
    """Tell whether what stands before a token makes it a value."""
    before = statement.text(index - 1)
    if before in COMPARING or before in VALUED:
        return True
    if before not in {"(", ","}:
        return False
    depth = 0
    for back in range(index - 1, max(-1, index - 2000), -1):
        text = statement.text(back)
        depth += (text == ")") - (text == "(")
        if depth < 0:
            return statement.text(back - 1) in LISTED
    return False


def _of_words(statement: Statement, words: dict[str, str]) -> Iterator[Injection]:
    """Yield the places where an input of one word stands as a name where a value is wanted."""
    for index, (kind, end) in enumerate(statement.tokens):
        if kind != "word":
            continue
        word = statement.sql[statement.starts[index] : end]
        source = words.get(word.lower())
        if source is None:
            continue
        found = _in_value_place(statement, index, index)
        if found is not None:
            yield Injection(source, *found)


def _of_pieces(statement: Statement, inputs: Inputs) -> Iterator[Injection]:
    """Yield where three tokens in a row stand in an input, which was cut or changed before it became code."""
    for index, start in enumerate(statement.starts[:-2]):
        end = statement.ends[index + 2]
        piece = statement.sql[start:end]
        if piece in inputs.joined and not HARMLESS.fullmatch(piece) and not _is_plain(statement, start, end):
            yield Injection(_source_of(piece, inputs), start, end)


def _is_plain(statement: Statement, start: int, end: int) -> bool:
    """Tell whether tokens are what any text may hold by chance: words or numbers with commas, dots and parentheses between."""
    first, last = bisect_right(statement.ends, start), bisect_left(statement.ends, end)
    before = ""
    for index in range(first, last + 1):
        if statement.text(index) in ORDERS:
            continue
        kind = "name" if statement.tokens[index][0] in {"word", "name", "number"} else statement.text(index)
        if kind not in {"name", ",", ".", "(", ")"} or (before == "name" and kind in {"name", "("}):
            return False
        before = kind
    return True


def _source_of(piece: str, inputs: Inputs) -> str:
    """Return where the first input with a piece in it came from."""
    return next(
        (source for source, _, variants in inputs.forms if any(piece in one for one in variants.whole)),
        "input",
    )
