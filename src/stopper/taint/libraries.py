"""Libraries: what a function or a method that is not the project's own gives back for what it is given."""

from __future__ import annotations

import ast
import os
import string
from collections.abc import Mapping
from dataclasses import replace

from stopper.taint import characters
from stopper.taint.containers import element
from stopper.taint.domain import ALL, ANY, CLEAN, Taint, Value, joined, merged
from stopper.taint.ir import Call
from stopper.taint.models import Entry, Models
from stopper.taint.prefixes import begun_anew
from stopper.taint.steps import after_method, is_number, path_joined
from stopper.taint.strings import MATCH, loaded, matched_group, placed

_TEXT = frozenset(("str", "json.dumps", "simplejson.dumps", "orjson.dumps", "ujson.dumps", "ascii", "format"))
_ROWS = frozenset(("csv.reader", "csv.DictReader", "codecs.iterdecode"))
"""What reads a stream and gives the text that is in it."""
_ANSWERS = frozenset(
    ("startswith", "endswith", "count", "index", "find", "rfind", "rindex", "validate", "exists")
)
_LOOKS = frozenset(
    ("read_text", "read_bytes", "open", "iterdir", "glob", "rglob", "stat", "lstat", "owner", "group")
)
"""The methods of a path that tell what lies there, which is not what the path is made of."""
_TAKES = frozenset(("join", "replace"))
_MATCHES = frozenset(("match", "fullmatch", "search", "findall", "finditer"))
_PARSERS = frozenset(("XMLParser", "XMLPullParser", "ETCompatXMLParser", "YAML"))
_TEXTS = frozenset(("re.compile", "regex.compile", "markupsafe.Markup", "flask.Markup", "jinja2.Markup"))
_MEMBERS = frozenset(("namelist", "infolist", "getnames", "getmembers", "next"))
_GONE = "without "
"""How the mark of a letter begins that is no longer in the text."""
_CLIMBS = ("../", "..\\", "..", "./")


def result(
    models: Models, op: Call, receiver: Value, args: tuple[Value, ...], keywords: Mapping[str, Value]
) -> Value:
    """Return what a library's function gives: clean, where no model names it and no tainted object has it as a method."""
    groups = [
        value.every() for value in (receiver, *args, *keywords.values()) if value.taints or value.fields
    ]
    if op.name == "str.maketrans" and args:
        return _table(args)
    given = merged(*groups) if groups else ()
    if not given:
        return _kept(op, args, keywords)
    name = op.name or (op.last if op.receiver is None else "")
    if name.endswith("Markup().format") and receiver.literal:
        return _escaped(op, receiver.literal, args, keywords)
    if name.endswith("Markup().format_map") and receiver.literal and args:
        return _escaped(op, receiver.literal, (), {"**": args[0]})
    cleaners = models.find("sanitizer", name, op.last)
    if cleaners:
        return _sanitized(name, given, cleaners, keywords)
    if name.startswith(("re.", "regex.")):
        found = _regular(op, receiver, args)
        if found is not None:
            return found
    if op.last == "urljoin":
        given = tuple(_joined_to_base(taint) for taint in given)
    for entry in models.find("propagator", name):
        return _carried(op, given, receiver, args, keywords, entry)
    if op.last in ("join", "format", "format_map") and op.receiver is not None:
        taints = (taint.marked("built").hop(op.at, f"goes through .{op.last}()") for taint in given)
        return Value(tuple(taints), literal=receiver.literal)
    if op.receiver is None or not receiver.every():
        return _put_in(op, args) if op.last == "replace" and not receiver.classes else CLEAN
    if receiver.classes and not receiver.taints and not receiver.shape:
        return CLEAN
    return _method(op, receiver, args, keywords)


def _put_in(op: Call, args: tuple[Value, ...]) -> Value:
    """Return ``text.replace(old, new)`` of a text that is not known: what is put in stands somewhere in it."""
    if len(args) not in (2, 3) or op.name.startswith("os."):
        return CLEAN
    return Value(
        tuple(taint.marked("built").hop(op.at, "goes through .replace()") for taint in args[1].every())
    )


