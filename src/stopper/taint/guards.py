"""Guards: what a test says of the data it tests, on each of the two ways that leave it."""

from __future__ import annotations

from collections.abc import Callable

from stopper.taint import characters, items, letters
from stopper.taint.answers import EQUALITIES, Verdicts, asked_changes, compared_changes, part_changes
from stopper.taint.beginnings import beginning_changes
from stopper.taint.change import Change
from stopper.taint.domain import ALL
from stopper.taint.flags import flag_changes
from stopper.taint.ir import (
    AccessPath,
    Build,
    Call,
    Compare,
    Compute,
    Constant,
    Function,
    Load,
    Operand,
)
from stopper.taint.lookups import INSISTING, insisted_changes, is_query, lookup_changes
from stopper.taint.models import Models
from stopper.taint.outcomes import Asked
from stopper.taint.prefixes import (
    COMMON,
    HOST,
    JOINED,
    LIKELY_LOCAL,
    NORMALISERS,
    ending_changes,
    lacking_changes,
    prefix_changes,
    with_origins,
)
from stopper.taint.rereads import has_keys
from stopper.taint.signatures import signed_changes
from stopper.taint.subjects import HOSTS, Read, Subjects

Ask = Callable[[Call, Asked], Verdicts]

_EVERYTHING = frozenset((ALL,))
_PATH = frozenset(("path", "archive"))
_NAME = characters.harmless(characters.of_method("isidentifier") or frozenset())
"""What the name of an attribute cannot harm."""
_SIBLING = "commonprefix() compares letter by letter and lets a sibling folder through, as in /data-evil"
_TYPED = {
    "str": frozenset(("nosql",)), "bytes": frozenset(("nosql",)), "HTTPException": frozenset(("error-details",)),
}  # fmt: skip
"""What an object of a class harms no longer: a text is no operator of a query, and an HTTP error says what everybody may read."""
_NUMBERS = frozenset(("int", "float", "bool", "UUID", "Decimal", "date", "datetime"))
ANSWERING = INSISTING | {"relative_to"}
"""The last names of calls that say something of their data where they come back at all."""
RAISING = frozenset(
    (
        "int", "float", "uuid.UUID", "decimal.Decimal", "datetime.date.fromisoformat", "bson.ObjectId", "bson.objectid.ObjectId",
    )
)  # fmt: skip
"""What raises for everything that is not a number, a date or an id."""


