"""Gather what a request brought, in the forms in which an app may hand it on.

Only what the app has read already is looked at: a body that nobody parsed is left in its stream, and what nobody read can have
reached nothing. What is gathered is kept with the request, and gathered again when the app reads more of it.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from itertools import chain, islice
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, unquote_plus

from flask import Request
from werkzeug.datastructures import MultiDict

KEPT: Final = "_stopper_inputs"
"""The attribute of a request under which its inputs are kept."""

SHORT: Final = 400
"""The longest value, in characters, whose forms are remembered."""
MODEST: Final = 4096
"""The longest value of which every form is made, its parts included; of one up to `LONGEST` a few are, of a longer one none."""
LONGEST: Final = 65_536
MANY: Final = 500
"""How many values of a request, and up to `LONGEST` in all, are looked at in every form; the others as they came."""
PARTS: Final = 100
"""How many parts of a value are looked at on their own."""

NAME: Final = "name in "
"""What the source of a parameter's name begins with, where that of a value is `args`, `form` and so on."""

LARGE: Final = 1_000_000
"""From which length on, in characters, the texts of a JSON document are read off its text instead of out of its objects."""
STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*+)"')

READ_ELSEWHERE: Final = frozenset(
    ("HTTP_CONNECTION", "HTTP_HOST", "HTTP_COOKIE", "HTTP_UPGRADE_INSECURE_REQUESTS")
)
"""Headers that the server and Flask read, and an app does not hand on as they are; a trusted host is a matter of its own."""

WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LETTERS: Final = re.compile(r"[A-Za-z0-9_]")
NUMBER: Final = re.compile(r"[0-9]+")
ENCODED: Final = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
BETWEEN: Final = tuple(re.compile(one) for one in (r"\s+", ",", ";", r"\|", "&"))
"""What apps split values at."""
TELLING: Final = re.compile(r"['\"`\\#;()=<>]|--|/\*|\|\|")
"""What a part of a value must hold to be looked at on its own."""


class Forms(NamedTuple):
    """What an app may make of one value."""

    whole: tuple[str, ...]
    """The whole value: as it came, decoded, in small letters and so on."""
    parts: tuple[str, ...] = ()
    """Parts between commas, blanks and the like, as far as they could change a token."""


class Inputs:
    """Hold the texts that one request brought, each with where it came from, such as `args q`."""

    def __init__(self, found: Iterable[tuple[str, str]]) -> None:
        self.values: dict[str, str] = {}
        """Texts that are more than one word, and where each came from."""
        self.words: dict[str, str] = {}
        """Values that are a single word of ASCII letters, digits and underscores, but no number; in lower case."""
        self._long_words: list[tuple[str, str]] = []
        self.passed: object = None
        """The statement that was let through last: what the database layer shows before the driver does."""
        for source, value in found:
            if not value or NUMBER.fullmatch(value):
                continue
            if not WORD.fullmatch(value):
                self.values.setdefault(value, source)
            elif not source.startswith(NAME):
                self.words.setdefault(value.lower(), source)
                if ENCODED.fullmatch(value):
                    self._long_words.append((source, value))

    @cached_property
    def forms(self) -> list[tuple[str, str, Forms]]:
        """Return, for each value up to a number, where it came from, itself, and the forms an app may have given it."""
        found, spent = [], 0
        for value, source in islice(self.values.items(), MANY):
            found.append((source, value, forms(value) if spent < LONGEST else Forms((value,))))
            spent += len(value)
        hidden = [(source, text) for source, word in self._long_words[:MANY] for text in decoded(word)]
        return found + [(source, text, forms(text)) for source, text in hidden]

    @cached_property
    def rest(self) -> list[str]:
        """Return the values beyond that number."""
        return list(islice(self.values, MANY, None))

    @cached_property
    def joined(self) -> str:
        """Return the forms of all values in one text, to look for pieces in; of what is long, both ends."""
        kept, size = [], 0
        forms_ = (
            one for source, _, found in self.forms if not source.startswith("header") for one in found.whole
        )
        for form in chain(forms_, self.rest):
            kept.append(form if len(form) <= LONGEST else f"{form[: LONGEST // 2]}\0{form[-LONGEST // 2 :]}")
            size += len(kept[-1])
            if size > 16 * LONGEST:
                break
        return "\0".join(kept)


def gather(request: Request) -> Inputs:
    """Return the inputs of a request, as far as the app has read them."""
    own = request.__dict__
    json_read = own.get("_cached_json", (..., ...))
    stamp = ("form" in own, "_cached_data" in own, json_read is not None and json_read[0] is not ...)
    kept: tuple[Any, Inputs] | None = own.get(KEPT)
    if kept is not None and kept[0] == stamp:
        return kept[1]
    inputs = Inputs(_found(request))
    own[KEPT] = (stamp, inputs)
    return inputs


