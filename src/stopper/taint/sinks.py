"""Sinks: where a call, a store or the answer of a view would do harm with what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stopper.taint.checks import Situation, verdict
from stopper.taint.domain import Taint, Value
from stopper.taint.ir import AccessPath, Assign, Call, Function, Load, Op, Operand, Place, Return, Store
from stopper.taint.models import Entry, Models
from stopper.taint.steps import sets_type

Read = Callable[[Operand], Value]
Record = Callable[[str, Value, Place, str, str], None]


class Sinks:
    """The sinks of one function: each tells ``record`` the kind, the data, the place, the name and how sure it is."""

    def __init__(self, models: Models, function: Function, read: Read, record: Record) -> None:
        """Take how operands are read at this point, and where what is found goes."""
        self.models = models
        self.function = function
        self.read = read
        self.record = record
        self.html = not any(sets_type(op) for op in function.ops())

    def call(self, op: Call, receiver: Value, args: tuple[Value, ...], keywords: Mapping[str, Value]) -> None:
        """Look at a call of a library's function."""
        if op.callee is not None:
            return
        name = op.name or (op.last if op.receiver is None else "")
        for entry in self.models.find("sink", name, op.last if op.receiver is not None else ""):
            values = [
                receiver if position == -1 else args[position]
                for position in entry.args
                if position < len(args)
            ]
            every = "*" in entry.keywords
            wanted = [value for key, value in keywords.items() if every or key in entry.keywords]
            for value in (*values, *wanted):
                self._given(entry, value, op, args, keywords)

    def _given(
        self, entry: Entry, value: Value, op: Call, args: tuple[Value, ...], keywords: Mapping[str, Value]
    ) -> None:
        taints = value.every()
        if not taints:
            return
        situation = Situation(value, keywords, args, self._loader(op), self.html)
        resolved = bool(op.name) and bool(self.models.find("sink", op.name))
        sure_of_it = resolved or op.receiver is None or entry.confidence == "low"
        default = entry.confidence if sure_of_it else "medium"
        for taint in taints:
            self._judged(entry, taint, situation, default, op)

    def _judged(self, entry: Entry, taint: Taint, situation: Situation, default: str, op: Call) -> None:
        sure = verdict(entry.check, taint, situation, default)
        if sure:
            self.record(entry.kind, Value((taint,)), op.at, f"{op.last or op.name}()", sure)

    def store(self, op: Store, source: Value) -> None:
        """Look at a store: a header or an attribute of a response."""
        key = op.part.strip(".[]'").lower()
        response = op.part == ".location" and op.name.startswith(("flask.", "werkzeug."))
        if key == "location" and ("headers" in op.name or response):
            self.record("redirect", source, op.at, "the Location header", "high")

    def page(self, value: Value, op: Return) -> None:
        """Look at what a view answers with: text is a page, a dict or a list is JSON."""
        self.record("error-details", Value(value.every()), op.at, "the response", "high")
        body = value
        args: tuple[Value, ...] = ()
        if value.shape == "tuple":
            body = value.part("[0]")
            args = tuple(part for _, part in value.fields)
        situation = Situation(body, {}, args, "", self.html)
        for taint in body.taints if body.shape != "dict" else ():
            sure = verdict("html", taint, situation, "high")
            if sure:
                self.record("html", Value((taint,)), op.at, "the response", sure)

    def _loader(self, op: Call) -> str:
        """Return what is passed as the loader or the parser, with the words of the call that makes it."""
        found = dict(op.keywords)
        operand = found.get("Loader") or found.get("parser") or (op.args[1] if len(op.args) > 1 else None)
        if not isinstance(operand, AccessPath):
            return ""
        made = self._made(operand)
        if isinstance(made, Load):
            return made.name or made.part
        if not isinstance(made, Call):
            return operand.base
        on = [key for key, value in made.keywords if self.read(value).constant is True]
        external = any(isinstance(op, Call) and op.last == "setFeature" for op in self.function.ops())
        return " ".join([made.last, *on, *(["external"] if external else [])])

    def _made(self, operand: AccessPath) -> Op | None:
        made = self.function.definitions.get(operand.base)
        if isinstance(made, Assign) and isinstance(made.source, AccessPath):
            made = self.function.definitions.get(made.source.base)
        return made
