"""What happens to taints in strings and in fields: joining, and the prefix that settles where a URL leads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from stopper.regex import regex
from stopper.taint import characters
from stopper.taint.domain import ALL, CLEAN, CONTAINERS, UNKNOWN, Taint, Value, merged
from stopper.taint.ir import Place
from stopper.taint.prefixes import BEGINNINGS, begun_anew

_HOST_FIXED = re.compile(
    r"(?:[a-z][a-z0-9+.-]*:)?//[^/\x00]+/|/(?![/\\])[^\x00]|[?#]|[\w.-]+[/?#]|mailto:", re.IGNORECASE
)
_BARE_HOST = regex(r"(?:[a-z][a-z0-9+.-]*:)?//[^/\x00]+$", re.IGNORECASE)
_SCRIPT = re.compile(r"\bfunction\s*\w*\(|=>|\breturn\b|\bthis\.\w")
_PLACES = {
    "page-url": re.compile(r"""\b(?:href|src|action|formaction|srcdoc|poster)\s*=\s*["']?$""", re.IGNORECASE),
    "page-script": re.compile(
        r"""<script\b[^>]*>(?:(?!</script).)*$|<[^<>]*\bon\w+\s*=\s*(?:"[^"]*|'[^']*)$""",
        re.IGNORECASE | re.DOTALL,
    ),
    "page-attribute": re.compile(r"<\w[^<>]*\s[\w-]+\s*=\s*$"),
}
_GAP = "\x00"
_MARKUP = "Markup()"
_ESCAPED = ("html", "markup")
MATCH = "re.match()"
"""The name of what a regular expression found."""
HEADERS = "request.headers"
"""All headers together, which are many lines; each of them is one."""
_FOUND = ("match()", "search()")
_SPLIT = ("urlsplit()", "urlparse()", "url_parse()")
"""The names of addresses taken apart; their port is a number."""


def joined_text(values: Sequence[Value], quoted: Sequence[int], at: Place) -> Value:
    """Return what is known of a string made of ``values``."""
    if len(values) == 2 and any(value.shape in ("list", "tuple") for value in values):
        return Value(merged(*(value.every() for value in values)), shape="list")
    if values and all(isinstance(value.constant, str) for value in values):
        text = "".join([value.constant for value in values])
        return Value(constant=text, literal=text)
    literal = "".join([value.literal or _GAP for value in values])[:4000]
    alone = [value.constant for value in values].count("") == len(values) - 1
    taints: list[Taint] = []
    before = ""
    for index, value in enumerate(values):
        for taint in value.every() if value.taints or value.fields else ():
            grown = taint if alone else _prefixed(taint, before).hop(at, "joined into a string")
            if "segment" in taint.marks and _is_hemmed(before, values[index + 1 :]):
                grown = grown.cleaned(("path", "archive"))
            whole = value.shape in CONTAINERS or taint.marks & {"object", "field"} == {"object"}
            shown = index in quoted or whole  # with the elements as repr() shows them
            taints.append(grown.cleaned(("log", "header")) if shown else grown)
        before += value.literal or ("" if value.constant == "" else _GAP)
    return Value(merged(taints), UNKNOWN, "", (), literal)


def _is_hemmed(before: str, behind: Sequence[Value]) -> bool:
    """Tell whether a segment of a URL shares its segment of the path with other text, so that it is no ``..``."""
    after = behind[0].literal if behind else ""
    return not {before[-1:], after[:1]} <= {"", "/", "\\", _GAP}


def added_to_markup(operator: str, left: Value, right: Value, at: Place) -> Value | None:
    """Return what ``+`` and ``%`` give with a ``Markup``, which escapes the other side; None where there is none."""
    marked = [value.name.endswith(_MARKUP) for value in (left, right)]
    if not any(marked) or (operator == "%" and not marked[0]):
        return None
    sides = [
        value if is_markup else value.refined(lambda taint: taint.cleaned(_ESCAPED))
        for value, is_markup in zip((left, right), marked, strict=True)
    ]
    found = joined_text(sides, (), at)
    return Value(
        found.taints,
        literal=found.literal,
        name=next(v.name for v, m in zip((left, right), marked, strict=True) if m),
    )


def _prefixed(taint: Taint, before: str) -> Taint:
    """Return the taint with what the text before it settles: the host of a URL, and whether an escape fits its place."""
    if not before:
        return taint.marked("built")
    if "html" in taint.clean:
        taint = placed(taint, before)
    if "shell-quoted" in taint.marks and _in_quotes(before):
        taint = taint.within(taint.clean - {"command"}, taint.marks)
        taint = taint.doubted(taint.near or "quoting a value for the shell does not help inside other quotes")
    marks, prefixed = _told_by(before)
    kept = taint.marks - BEGINNINGS
    if "slash-first" in taint.marks and _BARE_HOST.match(before):
        return taint.within(taint.clean | {"redirect"}, kept.union(marks, ("prefixed",))).doubted("")
    clean = taint.clean | {"redirect"} if prefixed else taint.clean
    return taint.within(clean, kept | marks)


