"""SQL should not be put together from strings.

Nothing here shows where the parts come from: no view hands them over. But the statement trusts whoever calls it, and
the next view that does may pass on what a client sent. Parameters cost nothing and hold for every caller.

The names of tables and columns cannot be parameters: compare them with a list of the ones that exist.

Bad::

    import sqlite3

    from flask import Flask

    app = Flask(__name__)

    def rename(user, name):
        connection = sqlite3.connect("app.db")
        connection.execute("UPDATE users SET name = '" + name + "' WHERE id = ?", (user,))

Good::

    import sqlite3

    from flask import Flask

    app = Flask(__name__)

    def rename(user, name):
        connection = sqlite3.connect("app.db")
        connection.execute("UPDATE users SET name = ? WHERE id = ?", (name, user))

References:
    - CWE-89
    - ASVS 5.0 V1.2.4
    - https://cheatsheetseries.owasp.org/cheatsheets/Query_Parameterization_Cheat_Sheet.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._uncalled import unseen_by_flows
from stopper.source import rewrite
from stopper.source.assembly import Assembly, assembled
from stopper.source.code import Call, Expr
from stopper.source.project import Project

_TEXTS = ("text", "literal_column", "DDL")
_CLAUSES = ("distinct", "filter", "from_statement", "group_by", "having", "order_by", "where")
_QUERY = regex(r"(?<![a-z])(?:query|select)(?![a-z])|session\.query", re.IGNORECASE)
_NAMES = (
    *_CLAUSES, *_TEXTS,
    *"execute executemany executescript exec_driver_sql execute_sql read_sql read_sql_query query raw raw_sql run".split(),
    *"fetch fetchrow fetchval fetch_all fetch_one cursor prepare".split(),
)  # fmt: skip
_STATEMENT = regex(
    r"\s*\(?\s*(?:SELECT\b|INSERT\s+(?:OR\s+\w+\s+)?INTO\b|UPDATE\s+\S|DELETE\s+FROM\b|REPLACE\s+INTO\b|MERGE\s+INTO\b"
    r"|WITH\s+\S+\s+AS\b|(?:CREATE|DROP|ALTER|TRUNCATE)\s+\w|CALL\s+\S|EXEC(?:UTE)?\s+\S)",
    re.IGNORECASE,
)
_KEY = re.compile(r"(?:^|_)id$")
_NAME_PLACE = regex(
    r"\b(?:FROM|INTO|UPDATE|TABLE|JOIN|VIEW|INDEX|SEQUENCE|SCHEMA|DATABASE|EXISTS|ON|BY)\s+[\"`\[]?(?:[\w\0]+\.)?$",
    re.IGNORECASE,
)


class SqlStringFormatting(Rule):
    """Look for statements with parts that are not constant, in functions that nothing in the project calls."""

    area = Area.SQL
    severity = Severity.LOW
    cwe = (89,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each such statement; the flows look at what views hand over."""
        unseen = unseen_by_flows(project)
        for call, statement in _statements(project):
            made = assembled(statement)
            if made is None or not _is_open(made) or not (_is_text(call) or _is_sql(call, made)):
                continue
            if not unseen(call):
                continue
            names = ", ".join(dict.fromkeys(part.source for part in made.parts))
            yield self.found(
                call.location,
                f"parts of this SQL are not constant and not bound: {names}",
                confidence=Confidence.LOW,
                remedy=rewrite.bound_statement(project.code, call.location)
                or 'connection.execute("SELECT ... WHERE name = ?", (name,))',
                context=f"{call.function} {call.target.identifier}",
            )


def _statements(project: Project) -> Iterator[tuple[Call, Expr]]:
    for call in (call for last in _NAMES for call in project.code.every_call(last)):
        statement = (
            call.argument(0, "sql") or call.argument(None, "query") or call.argument(None, "statement")
        )
        if statement is not None:
            yield call, statement


def _is_text(call: Call) -> bool:
    """Tell whether a call makes a text into SQL, by its full name."""
    return call.target.identifier in _TEXTS and call.name.partition(".")[0] in (
        "sqlalchemy",
        "flask_sqlalchemy",
        "sqlmodel",
    )


def _is_sql(call: Call, made: Assembly) -> bool:
    """Tell whether a text is a statement, or a part of one that a query of SQLAlchemy takes."""
    if call.target.identifier not in _CLAUSES:
        return _STATEMENT.match(made.text) is not None
    chained = call.receiver is not None and _QUERY.search(call.receiver.source)
    return bool(chained and made.text.strip("\0 "))


def _is_open(made: Assembly) -> bool:
    """Tell whether a part may be anything; what an object says of its own key or table does not count."""
    before = made.text.split("\0")
    return any(
        "." not in part.source
        or not (_KEY.search(part.identifier) or _NAME_PLACE.search("\0".join(before[: at + 1])))
        for at, part in enumerate(made.parts)
    )
