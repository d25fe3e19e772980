"""Subjects: which variable a tested value is made from, and what was done to it on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from stopper.taint.domain import Value
from stopper.taint.ir import AccessPath, Assign, Call, Constant, Function, Join, Load, Op, Operand
from stopper.taint.prefixes import COMMON, NORMALISERS
from stopper.taint.rereads import NONE, rereads

Read = Callable[[Operand], Value]
_Answer = TypeVar("_Answer")

_FORM_VALIDATOR = "validate_"
"""How the name of a form's method begins that validates one field: it is given the field, which holds the data."""
HOSTS = frozenset(("netloc", "hostname", "host", "is_absolute"))
URLS = frozenset(("urlparse", "urlsplit", "URL", "url_parse"))
_TRANSPARENT = frozenset(
    (
        "lower", "upper", "strip", "lstrip", "rstrip", "casefold", "title", "str", "encode", "decode", "Path",
        "PurePath", "PurePosixPath", "PosixPath", "fspath",
    )
)  # fmt: skip
_PEELED = frozenset(("lower", "strip", "split", "rsplit", "partition", "rpartition"))
"""What is done to a host before it is compared: its port is cut off, its letters are made small."""
_OF_WHOLE = NORMALISERS | HOSTS | {"scheme", "joined", "under"}
"""What is asked of a value as a whole; all else is about one of its parts."""
_DEEP = 4
"""How many assignments are followed back from a test."""
RESOLVERS = frozenset(("ip_address", "gethostbyname", "getaddrinfo"))
"""What gives the addresses of a host."""
_JOINS = frozenset(("join", "joinpath", "/"))


