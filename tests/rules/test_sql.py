"""Where SQL is put together: what may be anything is named, what the author wrote is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.rules.asking import found

CODE = """\
from flask import Flask
from sqlalchemy import text

app = Flask(__name__)
COLUMNS = ("name", "size")


class Store:
    def find(self, connection, name, table, numbers, long):
        {statement}
"""
OPEN = (
    "connection.execute(\"SELECT 1 FROM t WHERE name = '%s'\" % name)",
    'connection.execute("SELECT 1 FROM t WHERE name = " + name)',
    "connection.execute(f\"SELECT 1 FROM t WHERE name = '{name}'\")",
    "connection.execute(\"SELECT 1 FROM t WHERE name = '{}'\".format(name))",
    'connection.execute("DROP TABLE " + table)',
    'query = "SELECT 1 FROM t"; query += " WHERE name = " + name; connection.execute(query)',
    'start = "SELECT 1 FROM t WHERE "; connection.execute(start + "name = " + name)',
    'connection.execute(text("a = " + name))',
    'connection.execute("SELECT 1 FROM t WHERE id IN (%s)" % ",".join(numbers))',
)
CLOSED = (
    'connection.execute("SELECT 1 FROM t WHERE name = ?", (name,))',
    'connection.execute("SELECT 1 FROM t WHERE size = %d" % int(name))',
    'connection.execute("SELECT 1 FROM t WHERE id IN (%s)" % ",".join("?" for _ in numbers))',
    'connection.execute("SELECT 1 FROM t WHERE id IN (%s)" % ",".join(["?"] * len(numbers)))',
    'connection.execute(f"SELECT 1 FROM {self.table} WHERE name = ?", (name,))',
    'connection.execute("SELECT 1 FROM %s" % connection.quote_ident(table))',
    'connection.execute("SELECT 1 FROM t ORDER BY " + ("name" if long else "size"))',
    "[connection.execute(f\"UPDATE t SET {column} = ''\") for column in ()]",
    'for column in COLUMNS: connection.execute(f"SELECT {column} FROM t")',
    "query = text(\"SELECT 1 FROM t WHERE name = 'a'\"); query = query if long else text('SELECT 2'); connection.execute(query)",
    'connection.execute(f"/rooms/{name}")',
    'connection.execute(f"UPDATE t SET size = 1 WHERE id = {self.id} OR parent = {self.parent_id}")',
)


def said(folder: Path, code: str) -> list[str]:
    return [one.message for one in found(folder, "sql-string-formatting", code)]


@pytest.mark.parametrize("statement", OPEN)
def test_a_statement_of_open_parts_is_told_with_their_names(tmp_path: Path, statement: str) -> None:
    (message,) = said(tmp_path, CODE.format_map({"statement": statement}))

    assert message.rpartition(": ")[2] in ("name", "table", '",".join(numbers)')


@pytest.mark.parametrize("statement", CLOSED)
def test_a_statement_of_closed_parts_is_quiet(tmp_path: Path, statement: str) -> None:
    assert said(tmp_path, CODE.format_map({"statement": statement})) == []


def test_a_statement_that_something_calls_is_left_to_the_flows(tmp_path: Path) -> None:
    code = CODE.format_map({"statement": OPEN[1]})

    assert said(tmp_path, code + '\n\nStore().find(None, "a", "b", [], False)\n') == []