def _found(request: Request) -> Iterator[tuple[str, str]]:
    """Yield where each text came from, and the text."""
    own = request.__dict__
    yield from _pairs("args", request.args)
    yield from _pairs("form", own.get("form"))
    yield from _pairs("cookie", request.cookies)
    for name, file in (own.get("files") or MultiDict()).items(multi=True):
        yield f"file {name}", file.filename or ""
    for name, value in (request.view_args or {}).items():
        if isinstance(value, str):
            yield f"path {name}", value
    yield "path", request.path
    yield from _body(own, request.mimetype)
    for name, value in request.environ.items():
        if name[:5] == "HTTP_" and name not in READ_ELSEWHERE:
            yield f"header {name[5:].replace('_', '-').title()}", value
    if request.authorization is not None:
        yield from _leaves("header Authorization", dict(request.authorization.parameters or {}))
    yield from _leaves("event", getattr(request, "event", None))  # Flask-SocketIO's


def _body(own: dict[str, Any], mimetype: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of a body that was read as JSON or, where it is no form, as a whole."""
    data = own.get("_cached_data")
    read = isinstance(data, bytes) and not mimetype.endswith("/x-www-form-urlencoded")
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) and read else ""
    if len(text) > LARGE:
        yield "body", text
        yield from (("json", _unescaped(match[1])) for match in STRING.finditer(text))
        return
    document = next((one for one in own.get("_cached_json") or () if one is not ...), None)
    if document is None and text:
        document = _parsed(text)
        if document is None:
            yield "body", text
    yield from _leaves("json", document)


def _unescaped(text: str) -> str:
    """Return what a JSON string says."""
    if "\\" not in text:
        return text
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _pairs(source: str, pairs: Any) -> Iterator[tuple[str, str]]:
    """Yield the names and the values of a mapping that may hold several values a name."""
    if pairs is None:
        return
    for name, value in pairs.items(multi=True) if isinstance(pairs, MultiDict) else pairs.items():
        yield f"{NAME}{source}", name
        yield f"{source} {name}", value


def _leaves(source: str, document: Any) -> Iterator[tuple[str, str]]:
    """Yield the texts of a JSON document, its keys included."""
    todo = [document]
    while todo:
        one = todo.pop()
        if isinstance(one, str):
            yield source, one
        elif isinstance(one, dict):
            todo += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            todo += one
        elif isinstance(one, int | float) and one < 0:
            yield source, str(one)


def _parsed(text: str) -> Any:
    """Return what a text says as JSON, nothing where it is none."""
    if text[:1] not in {"{", "[", '"'} or len(text) > LARGE:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def forms(value: str) -> Forms:
    """Return a value and what an app may make of it before it hands it on, each once."""
    if len(value) <= MODEST:
        return _short_forms(value) if len(value) <= SHORT else _forms(value)
    if len(value) > LONGEST:
        return Forms((value,))
    return Forms(tuple(dict.fromkeys((value, value.strip(), value.lower(), unquote_plus(value)))))


@lru_cache(1024)
def _short_forms(value: str) -> Forms:
    """Return the forms of a short value: the headers of a client are the same with each of its requests."""
    return _forms(value)


def _forms(value: str) -> Forms:
    """Return a value and its forms."""
    found = dict.fromkeys((value, value.strip(), value.lower(), value.upper()))
    for text in tuple(decoded(value)):
        found.update(dict.fromkeys((text, text.strip())))
    for text in tuple(found):
        found.update(
            dict.fromkeys(
                (text.replace("'", ""), text.replace('"', "")) if "'" in text or '"' in text else ()
            )
        )
    if "%" in value:
        found[value.replace("%", "%%")] = None
    collapsed = " ".join(value.split())
    found.update(dict.fromkeys((collapsed, collapsed.replace(" ", ""), html.escape(value))))
    found.pop("", None)
    parts = (part for text in found for at in BETWEEN for part in at.split(text, PARTS) if _is_telling(part))
    return Forms(tuple(found), tuple(dict.fromkeys(part for part in parts if part not in found)))


def _is_telling(part: str) -> bool:
    """Tell whether a part of a value could change tokens, and is not only signs that every statement has."""
    return TELLING.search(part) is not None and LETTERS.search(part) is not None


def decoded(value: str) -> Iterator[str]:
    """Yield what a value says once it is decoded, in the ways that web apps decode values once more."""
    if "%" in value or "+" in value:
        once = unquote_plus(value)
        yield from (once, unquote(value), unquote(once))
    if "&" in value:
        yield html.unescape(value)
    if not value.isascii():
        yield unicodedata.normalize("NFKC", value)
    if ENCODED.fullmatch(value):
        yield from _from_base64(value)
    if value[:1] in {"{", "["}:
        yield from (text for _, text in _leaves("", _parsed(value)))


def _from_base64(value: str) -> Iterator[str]:
    """Yield the text that a value holds in base64, if it holds one."""
    padded = value.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    try:
        text = base64.b64decode(padded + "=" * (-len(padded) % 4)).decode()
    except (binascii.Error, ValueError):
        return
    if text.isprintable() and not WORD.fullmatch(text):
        yield text


def escaped(value: str) -> tuple[str, ...]:
    """Return a value as drivers and careful hands write it into a literal: quotes doubled, or set off by backslashes."""
    if "'" not in value and '"' not in value and "\\" not in value:
        return (value,)
    doubled = value.replace("'", "''")
    slashed = value.replace("\\", "\\\\")
    return (
        slashed.replace("'", "''"),
        slashed.replace("'", "\\'").replace('"', '\\"'),
        doubled,
        value.replace('"', '""'),
    )