class Subjects:
    """What the values of one function are made from."""

    def __init__(self, function: Function, read: Read) -> None:
        """Take how operands are read here."""
        self.function = function
        self._read = read
        self.looked = False
        """Whether what variables hold here was asked for, so that the answer is this context's alone."""

    def read(self, operand: Operand) -> Value:
        """Return what is known of an operand here."""
        self.looked = True
        return self._read(operand)

    def once(self, question: object, answer: Callable[[], _Answer]) -> _Answer:
        """Return an answer, remembered with the function where it rests on its operations alone."""
        found: _Answer | None = self.function.known.get(question)
        if found is None:
            outside, self.looked = self.looked, False
            found = answer()
            if not self.looked:
                self.function.known[question] = found
            self.looked = self.looked or outside
        return found

    def op(self, operand: Operand) -> Op | None:
        """Return the operation that made a value, names put aside."""
        for _ in range(5):
            if not isinstance(operand, AccessPath):
                return None
            op = self.function.definitions.get(operand.base)
            if not isinstance(op, Assign):
                return op
            operand = op.source
        return None

    def sources(self, operand: Operand) -> list[Operand]:
        """Return every value that is assigned to a variable, the variable itself where there is none."""
        if not isinstance(operand, AccessPath):
            return [operand]
        every = self.function.assigned.get(operand.base) or [operand]
        if len(every) == 1 and every[0] is not operand and isinstance(every[0], AccessPath):
            return self.function.assigned.get(every[0].base) or every
        return every

    def subject(self, operand: Operand, deep: int = 0) -> tuple[AccessPath | None, list[str]]:
        """Return the variable that a tested value is made from, and what was done to it on the way."""
        if deep or not isinstance(operand, AccessPath):
            return self._subject(operand, deep)
        return self.once(("subject", operand.base), lambda: self._subject(operand, deep))

    def _subject(self, operand: Operand, deep: int) -> tuple[AccessPath | None, list[str]]:
        ways: list[str] = []
        path: AccessPath | None = operand if isinstance(operand, AccessPath) else None
        again = rereads(self.function)
        for _ in range(8):
            if path is not None and path.base in again:
                path = AccessPath(again[path.base])
            if path is None or not path.base.startswith("%"):
                break
            made = self.function.definitions.get(path.base)
            if made is None and len(self.sources(path)) > 1:
                break  # one of several: `host or ""`
            path, way = self._origin(made)
            ways += way
            again = again if not way or way[0] in _OF_WHOLE else NONE
        if path is None or deep > _DEEP:
            return path, ways
        made = self.op(path)
        if made is None:
            return self._either(path, ways, deep)
        if path.base.startswith("%"):
            return path, ways
        if isinstance(made, Call) and made.last in COMMON and not ways:
            return self._origin(made)
        if isinstance(made, Call) and made.last in RESOLVERS and made.args:
            inner, more = self.subject(made.args[0], deep + 1)
            return (inner, [*ways, *more]) if HOSTS & set(more) else (path, ways)
        if isinstance(made, Call) and made.last in URLS and ways:
            inner, more = self.subject(made.args[0], deep + 1) if made.args else (None, [])
            return inner or path, ways + more
        host = self._host_of(made) if not ways else None
        return self.subject(host, deep + 1) if host is not None else (path, ways)

    def _host_of(self, made: Op | None) -> Operand | None:
        """Return where a variable's host was read: ``host = urlparse(url).netloc.lower()``."""
        for _ in range(_DEEP):
            if isinstance(made, Load) and made.part[1:] in HOSTS:
                return made.target
            if isinstance(made, Call) and made.last in _PEELED and made.receiver is not None:
                made = self.op(made.receiver)
            elif isinstance(made, Load) and made.part in ("[0]", "[-1]"):
                made = self.op(made.base)
        return None

    def _either(self, path: AccessPath, ways: list[str], deep: int) -> tuple[AccessPath | None, list[str]]:
        """Return what ``host = urlparse(url).hostname or ""`` is about: the one value that is not constant."""
        every = self.sources(path)
        named = [one for one in every if isinstance(one, AccessPath)]
        empty = all(not one.value for one in every if isinstance(one, Constant))
        if path.base.startswith("%") and len(named) == 1 and len(every) > 1 and empty:
            inner, more = self.subject(named[0], deep + 1)
            return inner, ways + more
        computed = [one for one in every if isinstance(one, AccessPath) and one.base.startswith("%")]
        if len(computed) != 1 or len(every) < 2:
            return path, ways
        inner, more = self.subject(computed[0], deep + 1)
        return (inner, ways + more) if HOSTS & set(more) else (path, ways)

    def _origin(self, op: Op | None) -> tuple[AccessPath | None, list[str]]:
        if isinstance(op, Load) and isinstance(op.base, AccessPath):
            if op.part == ".data" and self.function.scope.name.startswith(_FORM_VALIDATOR):
                return op.base, []
            return op.base, [op.part[1:] if op.part.startswith(".") else "part"]
        if not isinstance(op, Call):
            return None, []
        if op.last in ("get", "pop", "split") and isinstance(op.receiver, AccessPath):
            return op.receiver, ["parts" if op.last == "split" else "part"]
        if op.receiver is not None and op.last in _TRANSPARENT:
            return (op.receiver, []) if isinstance(op.receiver, AccessPath) else (None, [])
        source = op.args[0] if op.args else op.receiver
        if op.last == "urljoin" and len(op.args) > 1:
            return (op.args[1], ["joined"]) if isinstance(op.args[1], AccessPath) else (None, [])
        if op.last in _TRANSPARENT or op.last in URLS or op.last in RESOLVERS:
            return (source, []) if isinstance(source, AccessPath) else (None, [])
        if op.last in NORMALISERS and isinstance(source, AccessPath):
            path, ways = self._in_list(source)
            return path, [op.last, *ways]
        if op.last in _JOINS:
            return self._tainted((*op.args, op.receiver)), ["under"]
        if isinstance(op.receiver, AccessPath) and not op.args:
            return op.receiver, ["part"]
        return None, []

    def _in_list(self, source: AccessPath) -> tuple[AccessPath, list[str]]:
        """Return the first element of ``commonpath((path, base))`` that is tainted, and what was done to it."""
        made = self.function.definitions.get(source.base)
        items: Iterable[tuple[str, Operand]] = getattr(made, "items", ())
        item = self._tainted(item for _, item in items if not self._is_own(item))
        if item is None:
            return source, []
        path, ways = self.subject(item)
        return path or item, ways

    def _is_own(self, item: Operand) -> bool:
        """Tell whether a value is the object's own: ``self.base``."""
        return isinstance(op := self.op(item), Load) and str(op.base) == "self"

    def _tainted(self, operands: Iterable[Operand | None]) -> AccessPath | None:
        """Return the last operand that is tainted: the folder that it is put into stands before it."""
        found = [one for one in operands if isinstance(one, AccessPath) and self.read(one).every()]
        return found[-1] if found else None

    def joined_last(self, operand: Operand) -> Operand | None:
        """Return the last part of a string that is joined, as ``os.sep`` in ``base + os.sep``."""
        op = self.op(operand)
        return op.parts[-1] if isinstance(op, Join) and op.parts else None