@lru_cache(maxsize=1024)
def _in_quotes(before: str) -> bool:
    """Tell whether a text for the shell ends inside quotes; a value that is quoted itself opens none."""
    quote, escaped = "", False
    for letter in before:
        if escaped or (letter == "\\" and quote != "'"):
            escaped = not escaped
        elif letter == quote:
            quote = ""
        elif letter in "'\"" and not quote:
            quote = letter
    return bool(quote)


@lru_cache(maxsize=1024)
def _told_by(before: str) -> tuple[frozenset[str], bool]:
    """Return the marks of data that stands behind a text, and whether the text settles where a URL leads."""
    prefixed = before.startswith(_GAP) or _HOST_FIXED.match(before) is not None
    told = {
        "built": True,
        "script": _SCRIPT.search(before) is not None,
        "behind": not before.startswith(_GAP),
        "slash-first": before.startswith("/"),
        "query": prefixed and "?" in before,
    }
    return frozenset(mark for mark, holds in {**told, "prefixed": prefixed}.items() if holds), prefixed


def placed(taint: Taint, before: str) -> Taint:
    """Return the taint as the HTML before it leaves it: an escape does not stop a script URL, nor a script."""
    if "html" not in taint.clean or taint.clean & {ALL, "redirect"} or "urlquoted" in taint.marks:
        return taint
    for kind, place in _PLACES.items():
        if kind not in taint.clean and place.search(before):
            told = f"an HTML escape does not help where the text goes on after {before[-24:]!r}"
            return taint.within(taint.clean - {"html", "markup"}, taint.marks).doubted(taint.near or told)
    return taint


def loaded(base: Value, part: str) -> Value:
    """Return a field's value; the key that is read from a source becomes part of its name."""
    if part == ".__dict__" and base.classes:
        return attributes(base)
    value = CLEAN if part == ".__class__" else base.part(part)
    if not value.taints and not value.fields:
        return value
    if part == ".filename":
        return value.refined(_file_name)
    if part in (".name", ".stem", ".suffix"):
        return value.refined(lambda taint: taint.cleaned(("path",)) if "path" in taint.marks else taint)
    if base.literal and part[:1] == "[" and base.name.startswith("re.") and base.name.endswith(_FOUND):
        return matched_group(base, _key(part))
    if (
        base.name.endswith(_SPLIT) and part[0] == "."
    ):  # Python takes line breaks out of what it splits (bpo-43882)
        return (
            CLEAN
            if part == ".port"
            else value.refined(lambda taint: taint.cleaned(("log", "header", "mail")))
        )
    if part == "[:]":
        return value.refined(begun_anew)
    if part[:1] != "[":
        return value
    return value.refined(lambda taint: _named(taint, part))


def _file_name(taint: Taint) -> Taint:
    """Return the name of an upload; that of an archive's member is still told as the archive's."""
    if "member" in taint.marks:
        return taint
    return replace(taint, source=f"{taint.source}.filename", marks=taint.marks - {"stream"})


def attributes(holder: Value) -> Value:
    """Return the attributes of an object as a dict: what ``vars()`` gives."""
    fields = tuple(sorted((f"[{name[1:]!r}]", part) for name, part in holder.fields if name[0] == "."))
    return Value(holder.taints, shape="dict", fields=fields)


def matched_group(match: Value, wanted: object) -> Value:
    """Return a group of a match: only what its part of the pattern lets through."""
    allowed = characters.group(match.literal, wanted) if isinstance(wanted, int | str) else None
    kinds = characters.harmless(allowed) if allowed is not None else frozenset[str]()
    return CLEAN if ALL in kinds else Value(tuple([taint.cleaned(kinds) for taint in match.every()]))


def _key(part: str) -> int | str | None:
    """Return the number or the name that a field in brackets stands for; None where it is computed."""
    text = part[1:-1]
    return int(text) if text.isdecimal() else text[1:-1] if text[:1] == "'" else None


def _named(taint: Taint, part: str) -> Taint:
    fresh = (
        taint.kind == "request"
        and len(taint.trace) == 1
        and taint.source.startswith("request.")
        and "[" not in taint.source
    )
    if taint.source == HEADERS:
        taint = taint.marked("one-line")
    if part[:2] != "['":
        return taint
    if "object" in taint.marks:
        taint = taint.marked("field")
    if not fresh:
        return taint
    at, _ = taint.trace[0]
    source = taint.source + part
    return replace(taint, source=source, trace=((at, f"{source} is read"),))
