"""Letters: what a test of every letter of a text says of the text."""

from __future__ import annotations

from typing import Protocol

from stopper.taint import characters
from stopper.taint.addresses import settled
from stopper.taint.beginnings import begun
from stopper.taint.change import Change
from stopper.taint.domain import ALL, EACH, Value
from stopper.taint.ir import AccessPath, Build, Call, Compare, Compute, Constant, Load, Op, Operand
from stopper.taint.models import Models
from stopper.taint.prefixes import HOST
from stopper.taint.subjects import HOSTS

_SPLITTING = frozenset(("split", "rsplit", "splitlines", "partition", "rpartition"))
_DEEP = 8
"""How many replacements are followed back from a test."""


class Guards(Protocol):
    """The guards of one function, as far as they are asked here."""

    models: Models

    def read(self, operand: Operand, /) -> Value:
        """Return what is known of an operand."""

    def op(self, operand: Operand, /) -> Op | None:
        """Return the operation that made a value."""

    def sources(self, operand: Operand, /) -> list[Operand]:
        """Return every value that is assigned to a variable."""

    def subject(self, operand: Operand, /) -> tuple[AccessPath | None, list[str]]:
        """Return the variable that a tested value is made from."""


def letter_changes(guards: Guards, tested: Operand, *, refused: bool) -> list[Change]:
    """Return what ``all(letter.isalnum() for letter in text)`` says, and ``any(letter in BAD ...)`` that was ``refused``."""
    items: list[tuple[str, Operand]] = list(getattr(guards.op(tested), "items", ()))
    parts = _part_changes(guards, items, refused=refused)
    if parts:
        return parts
    told = [
        letter(guards, source, refused=refused) for _, item in items[:1] for source in guards.sources(item)
    ]
    paths = {path for path, _ in told}
    if len(paths) != 1:
        return []
    allowed = frozenset[int]().union(*(one for _, one in told))
    path = next(iter(paths))
    return [Change(path, characters.harmless(allowed))] if path is not None else []


def _part_changes(guards: Guards, items: list[tuple[str, Operand]], *, refused: bool) -> list[Change]:
    """Return what ``any(part in ("", "..") for part in path.split("/"))`` says that was ``refused``: the parts climb nowhere."""
    op = guards.op(items[0][1]) if len(items) == 1 and refused else None
    part = guards.op(op.left) if isinstance(op, Compare) and op.operator in ("in", "==") else None
    if not isinstance(op, Compare) or not isinstance(part, Load) or part.part != EACH:
        return []
    split, bad, listed = guards.op(part.base), guards.read(op.right), guards.op(op.right)
    known = [one.constant for _, one in bad.items()] or [
        item.value for _, item in getattr(listed, "items", ()) if isinstance(item, Constant)
    ]
    climbing = ".." in (bad.constant, op.right.value if isinstance(op.right, Constant) else "", *known)
    if (
        not climbing
        or not isinstance(split, Call)
        or split.last != "split"
        or not isinstance(part.base, AccessPath)
    ):
        return []
    return [Change(part.base, frozenset(("path", "archive")))]


def member_changes(guards: Guards, tested: Operand) -> list[Change]:
    """Return what ``any(name == one for one in NAMES)`` says: the name is one of them."""
    items: list[tuple[str, Operand]] = list(getattr(guards.op(tested), "items", ()))
    op = guards.op(items[0][1]) if len(items) == 1 else None
    if not isinstance(op, Compare) or op.operator not in ("==", "is"):
        return []
    for name, one in ((op.left, op.right), (op.right, op.left)):
        among = guards.op(one)
        path, ways = guards.subject(name)
        if path is None or not isinstance(among, Load) or among.part != EACH:
            continue
        if path != guards.subject(one)[0] and _is_own(guards, among.base):
            whole = frozenset((ALL,)) if not ways else HOST if HOSTS & set(ways) - {"joined"} else None
            return [Change(path, whole)] if whole is not None and "joined" not in ways else []
    return []


def part_of_changes(guards: Guards, tested: Operand, text: str) -> list[Change]:
    """Return what ``name in "some text"`` says: the name is any piece of the text, and has no other letters."""
    path, ways = guards.subject(tested)
    if path is None or ways:
        return []
    kinds = characters.harmless(characters.of_text("".join(text.split())))
    return [
        Change(path, kinds, "the value is looked for in a text, so that any piece of the text gets through")
    ]


def _is_own(guards: Guards, names: Operand) -> bool:
    """Tell whether what is walked through is the project's own; a temporary is no longer held where the test is read."""
    if isinstance(names, AccessPath) and names.base[0] == "%":
        made = guards.op(names)
        return isinstance(made, Build) and all(isinstance(item, Constant) for _, item in made.items)
    return not guards.read(names).every()


def subset_changes(guards: Guards, op: Op | None, *, truth: bool) -> list[Change]:
    """Return what ``set(text) <= ALLOWED`` says, or ``text.strip("abc")`` that is empty: no letter of the text is another."""
    asked = _subset(op, truth=truth)
    if asked is None:
        return []
    part, whole = asked
    made = guards.op(part)
    if isinstance(made, Call) and made.last in ("set", "frozenset") and made.receiver is None and made.args:
        part = made.args[0]
    elif not isinstance(op, Call):
        return []  # two texts or two numbers are compared
    path, ways = guards.subject(part)
    made = guards.op(whole)
    if isinstance(made, Call) and made.last in ("set", "frozenset") and made.receiver is None and made.args:
        whole = made.args[0]
    allowed = characters.of_value(guards.read(whole))
    return [Change(path, characters.harmless(allowed))] if path is not None and not ways and allowed else []


