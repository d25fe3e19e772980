"""Sinks: where a call, a store or the answer of a view would do harm with what it is given."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from stopper.regex import regex
from stopper.source.module import Kind
from stopper.taint.checks import LOADING, Situation, verdict
from stopper.taint.domain import Value
from stopper.taint.ir import AccessPath, Assign, Call, Function, Load, Op, Operand, Place, Return, Store
from stopper.taint.models import Entry, Models
from stopper.taint.steps import sets_type

_PREFERENCE = regex(
    r"_*(?:lang|language|locale|theme|colou?r|mode|dark|next|url|back|referr?er|page|per_page|sort|order|filters?|search|query|q|tab|view|layout"
    r"|time_?zone|tz|currency|cart|step|message|draft|size|font|state|nonce)\w{0,4}",
    re.IGNORECASE,
)
"""The names of keys on which nothing depends but how a page looks."""

_PRIVILEGE = regex(
    r"(?i)role|admin|user|uid|owner|perm|right|tenant|account|group|auth|level|staff|email|id$"
)
"""The names of keys that say who somebody is and what they may."""
_LETTERS = frozenset(("html", "path", "sql"))
"""What data cannot harm of which the letters were looked at."""
_TEXTUAL = regex(r"(?i)response|str|text|markup|page|html|template|render")
"""The names of classes whose objects a view may send as a page."""
_MAILS = ("flask_mail.", "flask_mailman.", "flask_mailing.", "emails.", "mailer.")
"""The packages whose messages have an attribute ``html``."""

Read = Callable[[Operand], Value]
Record = Callable[[str, Value, Place, str, str], None]


class Sinks:
    """The sinks of one function: each tells ``record`` the kind, the data, the place, the name and how sure it is."""

    def __init__(
        self,
        models: Models,
        function: Function,
        read: Read,
        record: Record,
        lowered: Callable[[Any], Function],
    ) -> None:
        """Take how operands are read at this point, where what is found goes, and how other functions are looked at."""
        self.models = models
        self.function = function
        self.read = read
        self.record = record
        self.lowered = lowered
        if function.html is None:
            function.html = not any(sets_type(op) for op in function.ops())
        self.html = function.html
        self.json = False
        """Whether text that the function returns is sent as JSON."""

    def call(
        self,
        op: Call,
        entries: tuple[Entry, ...],
        receiver: Value,
        args: tuple[Value, ...],
        keywords: Mapping[str, Value],
    ) -> None:
        """Look at a call of a library's function that these entries take for a sink."""
        for entry in entries:
            for position in entry.args:
                if position < len(args):
                    value = receiver if position == -1 else args[position]
                    if value.taints or value.fields:
                        self._given(entry, Situation(value, keywords, args, position=position), op)
            every = "*" in entry.keywords
            for key, value in keywords.items():
                if (value.taints or value.fields) and (every or key in entry.keywords):
                    self._given(entry, Situation(value, keywords, args, position=-1), op)

    def _given(self, entry: Entry, situation: Situation, op: Call) -> None:
        taints = situation.value.every()
        if not taints:
            return
        situation = Situation(
            situation.value, situation.keywords, situation.args, self._loader(op) if entry.check in LOADING else "", self.html,
            self._named(op.receiver), situation.position,
        )  # fmt: skip
        resolved = bool(op.name) and bool(self.models.find("sink", op.name))
        sure_of_it = resolved or op.receiver is None or entry.confidence == "low"
        default = entry.confidence if sure_of_it else "medium"
        for taint in taints:
            sure = verdict(entry.check, taint, situation, default)
            if sure:
                self.record(entry.kind, Value((taint,)), op.at, f"{op.last or op.name}()", sure)

    def _named(self, operand: Operand | None) -> str:
        """Return the name of what is called: ``cursor`` of ``self.cursor.execute()``."""
        if not isinstance(operand, AccessPath):
            return ""
        made = self.function.definitions.get(operand.base) if operand.base.startswith("%") else None
        if isinstance(made, Load):
            return made.part.strip(".")
        return made.last if isinstance(made, Call) else operand.base

    def store(self, op: Store, source: Value, holder: str = "") -> None:
        """Look at a store: a header or an attribute of a response or a mail; ``holder`` is what it is known as here."""
        key = op.part.strip(".[]'").lower()
        name = op.name or holder
        response = name.startswith(("flask.", "werkzeug."))
        if key == "location" and ("headers" in name or (response and op.part == ".location")):
            self._stored("redirect", "location", source, op.at, "the Location header", "high")
        elif key == "refresh" and "headers" in name:
            self._stored("redirect", "location", source, op.at, "the Refresh header", "high")
        elif key == "set-cookie" and "headers" in name:
            self._stored("cookie", "", source, op.at, "the Set-Cookie header", "medium")
        elif response and op.part in (".data", ".response"):
            self._stored("html", "html", source, op.at, "the response", "high")
        elif op.part == ".html" and name.startswith(_MAILS):
            self._stored("mail-html", "", source, op.at, "the mail", "high")
        elif op.name == "flask.session":
            sure = "low" if _PREFERENCE.fullmatch(key) else "medium"
            if not _PRIVILEGE.search(key):
                source = source.refined(lambda taint: None if taint.clean >= _LETTERS else taint)
            self._stored("session", "unchecked", source, op.at, f"the session's {key}", sure)

    def _stored(self, kind: str, check: str, source: Value, at: Place, sink: str, default: str) -> None:
        situation = Situation(source, {}, (), html=self.html)
        for taint in source.every():
            sure = verdict(check, taint, situation, default)
            if sure:
                self.record(kind, Value((taint,)), at, sink, sure)

    def page(self, value: Value, op: Return) -> None:
        """Look at what a view answers with: text is a page, a dict or a list is JSON."""
        self.record("error-details", Value(value.every()), op.at, "the response", "high")
        body = value
        args: tuple[Value, ...] = ()
        if value.shape == "tuple":
            body = value.part("[0]")
            args = tuple(part for _, part in value.fields)
            for part in args[1:]:
                self._stored("header", "header-names", part, op.at, "the headers of the response", "high")
                if _redirects(args[1:]):
                    self._stored("redirect", "location-header", part, op.at, "the Location header", "high")
        situation = Situation(body, {}, args, html=self.html and not self.json)
        for taint in body.taints if body.shape != "dict" and _may_be_text(body) else ():
            sure = verdict("html", taint, situation, "high")
            if sure:
                self.record("html", Value((taint,)), op.at, "the response", sure)

    def _loader(self, op: Call) -> str:
        """Return what is passed as the loader or the parser, with the words of the call that makes it."""
        found = dict(op.keywords)
        operand = (
            found.get("Loader")
            or found.get("parser")
            or (op.args[1] if len(op.args) > 1 else None)
            or op.receiver
        )
        if not isinstance(operand, AccessPath):
            return ""
        kept = self.read(operand).literal
        if "Parser" in kept or kept.startswith("YAML "):
            return kept
        made = self._made(operand)
        if isinstance(made, Load):
            return self.read(operand).name or made.name or made.part
        if not isinstance(made, Call):
            given = self.read(operand)
            return _bases(given) or given.name or operand.base
        on = [
            f"{key}={constant}"
            for key, value in made.keywords
            if (constant := self.read(value).constant) in (True, False) or key == "typ"
        ]
        external = any(self._asks_for_more(op) for op in self.function.ops())
        return " ".join([made.last, *on, *(["external"] if external else [])])

    def _asks_for_more(self, op: Op) -> bool:
        """Tell whether a parser is told to read external entities."""
        if not isinstance(op, Call) or op.last != "setFeature" or len(op.args) < 2:
            return False
        return self.read(op.args[1]).constant in (True, 1)

    def _made(self, operand: AccessPath) -> Op | None:
        """Return what makes a value, here or in the function of the project that returns it."""
        made = _defined(self.function, operand)
        scope = made.callee if isinstance(made, Call) else None
        if scope is None or scope.kind is not Kind.FUNCTION:
            return made
        inner = self.lowered(scope)
        if len(scope.returns) != 1:
            return made
        returned = [
            op.source for op in inner.ops() if isinstance(op, Return) and isinstance(op.source, AccessPath)
        ]
        return (_defined(inner, returned[0]) if returned else None) or made


def _may_be_text(body: Value) -> bool:
    """Tell whether a view's answer may be text: an object of the project's own is sent as JSON, or refused."""
    bases = [base for owner in body.classes for base in getattr(owner.node, "bases", ())]
    return not body.classes or any(
        _TEXTUAL.search(getattr(base, "attr", getattr(base, "id", ""))) for base in bases
    )


def _redirects(args: tuple[Value, ...]) -> bool:
    """Tell whether an answer may send the browser elsewhere: its status is of the three hundreds, or not known."""
    return all(not isinstance(value.constant, int) or value.constant // 100 == 3 for value in args)


def _defined(function: Function, operand: AccessPath) -> Op | None:
    made = function.definitions.get(operand.base)
    if isinstance(made, Assign) and isinstance(made.source, AccessPath):
        made = function.definitions.get(made.source.base)
    return made


def _bases(value: Value) -> str:
    """Return the last base of a class of the project that is passed as it is: ``SafeLoader``."""
    for target in value.targets:
        for base in getattr(getattr(target.scope, "node", None), "bases", ()):
            return str(getattr(base, "attr", getattr(base, "id", "")))
    return ""
