"""Prefixes: what ``startswith`` says of a path or a URL, and what it leaves open."""

from __future__ import annotations

import re

from stopper.taint.change import Change, Reader
from stopper.taint.domain import UNKNOWN, Taint, Value
from stopper.taint.ir import AccessPath, Call, Load, Operand

HOST = frozenset(("redirect", "ssrf"))
"""The kinds that are settled by the host of an address."""
COMMON = frozenset(("commonpath", "commonprefix"))
"""What tells what two paths begin with, as they are written."""
NORMALISERS = COMMON.union(("abspath", "realpath", "normpath", "resolve", "absolute"))
"""What makes a path plain, so that a comparison of its beginning says where it leads."""
_JOINING = (NORMALISERS - {"commonpath", "commonprefix"}) | {"join", "joinpath", "/", "Path", "str"}
_ORIGINS = 5
"""How many steps back a path is followed to what it was made from."""
_FIXED_HOST = re.compile(r"https?://[^/]+/")
_WEB = ("http://", "https://", "/", "#", "mailto:")
_BARE_HOST = re.compile(r"https?://[^/]+$")


BEGINNINGS = frozenset(("slash-first", "one-slash", "no-backslash"))
"""The marks that tell how a text begins; they are gone when it is put behind another or loses its first letters."""
LIKELY_LOCAL = "joined-host"
"""Stands among the kinds for an address that leads elsewhere only where browsers read it otherwise than Python does."""


_LACKING = {
    "..": frozenset(("no-dots",)), ".": frozenset(("no-dots",)), "\\": frozenset(("no-backslash",)), "//": frozenset(("one-slash",)),
}  # fmt: skip
"""The state of a value in which a text is nowhere."""
SIGNED = "signed"
"""The mark of data whose signature fits: the application, or who shares its key, has written it."""


JOINED = (
    "the host is compared behind urljoin(), which takes '///evil.example' for a path, and browsers do not"
)


def unsettled(kinds: frozenset[str], called: str) -> str:
    """Return what the verdict of a function of the project's own leaves open; "" where it settles something."""
    if LIKELY_LOCAL in kinds:
        return JOINED
    return "" if kinds else f"the function {called}() was not seen to refuse what is dangerous"


def local_path(marks: frozenset[str]) -> frozenset[str]:
    """Return what is settled of an address by who wrote it, and by the beginnings that it must have and must not have."""
    if SIGNED in marks:
        return frozenset(("redirect",))
    if not marks >= {"slash-first", "one-slash"}:
        return frozenset()
    return frozenset(("redirect",)) if marks & {"no-backslash", "slashes"} else frozenset((LIKELY_LOCAL,))


def begun_anew(taint: Taint) -> Taint:
    """Return the taint of a text of which nobody knows how it begins."""
    marks = taint.marks - BEGINNINGS
    return taint if marks == taint.marks else taint.within(taint.clean, marks)


def prefix_changes(guards: Reader, op: Call, path: AccessPath, ways: list[str], truth: bool) -> list[Change]:
    """Return what ``path.startswith(...)`` says where it came out as ``truth``."""
    told = _refused(guards, op) if not truth else _accepted(guards, op, path, ways)
    return [Change(path, *told)] if told is not None else []


FORMULA = frozenset("=+-@")
"""What a cell begins with that a spreadsheet takes for a formula."""
_Told = tuple[frozenset[str], str, frozenset[str]]


def _refused(guards: Reader, op: Call) -> _Told | None:
    """Return what a refused beginning leaves: no second slash, no absolute path."""
    prefix = guards.read(op.args[0])
    texts = (
        {prefix.constant}
        if isinstance(prefix.constant, str)
        else {part.constant for _, part in prefix.fields}
    )
    if isinstance(prefix.constant, tuple):
        texts |= set(prefix.constant)
    marks = {
        mark
        for text, mark in (("//", "one-slash"), ("/\\", "no-backslash"), ("/", "relative"))
        if text in texts
    }
    kinds = frozenset(("argument",)) if "-" in texts else frozenset[str]()
    kinds |= {"csv"} if texts.issuperset(FORMULA) else set()
    return (kinds, "", frozenset(marks)) if marks or kinds else None


