"""Second order: what one request leaves behind and another finds, in rows, objects of a mapper, files and caches.

A column of a model, a column of a table and a file of one name each keep what any request wrote there; who wrote it is not
known, so that these flows are of low confidence. Data is kept apart by model and column, by table and column where the
statement is constant text, and by the constant name of a file or the constant key of a cache.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from stopper.regex import regex
from stopper.source.module import Kind, Scope
from stopper.source.project import Project
from stopper.taint.domain import ANY, CLEAN, Taint, Value, together
from stopper.taint.ir import AccessPath, Assign, Call, Load, Place, Store

STORED = "stored"
"""The mark of data that an earlier request left behind."""

_QUERY = "a query"
_ROWS = ".%rows"
_MAPPERS = re.compile(
    r"\.(?:Model|Document|DynamicDocument|EmbeddedDocument|DeclarativeBase)$|declarative_base\(\)$"
)
_NUMBERS = frozenset(
    "Integer BigInteger SmallInteger Float Numeric Boolean DateTime Date Time Interval UUID Uuid Enum IntegerField FloatField "
    "BooleanField DateTimeField DecimalField ObjectIdField AutoField DateField TimeField ForeignKey int float bool".split()
)
_MANY = frozenset("all fetchall fetchmany partitions".split())
_ONE = frozenset(
    "first one one_or_none get get_or_404 first_or_404 one_or_404 scalar scalar_one scalar_one_or_none get_or_none get_by_id".split()
)
_STARTS = frozenset("query select select_by objects".split())
_EXECUTES = frozenset(("execute", "executemany", "exec_driver_sql", "query_db", "executescript"))
_FETCHES = {"fetchone": True, "fetchall": False, "fetchmany": False}
_INSERT = regex(
    r"\s*(?:insert|replace)\s+(?:or\s+\w+\s+)?into\s+[\"`]?(\w+)[\"`]?\s*(?:\(([^)]*)\))?", re.IGNORECASE
)
_UPDATE = regex(r"\s*update\s+[\"`]?(\w+)[\"`]?\s+set\s+(.*?)(?:\swhere\s|\Z)", re.IGNORECASE | re.DOTALL)
_SELECT = regex(r"\s*select\s+(?:distinct\s+)?(.*?)\s+from\s+[\"`]?(\w+)", re.IGNORECASE | re.DOTALL)
_HOLDER = re.compile(r"[?]|%s|:\w+|%\(\w+\)s")
_WRITES = frozenset(("write", "writelines"))
_READS = frozenset(("read", "readlines", "readline"))
_FILES = frozenset(("write_text", "read_text", "dump", "load"))
_CACHES = ("flask_caching.", "cachelib.", "redis.", "flask_redis.")
_TOUCHING = (
    {"__init__", "scalars", "scalar", "execute", "get", "get_or_none", "get_by_id"}.union(_EXECUTES, _FETCHES, _STARTS, _ONE)
    | _WRITES | _READS | _FILES
)  # fmt: skip
"""The last names of calls that may read or write what is kept, whatever is called."""
_DEPTH = 4


class Storage:
    """What the project keeps from one request to the next."""

    def __init__(self, project: Project) -> None:
        """Take the project."""
        self.names = project.code.names
        self._columns: dict[tuple[int, str], tuple[bool, int]] = {}
        """Whether a column of a class holds text, and the parts of the code on which that rests."""

    def may(self, op: Call, receiver: Value) -> bool:
        """Tell whether a call may read or write what is kept."""
        return op.last in _TOUCHING or receiver.name == _QUERY or op.name.startswith(_CACHES)

    def call(
        self, run: Any, op: Call, receiver: Value, args: tuple[Value, ...], keywords: dict[str, Value]
    ) -> Value | None:
        """Return what a call reads that another request may have written; keep what it writes."""
        if op.last == "__init__":
            self._made(run, op, keywords)
            return None
        if op.last in _EXECUTES:
            return self._executed(run, op, args, keywords)
        if op.last in _FETCHES:
            rows = receiver.field(_ROWS) or (receiver if receiver.name == _ROWS else None)
            return None if rows is None else rows.part(ANY) if _FETCHES[op.last] else rows
        return self._asked(op, receiver, args) or self._file(run, op, args) or self._cache(run, op, args)

    def load(self, run: Any, op: Load, base: Value) -> Value | None:
        """Return a query for ``Model.query`` and ``Model.objects``, and the rows of a cursor that is iterated."""
        del run
        if op.part in {".query", ".objects"}:
            owner = next((one.scope for one in base.targets if self.is_model(one.scope)), None)
            return None if owner is None else _query(owner)
        rows = base.field(_ROWS)
        return rows.part(ANY) if rows is not None and op.part.startswith("[") else None

    def store(self, run: Any, op: Store, base: Value, source: Value) -> None:
        """Keep what is written to a column of a model's object."""
        for owner in base.classes:
            if self.is_model(owner) and op.part.startswith("."):
                self._keep(run, owner, op.part[1:], source, op.at)

    def is_model(self, owner: Any) -> bool:
        """Tell whether a class is mapped to a table or a collection."""
        if owner is None or owner.kind is not Kind.CLASS:
            return False
        return any(_MAPPERS.search(base.name) for base in self.names.bases(owner))

    def _made(self, run: Any, op: Call, keywords: dict[str, Value]) -> None:
        if not isinstance(op.at, ast.Call) or not any(value.every() for value in keywords.values()):
            return
        ref = self.names.resolve(op.at.func, run.function.scope)
        owner = ref.scope if ref is not None else None
        if self.is_model(owner) and owner is not None:
            for name, value in keywords.items():
                self._keep(run, owner, name, value, op.at)

    def _keep(self, run: Any, owner: Scope, column: str, value: Value, at: Place) -> None:
        if value.every() and self._holds_text(owner, column):
            note = f"stored in {owner.name}.{column}"
            run.share(f"{owner.dotted}.{column}", _lasting(value, at, note))

    def _holds_text(self, owner: Scope, column: str) -> bool:
        key, home = (id(owner), column), owner.bit
        return self.names.remembered(self._columns, key, home, lambda: self._is_text(owner, column))

    def _is_text(self, owner: Scope, column: str) -> bool:
        member = self.names.member(owner, column)
        written = ast.unparse(member[1].value) if member is not None and member[1].value is not None else ""
        kinds = re.findall(r"\w+", written.partition("(")[2].partition(",")[0]) or re.findall(r"\w+", written)
        return not _NUMBERS & set(kinds)

    def _asked(self, op: Call, receiver: Value, args: tuple[Value, ...]) -> Value | None:
        """Return what a step of a query gives: an object, the objects, or a query again."""
        if op.last in _STARTS or op.last in _ONE:
            for value in args[:1]:
                owner = next((one.scope for one in value.targets if self.is_model(one.scope)), None)
                if owner is not None:
                    return _query(owner) if op.last in _STARTS else Value(classes=(owner,))
        if op.last in ("scalars", "execute", "scalar") and args and args[0].name == _QUERY:
            return args[0] if op.last != "scalar" else args[0].part(ANY)
        owner = next((one.scope for one in receiver.targets if self.is_model(one.scope)), None)
        if owner is not None and op.last in ("get", "get_or_none", "get_by_id", "objects", "select"):
            return _query(owner) if op.last in _STARTS else Value(classes=(owner,))
        if receiver.name != _QUERY:
            return None
        if op.last in _ONE:
            return receiver.part(ANY)
        return replace(receiver, name="") if op.last in _MANY else _paged(receiver, op.last)

    def _executed(
        self, run: Any, op: Call, args: tuple[Value, ...], keywords: dict[str, Value]
    ) -> Value | None:
        """Keep what a statement writes, and return what one reads."""
        if args and args[0].name == _QUERY:
            return args[0]
        text = args[0].constant if args else None
        if not isinstance(text, str):
            return None
        values = args[1] if len(args) > 1 else keywords.get("parameters", CLEAN)
        for column, value in _written(text, values):
            run.share(f"table {column}", _lasting(value, op.at, f"stored in the column {column}"))
        row = _selected(text, run)
        if row is None:
            return None
        rows = Value(shape="list", fields=((ANY, row),), name=_ROWS)
        if op.receiver is not None:
            run.put(op.receiver, _ROWS, rows)
        return rows.with_part(_ROWS, rows)

    def _file(self, run: Any, op: Call, args: tuple[Value, ...]) -> Value | None:
        """Keep what is written to a file of a constant name, and return what is read from one."""
        handle: object = op.receiver
        if op.last in ("dump", "load") and op.name.startswith(("json.", "pickle.", "yaml.")):
            place = 1 if op.last == "dump" else 0
            handle = op.args[place] if len(op.args) > place else None
        elif op.last not in _WRITES | _READS | {"write_text", "read_text"}:
            return None
        name = _opened(run, handle)
        if not name:
            return None
        if op.last in _WRITES | {"write_text", "dump"}:
            if args and args[0].every():
                run.share(f"file {name}", _lasting(args[0], op.at, f"written to the file {name}"))
            return None
        found: Value | None = run.engine.shared.get(f"file {name}")
        return None if found is None else found.refined(_again)

    def _cache(self, run: Any, op: Call, args: tuple[Value, ...]) -> Value | None:
        if not op.name.startswith(_CACHES) or not args:
            return None
        key = f"cache {args[0].constant}" if isinstance(args[0].constant, str) else ""
        if key and op.last in ("set", "add", "setex") and len(args) > 1:
            run.share(key, _lasting(args[-1 if op.last == "setex" else 1], op.at, f"kept in the {key!r}"))
        if not key or op.last != "get":
            return None
        found: Value | None = run.engine.shared.get(key)
        return None if found is None else found.refined(_again)