def _subset(op: Op | None, *, truth: bool) -> tuple[Operand, Operand] | None:
    """Return what is a part, and of what, where a test came out as ``truth``."""
    if isinstance(op, Call) and op.last == "strip" and op.receiver is not None and op.args and not truth:
        return op.receiver, op.args[0]
    if isinstance(op, Compute) and op.operator == "-" and not truth:
        return op.left, op.right
    if isinstance(op, Compare) and op.operator in ("<=", ">=") and truth:
        return (op.left, op.right) if op.operator == "<=" else (op.right, op.left)
    if not isinstance(op, Call) or op.last not in ("issubset", "issuperset") or not op.args or not truth:
        return None
    if op.receiver is None:
        return None
    return (op.receiver, op.args[0]) if op.last == "issubset" else (op.args[0], op.receiver)


def matched_changes(guards: Guards, op: Call, *, truth: bool) -> list[Change]:
    """Return what a regular expression says that fits, and one that was nowhere found."""
    pattern, tested = _pattern(guards, op)
    path, ways = guards.subject(tested) if tested is not None else (None, [])
    if path is None or ways:
        return []
    if not truth:
        allowed = characters.kept(pattern, "") if op.last in ("search", "findall") else None
        return [Change(path, characters.harmless(allowed))] if allowed is not None else []
    allowed = characters.matched(pattern, op.last)
    if allowed is not None and characters.chosen(pattern):
        return [Change(path, frozenset((ALL,)))]
    kinds = (characters.harmless(allowed) if allowed is not None else frozenset()) | settled(pattern, op.last)
    marks = begun(pattern, allowed)
    if allowed is not None and characters.one_segment(allowed):
        marks |= {"urlquoted"}
    near = "" if ALL in kinds else f"the pattern {pattern!r} lets dangerous characters through"
    return [Change(path, kinds, near, marks)]


def _pattern(guards: Guards, op: Call) -> tuple[str, Operand | None]:
    """Return the pattern of a match and the text it is asked of, None where the pattern is not known."""
    compiled = guards.op(op.receiver) if op.receiver is not None else None
    known = guards.read(op.receiver).literal if op.receiver is not None else ""
    if known:
        found, tested = known, op.args[0]
    elif isinstance(compiled, Call) and compiled.last == "compile" and compiled.args:
        found, tested = guards.read(compiled.args[0]).constant, op.args[0]
    elif len(op.args) > 1:
        found, tested = guards.read(op.args[0]).constant, op.args[1]
    else:
        return "", None
    if isinstance(found, str) and op.args and op.args[0] is not tested:
        found = characters.flagged(
            found, [guards.read(flag).name for flag in (*op.args[2:], *dict(op.keywords).values())]
        )
    return (found, tested) if isinstance(found, str) else ("", None)


def method_changes(guards: Guards, op: Call) -> list[Change]:
    """Return what ``text.isalnum()`` says, and ``text.replace("-", "").isalnum()`` of the text before."""
    allowed = characters.of_method(op.last)
    text = op.receiver
    for _ in range(_DEEP):  # a variable may be made of itself
        made = guards.op(text) if text is not None else None
        if allowed is None or not isinstance(made, Call) or made.last != "replace" or not made.args:
            break
        gone = guards.read(made.args[0]).constant
        if not isinstance(gone, str):
            return []
        allowed, text = allowed | characters.of_text(gone), made.receiver
    path, ways = guards.subject(text) if text is not None and allowed is not None else (None, [])
    return (
        [Change(path, characters.harmless(allowed))]
        if allowed is not None and path is not None and not ways
        else []
    )


def unchanged(
    guards: Guards, models: Models, tested: Operand, path: AccessPath, other: Operand
) -> frozenset[str]:
    """Return what a text is safe for that is the same as what a sanitiser makes of it."""
    for one in (tested, other):
        made = guards.op(one)
        if isinstance(made, Load) and made.part == ".name" and guards.subject(one) == (path, ["name"]):
            return frozenset(("path", "archive"))
        if isinstance(made, Call) and made.args and guards.subject(made.args[0]) == (path, []):
            return frozenset(
                kind for entry in models.find("sanitizer", made.name) for kind in entry.kinds
            ) - {ALL}
    return frozenset()


def letter(
    guards: Guards, test: Operand, *, refused: bool
) -> tuple[AccessPath | None, characters.Characters]:
    """Return the text that a test of one letter is about, and the letters that get through."""
    op = guards.op(test)
    if isinstance(op, Compare) and op.operator == "not":
        return letter(guards, op.left, refused=not refused)
    one: Operand | None = None
    allowed: characters.Characters | None = None
    if isinstance(op, Call) and op.receiver is not None:
        one, allowed = op.receiver, characters.of_method(op.last)
    elif isinstance(op, Compare) and op.operator in ("in", "not in", "==", "!="):
        one, allowed = op.left, characters.of_value(guards.read(op.right))
        refused = refused != (op.operator in ("not in", "!="))
    source = guards.op(one) if one is not None else None
    if allowed is None or not isinstance(source, Load) or source.part not in ("[*]", "[each]"):
        return None, frozenset()
    split = guards.op(source.base)
    if refused and isinstance(op, Compare) and isinstance(split, Call) and split.last in _SPLITTING:
        return None, frozenset()  # a word that is not refused may hold what is refused as a word
    return guards.subject(source.base)[0], characters.without(allowed) if refused else allowed