class Guards(Subjects):
    """The guards of one function."""

    def __init__(self, function: Function, models: Models, read: Read, ask: Ask) -> None:
        """Take how operands are read here, and how a call of the project's own function is asked for its verdict."""
        super().__init__(function, read)
        self.models = models
        self._ask = ask
        self._flags: list[Operand] = []
        """The tests of which it is being asked whether they are flags."""

    def passed(self, op: Call) -> list[Change]:
        """Return what is known after a call that came back, and would have raised otherwise."""
        if op.last == "relative_to" and op.receiver is not None:
            return self._inside(op.receiver)
        if op.last in INSISTING:
            return insisted_changes(self, op)
        if (op.name or (op.last if op.receiver is None else "")) not in RAISING or not op.args:
            return []
        path, ways = self.subject(op.args[0])
        return [Change(path, _EVERYTHING)] if path is not None and not ways else []

    def changes(self, test: Operand, truth: bool) -> list[Change]:
        """Return what is known where ``test`` came out as ``truth``."""
        if not isinstance(test, AccessPath):
            return self._changes(test, truth)
        return self.once((test.base, truth), lambda: with_origins(self, self._changes(test, truth)))

    def _changes(self, test: Operand, truth: bool) -> list[Change]:
        op = self.op(test)
        within = letters.subset_changes(self, op, truth=truth)
        if within:
            return within
        flagged = self._flagged(test, truth)
        if isinstance(op, Compare):
            return flagged + self._compare(op, truth)
        if isinstance(op, Call):
            return lookup_changes(self, op, truth=truth) + self._call(op, truth)
        return flagged + self._truth(test, truth)

    def _flagged(self, test: Operand, truth: bool) -> list[Change]:
        """Return what a flag says, unless that is what is being asked already."""
        if test in self._flags:
            self.looked = True  # an answer that rests on this one is no answer for later
            return []
        self._flags.append(test)
        try:
            return flag_changes(self, test, truth=truth)
        finally:
            self._flags.pop()

    def _truth(self, test: Operand, truth: bool) -> list[Change]:
        path, ways = self.subject(test)
        if path is None:
            return []
        op = self.op(test)
        told = part_changes(self, op, truth=truth)
        if told:
            return told
        if isinstance(op, Load) and op.part.startswith(".is_"):
            return self._modelled(f"ipaddress.ip_address(){op.part}", path, truth=truth)
        if HOSTS & set(ways):
            return [] if truth else self._no_host(path)
        return [Change(path, _EVERYTHING)] if not truth and not ways else []

    def _no_host(self, path: AccessPath) -> list[Change]:
        if all("slashes" in taint.marks for taint in self.read(path).every()):
            return [Change(path, frozenset(("redirect",)))]
        return [
            Change(
                path,
                near="the empty host is checked, but browsers read a backslash as a slash",
                marks=frozenset(("no-host",)),
            )
        ]

    def _compare(self, op: Compare, truth: bool) -> list[Change]:
        if op.operator == "not":
            return self.changes(op.left, not truth)
        told = compared_changes(self, op, truth=truth) or beginning_changes(self, op, truth=truth)
        if told:
            return told
        if isinstance(op.right, Constant) and op.right.value is None and self._may_give_none(op.left):
            return self.changes(op.left, truth == (op.operator in ("is not", "!=")))
        positive = EQUALITIES.get(op.operator)
        if positive is None:
            return []
        holds = positive == truth
        for verdict, answer in ((op.left, op.right), (op.right, op.left)):
            if (
                isinstance(answer, Constant)
                and isinstance(answer.value, bool)
                and op.operator in ("==", "!=", "is", "is not")
            ):
                return self.changes(verdict, holds == answer.value)
        if op.operator in ("in", "not in"):
            within = self.op(op.right)
            if isinstance(within, Load) and within.part == ".parents":
                return self._inside(within.base) if holds else []
            part = self._letter(op.left)
            if part is not None:
                return self._contains(part, op.right, holds=holds)
            text = self.read(op.right).constant
            if isinstance(text, str):
                return letters.part_of_changes(self, op.left, text) if holds else []
        if not holds:
            return []
        sides = [(op.left, op.right)]
        if op.operator not in ("in", "not in"):
            sides.append((op.right, op.left))
        return [change for tested, other in sides for change in self._equal(tested, other)]

    def _may_give_none(self, operand: Operand) -> bool:
        made = self.op(operand)
        return isinstance(made, Call) and (
            made.last in characters.MATCHES or self._is_lookup(made) or is_query(made)
        )

    def _is_lookup(self, op: Call) -> bool:
        """Tell whether a call looks a key up in a table of the project's: ``TABLES.get(name)``."""
        if op.last != "get" or op.receiver is None or len(op.args) != 1:
            return False
        table = self.read(op.receiver)
        return table.shape == "dict" and table.closed and not table.every()

    def _letter(self, operand: Operand) -> Constant | None:
        """Return a constant; ``os.sep`` is a slash, ``os.pardir`` two dots."""
        made = None if isinstance(operand, Constant) else self.op(operand)
        if isinstance(made, Load) and made.part in (".sep", ".altsep", ".pardir"):
            return Constant(".." if made.part == ".pardir" else "/")
        return operand if isinstance(operand, Constant) else None

    def _contains(self, part: Constant, whole: Operand, *, holds: bool) -> list[Change]:
        """Return what ``"/" in name`` says: nothing of what else there is, and much where it is not in it."""
        path, ways = self.subject(whole)
        if path is None or not isinstance(part.value, str):
            return []
        if ways and (ways[0] != "parts" or not NORMALISERS.issuperset(ways[1:])):
            return []
        if (ways and part.value != "..") or has_keys(self.function, path):
            return []
        if holds:
            return [
                Change(
                    path,
                    near=f"the test that {part.value!r} is somewhere in the value lets anything stand around it",
                )
            ]
        return lacking_changes(path, part.value)

    def _equal(self, tested: Operand, other: Operand) -> list[Change]:
        path, ways = self.subject(tested)
        if path is None:
            return []
        value = self.read(other)
        same = letters.unchanged(self, self.models, tested, path, other)
        if same:
            return [Change(path, same)]
        if HOSTS & set(ways) and "joined" in ways:
            return [Change(path, frozenset(("ssrf", LIKELY_LOCAL)), JOINED)]
        if HOSTS & set(ways):
            empty = value.constant == "" or any(part.constant == "" for _, part in value.fields)
            return self._no_host(path) if empty else [Change(path, HOST)]
        if "commonprefix" in ways and not self._ends_in_separator(other):
            return [Change(path, near=_SIBLING, marks=frozenset(("inside",)))]
        if ways[:1] == ["parent"] and "parent" not in ways[1:]:
            return [Change(path, _PATH)]
        if {"commonpath", "commonprefix"} & set(ways) or ways[:1] == ["parent"]:
            return self._plain(path, ways)
        if "scheme" in ways:
            return [Change(path, frozenset(("page-url",)), near="only the scheme is checked")]
        if value.every():
            return []
        if set(ways) & {"part", "splitext", "suffix", "name"}:
            return [Change(path, near="only a part of the value is compared")]
        return [Change(path, _EVERYTHING)] if not ways else []

    def _ends_in_separator(self, folder: Operand) -> bool:
        last = self.joined_last(folder)
        ending = self._letter(last) if last is not None else None
        return str(ending.value if ending is not None else self.read(folder).constant).endswith("/")

    def _call(self, op: Call, truth: bool) -> list[Change]:
        if op.callee is not None or op.function is not None:
            return asked_changes(self, op, Asked(holds=truth))
        if op.name == "bool" and len(op.args) == 1:
            return self.changes(op.args[0], truth)
        modelled = self._modelled_call(op, truth)
        if modelled:
            return modelled
        if op.last == "startswith" and op.receiver is not None and op.args:
            path, ways = self.subject(op.receiver)
            return prefix_changes(self, op, path, ways, truth) if path is not None else []
        if op.last in ("isabs", "is_absolute"):
            return self._absolute(op, truth)
        if op.last == "is_relative_to" and op.receiver is not None:
            return self._inside(op.receiver) if truth else []
        if op.last == ("all" if truth else "any") and op.args and op.receiver is None:
            return items.every_changes(self, op.args[0], truth=truth)
        if op.last == "any" and op.args and op.receiver is None:
            return letters.member_changes(self, op.args[0])
        if op.last == "dirname" and op.args and not truth:
            path, ways = self.subject(op.args[0])
            return [Change(path, _PATH)] if path is not None and not ways else []
        if op.last in characters.MATCHES and op.args:
            return letters.matched_changes(self, op, truth=truth)
        if not truth:
            return []
        if op.last == "isinstance" and len(op.args) == 2:
            return self._instance(op)
        if self._is_lookup(op):
            path, ways = self.subject(op.args[0])
            return [Change(path, _EVERYTHING)] if path is not None and not ways else []
        if op.name == "hasattr" and len(op.args) == 2:
            path, ways = self.subject(op.args[1])
            return [Change(path, _NAME)] if path is not None and not ways else []
        if op.last == "compare_digest":
            return [change for arg in op.args for change in signed_changes(self, arg)]
        if op.last == "endswith" and op.receiver is not None and op.args:
            path, ways = self.subject(op.receiver)
            return ending_changes(path, ways, self.read(op.args[0])) if path is not None else []
        return letters.method_changes(self, op)

    def _absolute(self, op: Call, truth: bool) -> list[Change]:
        tested = op.args[0] if op.args else op.receiver
        path, ways = self.subject(tested) if tested is not None else (None, [])
        if path is None or truth:
            return []
        source = self.op(op.receiver) if op.receiver is not None else None
        if isinstance(source, Call) and source.last == "URL":
            return self._no_host(path)
        marks = frozenset(("relative",))
        return (
            [Change(path, near="a path that is not absolute may still climb with '..'", marks=marks)]
            if not ways
            else []
        )

    def _instance(self, op: Call) -> list[Change]:
        """Return what ``isinstance(value, str)`` says: a number harms nothing."""
        path, ways = self.subject(op.args[0])
        if path is None or ways:
            return []
        named = [str(kind).rpartition(".")[2] for kind in self._kinds(op.args[1])]
        told = [_TYPED.get(kind, frozenset()) for kind in named if kind not in _NUMBERS]
        kinds = frozenset.intersection(*told) if told else _EVERYTHING
        return [Change(path, kinds)] if kinds else []

    def _kinds(self, named: Operand) -> list[Operand]:
        """Return the types of ``(int, float)`` and of ``int | float``, or the one that is named."""
        made = self.op(named)
        if isinstance(made, Build) and made.items:
            return [item for _, item in made.items]
        if isinstance(made, Compute) and made.operator == "|":
            return [*self._kinds(made.left), *self._kinds(made.right)]
        return [named]

    def _inside(self, tested: Operand) -> list[Change]:
        """Return what ``path.is_relative_to(base)`` says: it compares as text, so the path must be plain."""
        path, ways = self.subject(tested)
        return self._plain(path, ways) if path is not None else []

    def _plain(self, path: AccessPath, ways: list[str]) -> list[Change]:
        """Return what a comparison with a folder says of a path that is plain, and of one that is not."""
        if set(ways) & (NORMALISERS - COMMON) or all(
            "normalised" in taint.marks for taint in self.read(path).every()
        ):
            return [Change(path, _PATH)]
        return [Change(path, near="the path is compared before it is resolved, so that '..' gets through")]

    def _modelled_call(self, op: Call, truth: bool) -> list[Change]:
        path, _ = self.subject(op.args[0]) if op.args else (None, [])
        return self._modelled(op.name, path, truth=truth) if path is not None else []

    def _modelled(self, name: str, path: AccessPath, *, truth: bool) -> list[Change]:
        return [
            Change(path, entry.kinds, entry.near, frozenset(entry.marks))
            for entry in (self.models.find("guard", name) if name else ())
            if entry.when == truth
        ]

    def verdicts(self, call: Call, asked: Asked) -> Verdicts:
        """Return what a function of the project has checked where a test of its answer came out so."""
        self.looked = True
        return self._ask(call, asked)