def _kept(op: Call, args: tuple[Value, ...], keywords: Mapping[str, Value]) -> Value:
    """Return what keeps its constant text: a pattern, a piece of markup, a parser's options; everything else is clean."""
    if op.last in _PARSERS:
        options = [f"{key}={value.constant}" for key, value in keywords.items() if value.known]
        return Value(literal=" ".join([op.last, *options]))
    if op.name not in _TEXTS or not args or not isinstance(args[0].constant, str):
        return CLEAN
    return Value(
        literal=characters.flagged(
            args[0].constant, [value.name for value in (*args[1:], *keywords.values())]
        )
    )


def _escaped(op: Call, text: str, args: tuple[Value, ...], keywords: Mapping[str, Value]) -> Value:
    """Return ``Markup(text).format(...)``: every value is escaped, and stands where ``text`` puts it."""
    before, count = "", 0
    taints: list[Taint] = []
    try:
        fields = list(string.Formatter().parse(text))
    except ValueError:
        return CLEAN
    for literal, name, _, _ in fields:
        before += literal
        if name is None:
            continue
        place = int(name) if name.isdecimal() else count
        count += 1
        value = keywords["**"].part(f"[{name!r}]") if "**" in keywords else CLEAN
        value = keywords.get(name, args[place] if place < len(args) and not name.isidentifier() else value)
        taints += [
            placed(taint.cleaned(("html", "markup")), before).hop(op.at, "goes through .format()")
            for taint in value.every()
        ]
        before += "\0"
    return Value(merged(taints), literal=before)


def _sanitized(
    name: str, given: tuple[Taint, ...], entries: tuple[Entry, ...], keywords: Mapping[str, Value]
) -> Value:
    kinds = frozenset(kind for entry in entries for kind in entry.kinds)
    if ALL in kinds:
        return CLEAN
    marks = tuple(mark for entry in entries for mark in entry.marks)
    safe = keywords.get("safe")
    if "urlquoted" in marks and safe is not None and safe.constant == "":
        kinds |= {"redirect", "path"}
    without = frozenset(("object",)) if name in _TEXT else frozenset()
    return Value(tuple(_held(taint, kinds, marks, without) for taint in given))


def _held(taint: Taint, kinds: frozenset[str], marks: tuple[str, ...], without: frozenset[str]) -> Taint:
    """Return a taint after a sanitiser; what is quoted for a URL twice stays quoted when a browser takes one layer off."""
    twice = ("quoted-twice",) if "urlquoted" in marks and "urlquoted" in taint.marks else ()
    return taint.within(taint.clean | kinds, (taint.marks - without).union(marks, twice))


def _regular(op: Call, receiver: Value, args: tuple[Value, ...]) -> Value | None:
    """Return what a regular expression of the standard library lets through, where the pattern is known."""
    pattern = receiver.literal if receiver.literal and op.receiver is not None else ""
    if not pattern and args and isinstance(args[0].constant, str) and op.name.count("()") == 0:
        pattern, args = args[0].constant, args[1:]
    if op.last in ("sub", "subn") and pattern and len(args) > 1:
        return _substituted(pattern, args, op)
    if op.last in _MATCHES and args and pattern:
        taints = tuple([taint.hop(op.at, f"goes through {op.last}()") for taint in args[0].every()])
        found = Value(taints, literal=pattern, name=MATCH)
        if op.last == "findall":
            return element(_found(found))
        return element(found) if op.last == "finditer" else found
    return None


def _found(match: Value) -> Value:
    """Return an element of ``findall``: the whole match, the only group, or all groups."""
    count = characters.groups(match.literal)
    if count < 2:
        return matched_group(match, count)
    parts = tuple((f"[{at}]", matched_group(match, at + 1)) for at in range(count))
    return Value(shape="tuple", fields=parts)


def _substituted(pattern: str, args: tuple[Value, ...], op: Call) -> Value:
    given = merged(*(value.every() for value in args[:2]))
    new = args[0].constant if isinstance(args[0].constant, str) else None
    left = characters.kept(pattern, new) if new is not None else None
    kinds = characters.harmless(left) if left is not None else frozenset()
    if ALL in kinds:
        return CLEAN
    note = f"goes through {op.last}()"
    return Value(tuple(begun_anew(taint).cleaned(kinds).hop(op.at, note) for taint in given))