def _accepted(guards: Reader, op: Call, path: AccessPath, ways: list[str]) -> _Told:
    prefix = guards.read(op.args[0])
    text = prefix.constant if isinstance(prefix.constant, str) else ""
    begins = text or ("" if prefix.every() else prefix.literal)
    if _FIXED_HOST.match(begins):
        return frozenset(("redirect", "page-url", "argument")), "", frozenset(("prefixed",))
    texts = {text, *(part.constant for _, part in prefix.fields)} - {""}
    no_script = bool(texts) and all(isinstance(one, str) and one.startswith(_WEB) for one in texts)
    kinds = frozenset(("page-url",)) if no_script else frozenset[str]()
    if text == "/":
        told = "a value that starts with a slash may still name a host, as '//evil.example' does"
        return kinds, told, frozenset(("slash-first",))
    taints = guards.read(path).every()
    normal = set(ways) & NORMALISERS or (taints and all("normalised" in taint.marks for taint in taints))
    if not normal or any(taint.kind != "parameter" for taint in prefix.every()):
        return kinds, _not_enough(text), frozenset()
    if _open_ended(guards, op.args[0], text, known=prefix.constant is not UNKNOWN):
        told = f"startswith({text!r})" if text else "startswith"
        told = f"{told} without a separator at its end lets a sibling folder through, as in /data-evil"
        return kinds, told, frozenset(("inside",))
    return kinds | {"path", "archive"}, "", frozenset()


def ending_changes(path: AccessPath, ways: list[str], given: Value) -> list[Change]:
    """Return what ``host.endswith(".example.com")`` says, or ``endswith`` of several."""
    texts = [part.constant for _, part in given.items()] if given.closed else [given.constant]
    if not texts or not all(isinstance(text, str) for text in texts):
        return []
    if not {"netloc", "hostname", "host"} & set(ways):
        return [Change(path, near="only the end of the value is compared")]
    text = next((text for text in texts if text[:1] != "."), "")
    if not text:
        return [Change(path, HOST)]
    return [Change(path, near=f"endswith({text!r}) without a dot in front lets 'evil{text}' through")]


def lacking_changes(path: AccessPath, part: str) -> list[Change]:
    """Return what is known of a value in which a text is nowhere."""
    if part == "/":
        return [Change(path, frozenset(("path", "archive")))]
    if part in ("\n", "\r"):
        return [Change(path, frozenset(("log", "header", "mail")))]
    marks = _LACKING.get(part, frozenset())
    if "no-dots" in marks:
        return [Change(path, near=f"the test for {part!r} lets absolute paths through", marks=marks)]
    return [Change(path, near=f"only {part!r} is refused", marks=marks)]


def _not_enough(text: str) -> str:
    if _BARE_HOST.match(text):
        return f"the test startswith({text!r}) has no slash at its end and lets other hosts through"
    return f"the test startswith({text!r}) is no guard: the value is not normalised and no host is fixed"


def _open_ended(guards: Reader, prefix: Operand, text: str, *, known: bool) -> bool:
    """Tell whether a folder's path is compared without the separator behind it."""
    if known and text:
        return not text.endswith(("/", "\\"))
    last = guards.joined_last(prefix)
    if last is not None:
        ending = guards.read(last).constant
        named = guards.op(last)
        separator = isinstance(named, Load) and named.part in (".sep", ".altsep")
        return not separator and isinstance(ending, str) and not ending.endswith(("/", "\\"))
    made = guards.op(prefix)
    if isinstance(made, Call) and made.last == "join":
        return not (made.args and guards.read(made.args[-1]).constant == "")
    return isinstance(made, Call) and made.last in NORMALISERS | {"str"}


def with_origins(guards: Reader, changes: list[Change]) -> list[Change]:
    """Return what is known of paths, and of what these were joined and normalised from: ``full`` inside, so is ``name``."""
    found = list(changes)
    for change in changes:
        if "path" not in change.kinds:
            continue
        origin: Operand | None = change.path
        for _ in range(_ORIGINS):
            origin = _origin(guards, origin)
            if origin is None:
                break
            found.append(Change(origin, change.kinds))
    return found


def _origin(guards: Reader, operand: Operand | None) -> AccessPath | None:
    """Return what a path was made from: the last part that is tainted."""
    made = guards.op(operand) if operand is not None else None
    if isinstance(made, Load) and made.part in (".name", ".filename") and isinstance(made.base, AccessPath):
        return made.base
    if not isinstance(made, Call) or made.last not in _JOINING:
        return None
    given = [*made.args] if made.args else [made.receiver]
    found = [one for one in given if isinstance(one, AccessPath) and guards.read(one).every()]
    return found[-1] if found else None
