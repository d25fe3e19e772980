"""Guards: what a test says of the data it tests, on each of the two ways that leave it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from stopper.taint.domain import ALL, Taint, Value
from stopper.taint.ir import AccessPath, Assign, Call, Compare, Function, Load, Op, Operand

Read = Callable[[Operand], Value]
Ask = Callable[[Call], dict[int, frozenset[str]]]
Change = tuple[AccessPath, frozenset[str], str]
"""A variable, the kinds it is now safe for, and else the guard that does not count."""

_EVERYTHING = frozenset((ALL,))
_HOST = frozenset(("redirect", "ssrf"))
_TRANSPARENT = frozenset(["lower", "upper", "strip", "lstrip", "rstrip", "casefold", "str", "get", "pop"])
_NORMALISERS = frozenset(
    ("abspath", "realpath", "normpath", "resolve", "absolute", "commonpath", "commonprefix")
)
_CHARACTERS = {
    "isdigit": _EVERYTHING, "isdecimal": _EVERYTHING, "isnumeric": _EVERYTHING, "isalnum": _EVERYTHING, "isalpha": _EVERYTHING,
    "isidentifier": _EVERYTHING - {"code"}, "is_relative_to": frozenset(("path",)),
}  # fmt: skip
_NUMBERS = ("int", "float", "bool", "UUID", "Decimal")


class Guards:
    """The guards of one function."""

    def __init__(self, function: Function, read: Read, ask: Ask) -> None:
        """Take how operands are read here, and how a call of the project's own function is asked for its verdict."""
        self.function = function
        self.read = read
        self.ask = ask

    def changes(self, test: Operand, truth: bool) -> list[Change]:
        """Return what is known where ``test`` came out as ``truth``."""
        op = self._op(test)
        if isinstance(op, Compare):
            if op.operator == "not":
                return self.changes(op.left, not truth)
            return self._compare(op, truth)
        if isinstance(op, Call):
            return self._call(op, truth)
        return self._truth(test, truth)

    def _op(self, operand: Operand) -> Op | None:
        for _ in range(5):
            if not isinstance(operand, AccessPath) or operand.fields:
                return None
            op = self.function.definitions.get(operand.base)
            if not isinstance(op, Assign):
                return op
            operand = op.source
        return None

    def _truth(self, test: Operand, truth: bool) -> list[Change]:
        path, ways = self._subject(test)
        if path is None:
            return []
        if {"netloc", "hostname", "scheme"} & set(ways):
            return [] if truth else self._no_host(path, ways)
        return [(path, _EVERYTHING, "")] if not truth and not ways else []

    def _no_host(self, path: AccessPath, ways: list[str]) -> list[Change]:
        if "scheme" in ways:
            return []
        if all("slashes" in taint.marks for taint in self.read(path).every()):
            return [(path, frozenset(("redirect",)), "")]
        return [(path, frozenset(), "the empty host is checked, but browsers read a backslash as a slash")]

    def _compare(self, op: Compare, truth: bool) -> list[Change]:
        positive = op.operator in ("==", "in", "is")
        if op.operator not in ("==", "!=", "in", "not in", "is", "is not") or positive != truth:
            return []
        changes: list[Change] = []
        for tested, other in ((op.left, op.right), (op.right, op.left)):
            if tested is op.right and op.operator in ("in", "not in"):
                break
            changes += self._equal(tested, other)
        return changes

    def _equal(self, tested: Operand, other: Operand) -> list[Change]:
        path, ways = self._subject(tested)
        if path is None:
            return []
        value = self.read(other)
        if {"netloc", "hostname"} & set(ways):
            empty = value.constant == "" or any(part.constant == "" for _, part in value.fields)
            return self._no_host(path, ways) if empty else [(path, _HOST, "")]
        if {"commonpath", "commonprefix"} & set(ways):
            return [(path, frozenset(("path",)), "")]
        if "scheme" in ways:
            return [(path, frozenset(), "only the scheme is checked")]
        if value.every():
            return []
        if "part" in ways or "splitext" in ways:
            return [(path, frozenset(), "only a part of the value is compared")]
        return [(path, _EVERYTHING, "")] if not ways else []

    def _call(self, op: Call, truth: bool) -> list[Change]:
        if op.callee is not None:
            return self._asked(op, truth)
        if not truth:
            return []
        if op.last == "isinstance" and len(op.args) == 2:
            kind = op.args[1]
            path, _ = self._subject(op.args[0])
            return [(path, _EVERYTHING, "")] if path is not None and str(kind) in _NUMBERS else []
        if op.last in ("fullmatch", "match") and op.args:
            return self._matched(op)
        if op.receiver is None:
            return self._named(op)
        path, ways = self._subject(op.receiver)
        if path is None:
            return self._named(op)
        if op.last in _CHARACTERS:
            return [(path, _CHARACTERS[op.last], "")]
        return self._prefix(op, path, ways) if op.last == "startswith" and op.args else []

    def _named(self, op: Call) -> list[Change]:
        if op.name != "django.utils.http.url_has_allowed_host_and_scheme":
            return []
        path, _ = self._subject(op.args[0]) if op.args else (None, [])
        return [(path, frozenset(("redirect",)), "")] if path is not None else []

    def _asked(self, op: Call, truth: bool) -> list[Change]:
        verdicts = self.ask(op) if truth else {}
        changes: list[Change] = []
        for index, arg in enumerate(op.args):
            path, _ = self._subject(arg)
            if path is not None and truth:
                kinds = verdicts.get(index, frozenset())
                changes.append(
                    (
                        path,
                        kinds,
                        "" if kinds else f"the function {op.last}() was not seen to refuse what is dangerous",
                    )
                )
        return changes

    def _prefix(self, op: Call, path: AccessPath, ways: list[str]) -> list[Change]:
        prefix = self.read(op.args[0])
        text = prefix.constant if isinstance(prefix.constant, str) else ""
        if re.match(r"https?://[^/]+/", text):
            return [(path, _HOST, "")]
        taints = self.read(path).every()
        normal = set(ways) & _NORMALISERS or (taints and all("normalised" in taint.marks for taint in taints))
        if normal and not prefix.every():
            return [(path, frozenset(("path",)), "")]
        return [
            (
                path,
                frozenset(),
                f"the test startswith({text!r}) is no guard: the value is not normalised and no host is fixed",
            )
        ]

    def _matched(self, op: Call) -> list[Change]:
        compiled = self._op(op.receiver) if op.receiver is not None else None
        if isinstance(compiled, Call) and compiled.last == "compile" and compiled.args:
            pattern, tested = self.read(compiled.args[0]), op.args[0]
        elif len(op.args) > 1:
            pattern, tested = self.read(op.args[0]), op.args[1]
        else:
            return []
        path, _ = self._subject(tested)
        if path is None or not isinstance(pattern.constant, str):
            return []
        if safe_pattern(pattern.constant, whole=op.last == "fullmatch"):
            return [(path, _EVERYTHING, "")]
        return [(path, frozenset(), f"the pattern {pattern.constant!r} lets dangerous characters through")]

    def _subject(self, operand: Operand) -> tuple[AccessPath | None, list[str]]:
        """Return the variable that a tested value is made from, and what was done to it on the way."""
        ways: list[str] = []
        path: AccessPath | None = operand if isinstance(operand, AccessPath) else None
        for _ in range(8):
            if path is None or not path.base.startswith("%"):
                break
            op = self.function.definitions.get(path.base)
            path, way = self._origin(op)
            ways += way
        if path is not None and not path.base.startswith("%"):
            op = self.function.definitions.get(path.base)
            source = op.source if isinstance(op, Assign) else None
            made = self._op(source) if source is not None else None
            if isinstance(made, Call) and made.last in ("urlparse", "urlsplit") and ways:
                inner, more = self._subject(made.args[0]) if made.args else (None, [])
                return inner or path, ways + more
        return path, ways

    def _origin(self, op: Op | None) -> tuple[AccessPath | None, list[str]]:
        if isinstance(op, Load) and isinstance(op.base, AccessPath):
            known = op.part[1:] if op.part.startswith(".") else "part"
            return op.base, [known]
        if isinstance(op, Call):
            if op.receiver is not None and op.last in _TRANSPARENT:
                return (op.receiver, []) if isinstance(op.receiver, AccessPath) else (None, [])
            source = op.args[0] if op.args else op.receiver
            if op.last in _TRANSPARENT or op.last in ("urlparse", "urlsplit", "URL"):
                return (source, []) if isinstance(source, AccessPath) else (None, [])
            if op.last in _NORMALISERS and isinstance(source, AccessPath):
                return self._in_list(source), [op.last]
            if isinstance(op.receiver, AccessPath) and not op.args:
                return op.receiver, ["part"]
        return None, []

    def _in_list(self, source: AccessPath) -> AccessPath:
        """Return the first element of ``commonpath((path, base))`` that is tainted."""
        op = self.function.definitions.get(source.base)
        items: Iterable[tuple[str, Operand]] = getattr(op, "items", ())
        for _, item in items:
            if isinstance(item, AccessPath) and self.read(item).every():
                return item
        return source


def apply(state: dict[str, Value], changes: list[Change]) -> None:
    """Change ``state`` as the guards say."""
    for path, kinds, near in changes:
        value = state.get(path.base)
        if value is None:
            continue
        state[path.base] = value.refined(_change(kinds, near))


def _change(kinds: frozenset[str], near: str) -> Callable[[Taint], Taint | None]:
    def change(taint: Taint) -> Taint | None:
        if ALL in kinds:
            return taint.cleaned(kinds) if taint.kind == "parameter" else None
        return taint.cleaned(kinds) if kinds else replace(taint, near=taint.near or near)

    return change


def safe_pattern(pattern: str, *, whole: bool) -> bool:
    """Tell whether a regular expression lets only word characters, dots, dashes and blanks through."""
    if not whole and not pattern.endswith(("$", r"\Z")):
        return False
    body = re.sub(r"^\^|\$$|\\Z$", "", pattern)
    body = re.sub(r"\[(?!\^)(?:\\w|\\d|[A-Za-z0-9_ .-]|\\[-.])+\]", "w", body)
    return re.fullmatch(r"(?:\\w|\\d|\\\.|\\-|[A-Za-z0-9_ +*?()|:-]|\{\d*,?\d*\})*", body) is not None