def _carried(
    op: Call,
    given: tuple[Taint, ...],
    receiver: Value,
    args: tuple[Value, ...],
    keywords: Mapping[str, Value],
    entry: Entry,
) -> Value:
    name = op.name or op.last
    note = f"goes through {op.last or name}()"
    if op.last == "normpath" and args and args[0].literal.startswith("/"):
        given = tuple([taint.marked("rooted") for taint in given])
    if entry.marks == ("path",):
        parts = args if op.receiver is None else (receiver, *args)
        return path_joined(parts, op, note, dict(keywords))
    shape = next((value.shape for value in args if value.shape), "")
    gone = (
        frozenset(("object",)) if name in _TEXT else frozenset(("stream",)) if name in _ROWS else frozenset()
    )
    taints = [
        _undone(taint.within(taint.clean, taint.marks - gone) if gone else taint, entry) for taint in given
    ]
    return Value(tuple(taint.marked(*entry.marks).hop(op.at, note) for taint in taints), shape=shape)


def _joined_to_base(taint: Taint) -> Taint:
    """Return the taint behind ``urljoin``: the address whose host was compared is the one that comes out."""
    return replace(taint.cleaned(("redirect", "ssrf")), near="") if "joined-host" in taint.clean else taint


def _undone(taint: Taint, entry: Entry) -> Taint:
    """Return the taint after a decoder: what a guard or an escape has settled before no longer holds."""
    if not entry.undo:
        return taint
    clean = taint.clean & {ALL} if ALL in entry.undo else taint.clean - set(entry.undo)
    return replace(
        taint,
        clean=clean,
        marks=taint.marks
        - {"urlquoted", "quoted-twice", "encoded", "normalised", "no-dots", "one-line", "looked-up"},
    )


def _method(op: Call, receiver: Value, args: tuple[Value, ...], keywords: Mapping[str, Value]) -> Value:
    kind = keywords.get("type")
    if op.last in ("get", "getlist") and kind is not None and is_number(dict(op.keywords).get("type")):
        return CLEAN
    if op.last in ("get", "pop", "setdefault", "getlist") and args and args[0].known:
        value = loaded(receiver, f"[{args[0].constant!r}]")
        if op.last == "getlist" and value.taints and not value.fields:
            return Value(shape="list", fields=((ANY, value),))
        return joined(value, args[1]) if len(args) > 1 and args[1].every() else value
    if op.last in ("group", "groups", "groupdict") and receiver.literal:
        return _grouped(op, receiver, args)
    if op.last.startswith("is") or op.last in _ANSWERS:
        return CLEAN
    if op.last in ("partition", "rpartition") and args and isinstance(args[0].constant, str):
        around = Value(tuple(after_method(taint, op, args) for taint in receiver.every()))
        return Value(shape="tuple", fields=(("[0]", around), ("[1]", CLEAN), ("[2]", around)))
    own = receiver.every()
    if op.last in _LOOKS:
        own = tuple([taint for taint in own if "path" not in taint.marks])
    taints = merged(own, *(value.every() for value in args if op.last in _TAKES))
    return Value(tuple(_stripped(after_method(taint, op, args), op, args) for taint in taints))


def _table(args: tuple[Value, ...]) -> Value:
    """Return the table of ``str.maketrans``: a dict, or the letters to replace and to take out."""
    if args[0].fields or len(args) == 1:
        return args[0]
    letters = [arg.constant for arg in args[::2]]
    gone = set("".join(letters)) if all(isinstance(one, str) for one in letters) else set()
    new = args[1].constant if isinstance(args[1].constant, str) else None
    kept = set() if new is None else gone - set(new)
    return Value(shape="dict", fields=tuple(sorted((f"[{one!r}]", CLEAN) for one in kept)))


