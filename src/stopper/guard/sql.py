"""Stop a statement whose tokens a request's input changed, before the database driver sees it.

Values that are bound (``execute("... WHERE id = ?", (id,))``) are never looked at. A statement that was judged harmless is known by
its text from then on, so that an app which binds its values pays for one look in a table; outside of a request nothing is judged.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from flask import Request, current_app, has_request_context, request

from stopper.guard import drivers
from stopper.guard.authored import Authored
from stopper.guard.guard import Guard
from stopper.guard.injection import Injection, Statement, injections
from stopper.guard.inputs import Inputs, gather

REMEMBERED: Final = 2048
"""How many harmless statements are known by their text; when there are more, all are forgotten."""

LONGEST: Final = 5_000
"""The longest statement, in characters, that is remembered."""

DETAIL: Final = "The request was stopped, since it would have changed a database query."


class Sql(Guard):
    """Keep requests out of the code of database statements."""

    name: ClassVar = "sql"
    area: ClassVar = "sql"

    def start(self) -> None:
        """Have statements shown before any driver sees them."""
        self._authored = Authored(self.app)
        self._harmless: dict[tuple[str, bool], set[str]] = {}
        drivers.watch(show)

    def judge(self, sql: str, dialect: str, *, interpolated: bool, compiled: Any) -> None:
        """Raise `Refused` for a statement that the request under way changed; in mode `report` only tell it."""
        known = self._harmless.setdefault((dialect, interpolated), set())
        if sql in known:
            return
        served: Request = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  # the proxy's own way
        inputs = gather(served)
        if inputs.passed == sql:
            return
        statement = Statement(sql, dialect, interpolated=interpolated)
        found = self._injection(statement, inputs, compiled)
        if found is not None and not self._is_exempt(served):
            self._refuse(statement, found)
        inputs.passed = sql
        if found is None and len(sql) <= LONGEST:
            if len(known) >= REMEMBERED:
                known.clear()
            known.add(sql)

    def _injection(self, statement: Statement, inputs: Inputs, compiled: Any) -> Injection | None:
        """Return the first place where an input became code, other than by chance in the author's own words."""
        for found in injections(statement, inputs):
            text = statement.sql[found.start : found.end]
            if compiled is not None and not _holds_text(compiled):
                return None
            if not self._authored.wrote(text, statement.sql.count(text)):
                return found
        return None

    def _is_exempt(self, served: Request) -> bool:
        """Tell whether the route that is served, a database console for one, was told to take statements."""
        route = served.environ.get(self.app.extensions["stopper"].key)
        return route is not None and (
            route.exempt(self.name) or served.method in route.exempt_methods(self.name)
        )

    def _refuse(self, statement: Statement, found: Injection) -> None:
        """Refuse, and tell where the input came from and what the statement looks like without its values."""
        self.state.refuse(
            self,
            400,
            "Bad request",
            DETAIL,
            source=found.source,
            statement=statement.shape(),
            dialect=statement.dialect,
        )


def show(statement: Any, dialect: str, cursor: Any, interpolated: bool, compiled: Any) -> None:
    """Judge a statement if a request of a guarded app is under way."""
    if not has_request_context():
        return
    gate = current_app.extensions.get("stopper")
    guard = gate.state.guards.get(Sql.name) if gate is not None else None
    if guard is None:
        return
    sql = text_of(statement, cursor)
    if sql:
        guard.judge(sql, dialect_of(dialect, sql, cursor), interpolated=interpolated, compiled=compiled)


def text_of(statement: Any, cursor: Any) -> str:
    """Return a statement as text, whatever the driver takes for one; nothing for what it does not take."""
    if isinstance(statement, str):
        return statement
    if isinstance(statement, bytes | bytearray):
        return statement.decode("utf-8", "surrogateescape")
    if hasattr(statement, "as_string"):  # the composed statements of psycopg and psycopg2
        return str(statement.as_string(cursor))
    return ""


def dialect_of(dialect: str, sql: str, cursor: Any) -> str:
    """Return the dialect as this connection reads it, asked only where the statement holds what it is about."""
    if dialect == "mariadb":
        dialect = "mysql"
    if "\\" not in sql and '"' not in sql:
        return dialect
    connection = getattr(cursor, "connection", None)
    if dialect == "mysql":
        mode = str(getattr(connection, "sql_mode", None) or "").upper()
        plain = getattr(connection, "server_status", 0) & 512  # SERVER_STATUS_NO_BACKSLASH_ESCAPES
        return dialect + "+ansi" * ("ANSI" in mode) + "+plain" * bool(plain or "NO_BACKSLASH_ESCAPES" in mode)
    if dialect == "postgresql":
        return dialect + "+backslash" * (_parameter(connection, "standard_conforming_strings") == "off")
    return dialect


def _parameter(connection: Any, name: str) -> str | None:
    """Return a setting that a PostgreSQL server told the client."""
    asked = getattr(connection, "get_parameter_status", None)
    if asked is None:
        asked = getattr(getattr(connection, "info", None), "parameter_status", None)
    return asked(name) if callable(asked) else None


def _holds_text(compiled: Any) -> bool:
    """Tell whether a statement of SQLAlchemy holds a piece that was written as text, by the app or by a request."""
    from sqlalchemy.sql import visitors

    statement = getattr(compiled, "statement", None)
    if statement is None:
        return True
    return any(
        one.__visit_name__ in {"textclause", "textual_select"}
        or getattr(one, "is_literal", False)
        or getattr(one, "_hints", None)
        or getattr(one, "_statement_hints", None)
        for one in visitors.iterate(statement)
    )