def _query(owner: Scope) -> Value:
    return Value(shape="list", fields=((ANY, Value(classes=(owner,))),), name=_QUERY)


def _paged(query: Value, last: str) -> Value:
    """Return a further step of a query; a page of it holds the objects in ``items``."""
    return query.with_part(".items", replace(query, name="")) if last == "paginate" else query


def _lasting(value: Value, at: Place, note: str) -> Value:
    """Return what of a value is kept; what was found and is kept again leads no further."""
    kept = value.refined(lambda taint: None if STORED in taint.marks else taint.hop(at, note).marked(STORED))
    return Value(kept.every()) if kept.fields else kept


def _again(taint: Taint) -> Taint:
    return taint.marked(STORED)


def _written(text: str, values: Value) -> Iterator[tuple[str, Value]]:
    """Yield the columns that a statement writes client's data to, with the data."""
    insert, update = _INSERT.match(text), _UPDATE.match(text)
    if insert is not None and insert[2]:
        table, columns = insert[1], [name.strip(' "`\n\t').lower() for name in insert[2].split(",")]
    elif update is not None:
        sets = [part.partition("=") for part in update[2].split(",")]
        table = update[1]
        columns = [
            name.strip(' "`\n\t').lower() for name, _, value in sets if _HOLDER.fullmatch(value.strip())
        ]
    else:
        return
    for place, column in enumerate(columns):
        found = [values.field(part) for part in (f"[{place}]", f"[{column!r}]")]
        value = next((one for one in found if one is not None), Value(values.taints))
        if value.every():
            yield f"{table.lower()}.{column}", value