def _translated(taint: Taint, table: Value) -> Taint:
    """Return the taint after ``.translate(table)``: without the characters that the table replaces."""
    gone = frozenset(point for name, _ in table.fields if (point := _point(name)) is not None)
    return taint.cleaned(characters.harmless(characters.without(gone)))


def _point(name: str) -> int | None:
    """Return the letter that a field of a table stands for: ``['<']`` or ``[60]``; None where it is none of ASCII."""
    try:
        key = ast.literal_eval(name[1:-1])
    except (SyntaxError, ValueError):
        return None
    point = ord(key) if isinstance(key, str) and len(key) == 1 else key
    return point if isinstance(point, int) and point < characters.OTHER else None


def _without(taint: Taint, last: str, args: tuple[Value, ...]) -> Taint:
    """Return the taint after ``.split(letter)`` or ``.replace(letter, "...")``, with what is gone for good since the source."""
    gone = args[0].constant
    new = args[1].constant if last == "replace" and len(args) == 2 else "" if len(args) == 1 else None
    if not isinstance(gone, str) or not isinstance(new, str) or not gone.isascii():
        return taint
    back = [mark for mark in taint.marks if mark.startswith(_GONE) and mark[len(_GONE) :] in new]
    left = taint.marks.difference(back)
    if len(gone) == 1 and gone not in new:
        left |= {_GONE + gone}
    if left == taint.marks:
        return taint
    clean = taint.clean - _safe_without(taint.marks) if back else taint.clean
    return taint.within(clean | _safe_without(left), left)


def _safe_without(marks: frozenset[str]) -> frozenset[str]:
    """Return the kinds that text is harmless for without the letters that are gone."""
    letters = frozenset(ord(mark[len(_GONE) :]) for mark in marks if mark.startswith(_GONE))
    return characters.harmless(characters.without(letters)) if letters else frozenset()


def _grouped(op: Call, receiver: Value, args: tuple[Value, ...]) -> Value:
    """Return a group of a match: only what its part of the pattern lets through."""
    asked = [arg.constant if arg.known else 0 for arg in args] if op.last == "group" and args else [0]
    groups = [matched_group(receiver, wanted) for wanted in asked]
    return Value(
        merged(*[[one.hop(op.at, f"goes through .{op.last}()") for one in group.taints] for group in groups])
    )


def _stripped(taint: Taint, op: Call, args: tuple[Value, ...]) -> Taint:
    """Return the taint after a method that changes its state; after ``.replace``, a near miss, where what it takes out can be put together again."""
    if op.last in ("split", "splitlines") and (not args or op.last == "splitlines"):
        return taint.cleaned(("log", "header", "mail"))
    if args and (op.last == "replace" or (op.last == "split" and args[0].constant in ("\n", "\r"))):
        taint = _without(taint, op.last, args)
    if op.last == "encode" and args and args[0].constant in ("unicode_escape", "raw_unicode_escape"):
        return taint.cleaned(("log", "header", "mail"))
    if op.last == "translate" and args and args[0].fields:
        return _translated(taint, args[0])
    if op.last in ("read", "getvalue", "readline", "readlines", "getbuffer"):
        return replace(taint, marks=taint.marks - {"stream"})
    if op.last in _MEMBERS and taint.marks & {"zip", "archive", "stream"}:
        return replace(taint, marks=(taint.marks - {"zip", "archive", "stream"}) | {"member"}, near="")
    if (
        op.last == "lstrip"
        and "rooted" in taint.marks
        and args
        and args[0].constant in ("/", os.sep, "/\\", "\\/")
    ):
        return taint.cleaned(("path",))
    if op.last in ("resolve", "absolute") and "path" in taint.marks:
        return taint.marked("normalised")
    if op.last != "replace" or not args or not isinstance(args[0].constant, str):
        return taint
    gone = args[0].constant
    if gone == "/":
        return taint.cleaned(("path",))
    if gone in _CLIMBS:
        return replace(
            taint,
            near=taint.near or f"replace({gone!r}, '') leaves '../' where '....//' was, and absolute paths",
        )
    if gone in ("'", '"', "<script>", ";"):
        return replace(taint, near=taint.near or f"replacing {gone!r} is no escape")
    return taint
