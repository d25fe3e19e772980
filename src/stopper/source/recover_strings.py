"""Strings, bytes, f-strings and numbers: from tree-sitter's nodes to those of ``ast``."""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings
from typing import Any

from stopper.source.recover_part import Lost, Part

_CONVERSION = {"!r": 114, "!s": 115, "!a": 97}


def identifier(part: Part) -> ast.expr:
    """Build a name, in the normal form that Python gives it."""
    return part.at(ast.Name(word(part), ast.Load()))


def word(part: Part) -> str:
    """Return an identifier as Python normalises it."""
    text = part.text
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def number(part: Part) -> ast.expr:
    """Build a number; Python 2's ``0777`` and ``10L`` too."""
    text = part.text.rstrip("lL")
    if re.fullmatch(r"0[0-7]+", text):
        text = "0o" + text[1:]
    return part.at(ast.Constant(literal(text)))


def constant(part: Part) -> ast.expr:
    """Build True, False, None or an ellipsis."""
    return part.at(ast.Constant({"true": True, "false": False, "none": None}.get(part.kind, ...)))


def literal(text: str) -> Any:
    """Evaluate the text of one literal.

    Raises:
        Lost: It is none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(text)
    except (SyntaxError, ValueError, MemoryError) as error:
        raise Lost(text[:40]) from error


def string(part: Part) -> ast.expr:
    """Build a constant, or for an f-string (and a template string) the parts that it joins."""
    start = part.first("string_start")
    end = part.first("string_end")
    if start is None or end is None or end.missing:
        raise Lost("string")
    prefix = start.text.rstrip("\"'").lower()
    if "f" in prefix or "t" in prefix:
        return _joined(part, "r" in prefix)
    kind = "u" if prefix == "u" else None
    text = part.text
    if not prefix and "\\" not in text:
        quotes = start.text_span[1] - start.text_span[0]
        return part.at(ast.Constant(text[quotes:-quotes]))
    if prefix == "ur":
        text = text[1:]
    return part.at(ast.Constant(_value(text, len(prefix)), kind=kind))


def _value(text: str, prefix: int) -> Any:
    try:
        return literal(text)
    except Lost:
        return text[prefix:].strip(text[prefix])


def _joined(part: Part, raw: bool) -> ast.JoinedStr:
    values: list[ast.expr] = []
    for child in part.children:
        if child.kind == "string_content":
            values.append(child.at(ast.Constant(_content(child, raw=raw))))
        elif isinstance(child.made, list):
            values.extend(child.made)
    return part.at(ast.JoinedStr(_merged(values)))


def _content(part: Part, *, raw: bool) -> str:
    """Return what a piece of an f-string's text stands for: escapes evaluated, doubled braces halved."""
    pieces, offset = [], part.text_span[0]
    for child in part.children:
        pieces.append(part.source[offset : child.text_span[0]].decode("utf-8", "replace"))
        offset = child.text_span[1]
        if child.kind == "escape_interpolation":
            pieces.append(child.text[0])
        elif raw or child.kind != "escape_sequence":
            pieces.append(child.text)
        else:
            pieces.append(_escape(child.text))
    pieces.append(part.source[offset : part.text_span[1]].decode("utf-8", "replace"))
    return "".join(pieces)


def _escape(text: str) -> str:
    try:
        return str(literal(f'"""{text}"""'))
    except Lost:
        return text


def _merged(values: list[ast.expr]) -> list[ast.expr]:
    """Join neighbouring constants and drop empty ones, as Python does."""
    merged: list[ast.expr] = []
    for value in values:
        last = merged[-1] if merged else None
        if not isinstance(value, ast.Constant):
            merged.append(value)
        elif isinstance(last, ast.Constant):
            last.value = str(last.value) + str(value.value)
            last.end_lineno, last.end_col_offset = value.end_lineno, value.end_col_offset
        elif value.value:
            merged.append(value)
    return merged


def interpolation(part: Part) -> list[ast.expr]:
    """Build the value in an f-string's braces; after ``{name=}`` also the text that Python writes for it."""
    expression = part.need("expression")
    conversion, specifier = part.get("type_conversion"), part.get("format_specifier")
    spec = specifier.made if specifier is not None and isinstance(specifier.made, ast.JoinedStr) else None
    how = _CONVERSION.get(conversion.text, -1) if conversion is not None else -1
    if not part.has("="):
        return [part.at(ast.FormattedValue(expression.expr(), how, spec))]
    after = next(
        child
        for child in part.children
        if child.label in {"type_conversion", "format_specifier"} or child.kind == "}"
    )
    shown = part.source[part.text_span[0] + 1 : after.text_span[0]].decode("utf-8", "replace")
    if conversion is None and spec is None:
        how = 114
    return [part.at(ast.Constant(shown)), part.at(ast.FormattedValue(expression.expr(), how, spec))]


def format_specifier(part: Part) -> ast.JoinedStr:
    """Build what follows the colon in an f-string's braces."""
    values: list[ast.expr] = []
    offset = part.text_span[0] + 1
    for child in part.children:
        if not isinstance(child.made, list):
            continue
        values.append(
            child.at(ast.Constant(part.source[offset : child.text_span[0]].decode("utf-8", "replace")))
        )
        values.extend(child.made)
        offset = child.text_span[1]
    values.append(part.at(ast.Constant(part.source[offset : part.text_span[1]].decode("utf-8", "replace"))))
    return part.at(ast.JoinedStr(_merged(values)))


def concatenated(part: Part) -> ast.expr:
    """Build the one string that strings side by side are."""
    made = [child.expr() for child in part.parts]
    if all(isinstance(value, ast.Constant) for value in made):
        return part.at(_one([value for value in made if isinstance(value, ast.Constant)]))
    values: list[ast.expr] = []
    for value in made:
        values.extend(value.values if isinstance(value, ast.JoinedStr) else [value])
    return part.at(ast.JoinedStr(_merged(values)))


def _one(constants: list[ast.Constant]) -> ast.Constant:
    kind = constants[0].kind if constants else None
    if constants and all(isinstance(constant.value, bytes) for constant in constants):
        return ast.Constant(
            b"".join(constant.value for constant in constants if isinstance(constant.value, bytes))
        )
    texts = (
        v.decode("latin-1") if isinstance(v, bytes) else str(v)
        for v in (constant.value for constant in constants)
    )
    return ast.Constant("".join(texts), kind=kind)