def _selected(text: str, run: Any) -> Value | None:
    """Return a row that a statement reads, column by column; None for a statement that reads nothing."""
    select = _SELECT.match(text)
    if select is None:
        return None
    table = select[2].lower()
    row = Value(shape="row")
    for place, written in enumerate(select[1].split(",")):
        column = (
            re.sub(r".*\bas\s+", "", written.strip(), flags=re.IGNORECASE)
            .rpartition(".")[2]
            .strip(' "`')
            .lower()
        )
        found = _whole(run, table) if column == "*" else run.engine.shared.get(f"table {table}.{column}")
        value = CLEAN if found is None else found.refined(_again)
        if column == "*":
            return replace(row, taints=value.every())
        row = (
            row.with_part(f"[{place}]", value)
            .with_part(f"[{column!r}]", value)
            .with_part(f".{column}", value)
        )
    return row


def _whole(run: Any, table: str) -> Value | None:
    found: list[Value] = run.engine.shared.under(f"table {table}")
    return together(found) if found else None


def _opened(run: Any, handle: object) -> str:
    """Return the constant name of the file that a handle was opened with, "" where it is not known."""
    for _ in range(_DEPTH):
        if not isinstance(handle, AccessPath):
            return ""
        op = run.function.definitions.get(handle.base)
        if isinstance(op, Assign):
            handle = op.source
        elif isinstance(op, Call) and op.last == "__enter__":
            handle = op.receiver
        elif isinstance(op, Call) and op.last in ("open", "Path") and (op.args or op.receiver is not None):
            if op.last == "open" and op.receiver is not None and not op.args:
                handle = op.receiver
                continue
            name = run.read(op.args[0]).constant
            return name if isinstance(name, str) else ""
        else:
            return ""
    return ""
