"""A request that would change the tokens of a statement is stopped before the driver sees it, and nothing else is."""

from __future__ import annotations

import base64
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from flask import Flask, g, jsonify, request
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import HTTPException
from werkzeug.test import Client

from stopper import Stopper
from stopper.guard import events
from stopper.guard.injection import Statement, injections
from stopper.guard.inputs import Inputs

KEY = "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9"
SEARCH = (
    "SELECT * FROM post WHERE title LIKE '%{q}%' OR body LIKE '%{q}%' ORDER BY {sort} {order} LIMIT {limit}"
)
FORM = "application/x-www-form-urlencoded"
PLAIN = {"q": "flask", "sort": "created", "order": "desc", "limit": "10"}


def changed(template: str, dialect: str = "sqlite", **values: str) -> bool:
    """Tell whether values that are written into a statement as text change its tokens."""
    statement = Statement(template.format(**values), dialect)
    return any(injections(statement, Inputs((f"args {name}", value) for name, value in values.items())))


@pytest.mark.parametrize(
    "said",
    [
        {},
        *(
            {"q": q}
            for q in (
                "it is",
                "select 1 from x",
                "a.b-c (d); e",
                'say "hi"',
                "100%",
                "-- x",
                "''",
                "%",
                "*",
                "é ü",
                "a\\",
            )
        ),
        *(
            {"q": q}
            for q in (
                "union",
                "or 1=1",
                "1",
                "/* x */",
                "#1",
                "a=b",
                ";",
                "null",
                "post",
                "0x41",
            )
        ),
        *(
            {"sort": sort}
            for sort in ("title", "post.created", "created, title", "title desc, id", "2", "1,2", '"title"')
        ),
        *({"limit": limit} for limit in ("5", "-1", "10.5")),
        {"order": "ASC"},
    ],
)
def test_a_value_that_stays_a_value_passes(said: dict[str, str]) -> None:
    assert not changed(SEARCH, **{**PLAIN, **said})


@pytest.mark.parametrize(
    "said",
    [
        *(
            {"q": q}
            for q in (
                "'",
                "' OR 1=1 --",
                "x%' UNION SELECT 1",
                "'='",
                "'||'",
                "%' OR body LIKE '%",
                "a' AND '1",
                "';--",
            )
        ),
        *(
            {"q": q}
            for q in (
                "x'/**/OR/**/1=1--",
                "x'\nOR\n1=1--",
                "'+(SELECT 1)+'",
                "' -- ",
                "x%' AND 7=7 AND 'a%'='a",
            )
        ),
        *(
            {"sort": sort}
            for sort in (
                "(select 1)",
                "id limit 1 --",
                "id;drop table x",
                "id/**/",
                "sleep(5)",
                "1,case 1 when 1 then 1 end",
            )
        ),
        *(
            {"limit": limit}
            for limit in ("1 union select 1", "1--", "id", "1;", "(1)", "1/*", "1 offset (select 1)", "5-1")
        ),
        {"order": "desc,(case when 1 then 1 end)"},
        {"order": "desc limit 1"},
    ],
)
def test_a_value_that_becomes_code_does_not(said: dict[str, str]) -> None:
    assert changed(SEARCH, **{**PLAIN, **said})


@pytest.mark.parametrize(
    ("dialect", "template", "value", "expected"),
    [
        ("mysql", "SELECT 1 WHERE a = '{x}' AND b", "\\", True),
        ("sqlite", "SELECT 1 WHERE a = '{x}' AND b", "\\", False),
        ("mysql", "SELECT 1 WHERE a = '{x}'", "\\' OR 1=1 #", False),
        ("mysql", 'SELECT 1 WHERE a = "{x}"', '" OR 1=1 #', True),
        ("mysql", "SELECT 1 WHERE a = 1 {x}", "/*!50000 UNION*/", True),
        ("mysql", "SELECT 1 WHERE a = {x}", "1#", True),
        ("postgresql", "SELECT 1 WHERE a = $t${x}$t$", "it's $$", False),
        ("postgresql", "SELECT 1 WHERE a = $t${x}$t$", "$t$ OR 1=1 --", True),
        ("postgresql", "SELECT 1 WHERE a = {x}", "$$x$$", False),
        ("postgresql", "SELECT 1 WHERE a = {x}", "1::text", True),
        ("postgresql", "SELECT 1 /* {x} */", "a /* b */ c", False),
        ("postgresql", "SELECT 1 /* {x} */", "a */ , 2 /*", True),
        ("sqlite", "SELECT 1 WHERE id = {x}", "id", True),
        ("sqlite", "SELECT 1 WHERE id IN ({x})", "id", True),
        ("sqlite", "SELECT 1 WHERE id IN ({x})", "1,2,3", False),
        ("sqlite", "SELECT 1 WHERE id IN ({x})", "1) OR (1", True),
        ("sqlite", "SELECT 1 WHERE id IN ({x})", "1, id", True),
        ("sqlite", "SELECT 1 WHERE id = {x}", "-5", False),
        ("sqlite", "SELECT 1 WHERE id = 7{x}", "-5", True),
        ("sqlite", "SELECT 1 WHERE id = -{x}", "-5 OR 1", True),
        ("sqlite", "SELECT 1 WHERE active = {x}", "true", False),
        ("sqlite", "INSERT INTO t VALUES (1, {x})", "password", True),
        ("sqlite", "SELECT {x}.id FROM {x}", "post", False),
        ("sqlite", "SELECT {x} FROM post", "id, title", False),
        ("sqlite", "SELECT {x} FROM post", "(SELECT 1)", True),
        ("sqlite", "UPDATE t SET {x} = ?", "name", False),
        ("sqlite", "UPDATE t SET {x} = ?", "admin = 1, name", True),
        ("sqlite", 'SELECT "{x}" FROM post', 'id" FROM user --', True),
        ("sqlite", "SELECT [{x}] FROM post", "id] FROM user --", True),
        ("sqlite", "SELECT 1 WHERE a.{x} = b.id", "id", False),
    ],
)
def test_each_database_has_its_own_tokens_and_each_place_its_own_meaning(
    dialect: str, template: str, value: str, expected: bool
) -> None:
    assert changed(template, dialect, x=value) is expected


@pytest.mark.parametrize(
    ("template", "value", "made"),
    [
        ("SELECT 1 WHERE a = '{x}'", "x%27 OR 1%3D1 --", "x' OR 1=1 --"),
        ("SELECT 1 WHERE a = '{x}'", "x%2527 OR 1=1 --", "x' OR 1=1 --"),
        ("SELECT 1 WHERE a = '{x}'", "X' or 1=1 --", "x' or 1=1 --"),
        ("SELECT 1 WHERE a = '{x}'", base64.b64encode(b"x' OR 1=1 --").decode(), "x' OR 1=1 --"),
        ("SELECT 1 WHERE a = '{x}'", "x&#39; OR 1=1 --", "x' OR 1=1 --"),
        ("SELECT 1 WHERE a = '{x}'", "x\uff07 OR 1=1 --", "x' OR 1=1 --"),
        ("SELECT 1 WHERE a = {x}", "1' OR 1=1", "1 OR 1=1"),
        ("SELECT 1 WHERE a = {x}", "  1  OR  1=1 ", "1 OR 1=1"),
        ("SELECT 1 WHERE a = '{x}'", "x' OR 1=1 --, and more that was cut off", "x' OR 1=1 --, and mo"),
        ("SELECT 1 WHERE a = '{x}'", "flask x'OR(1=1)--", "x'OR(1=1)--"),
        ("SELECT 1 WHERE a = '{x}'", '{"name": "x\' OR 1=1 --"}', "x' OR 1=1 --"),
        ("SELECT 1 WHERE a = '{x}'", "x\\' OR 1=1 --", "x\\'' OR 1=1 --"),
    ],
)
def test_a_value_is_known_again_in_what_an_app_makes_of_it(template: str, value: str, made: str) -> None:
    dialect = "mysql" if "\\" in made else "sqlite"
    statement = Statement(template.format(x=made), dialect)

    assert any(injections(statement, Inputs([("args x", value)])))


@given(st.text(max_size=30))
@settings(max_examples=500, deadline=None)
def test_a_value_whose_quotes_are_doubled_passes_and_what_breaks_out_does_not(value: str) -> None:
    doubled = value.replace("'", "''")

    assert not any(
        injections(Statement(f"SELECT 1 WHERE a = '{doubled}'", "sqlite"), Inputs([("args x", value)]))
    )
    attack = f"{value.replace(chr(39), '')}' OR 1=1 --"
    assert any(
        injections(Statement(f"SELECT 1 WHERE a = '{attack}'", "sqlite"), Inputs([("args x", attack)]))
    )


@given(
    st.text(max_size=60),
    st.text("'\"`\\-/*#;()=%$[]{}ae1 \n", max_size=30),
    st.sampled_from(("sqlite", "postgresql", "mysql")),
)
@settings(max_examples=500, deadline=None)
def test_no_statement_and_no_value_makes_the_judge_raise(sql: str, value: str, dialect: str) -> None:
    for text in (sql + value, value, f"SELECT '{value}' {sql}"):
        list(injections(Statement(text, dialect), Inputs([("args x", value), ("args y", sql)])))


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT 1 FROM t WHERE id IN (1, 2)", "look at item (1, 2), it's good"),
        ("SELECT a, b FROM t ORDER BY title desc, id", "title desc, id"),
        ("SELECT count(1) FROM t WHERE a = 'x'", "one (1) of them"),
    ],
)
def test_text_that_a_statement_holds_by_chance_is_no_attack(sql: str, value: str) -> None:
    assert not any(injections(Statement(sql, "sqlite"), Inputs([("form body", value)])))


@pytest.mark.parametrize(
    ("dialect", "template", "value"),
    [
        ("mysql", "SELECT {x} FROM t", "@@version"),
        ("mysql", "SELECT 1 {x} FROM t", "/*!"),
        ("sqlite", "SELECT 1 WHERE a = {x}", "$1"),
        ("postgresql", "SELECT 1 WHERE a = {x} AND b", "/* x */"),
        ("sqlite", "SELECT a /* {x} */ FROM t", "x */"),
        ("postgresql", "SELECT a FROM t ORDER BY {x}", "0\xa0"),
    ],
)
def test_what_makes_a_token_of_its_own_is_an_attack(dialect: str, template: str, value: str) -> None:
    assert changed(template, dialect, x=value)


def test_the_shape_of_a_statement_holds_no_value() -> None:
    statement = Statement("SELECT a FROM b WHERE c = 'secret' AND d = 4711 /* secret */ -- secret", "sqlite")

    assert statement.shape() == "SELECT a FROM b WHERE c = ? AND d = ? /* */ /* */"


# --- a real app on real SQLite


class Rows(sqlite3.Connection):
    """A connection of the app's own."""


def build(**said: Any) -> Flask:
    """Return a guarded app whose SQL is put together from what requests say."""
    app = Flask("soft")
    app.config.update(SECRET_KEY=KEY, TESTING=True)
    stopper = Stopper(app, **said)

    def rows(sql: str, *bound: Any) -> Any:
        with closing(sqlite3.connect(":memory:", factory=Rows)) as connection:
            connection.row_factory = sqlite3.Row
            connection.executescript("CREATE TABLE item (id INTEGER, name TEXT)")
            connection.execute("INSERT INTO item VALUES (1, 'apple'), (2, 'pear')")
            return jsonify([dict(row) for row in connection.execute(sql, *bound)])

    @app.get("/name")
    def name() -> Any:
        return rows("SELECT * FROM item WHERE name = '" + request.args["q"] + "'")

    @app.get("/bound")
    def bound() -> Any:
        return rows("SELECT * FROM item WHERE name = ?", (request.args["q"],))

    @app.get("/sorted/<order>")
    def ordered(order: str) -> Any:
        return rows(f"SELECT * FROM item ORDER BY {order}")

    @app.post("/form")
    def form() -> Any:
        return rows(f"SELECT * FROM item WHERE id = {request.form['id']}")

    @app.post("/json")
    def from_json() -> Any:
        return rows(f"SELECT * FROM item WHERE id = {request.get_json()['a'][0]['id']}")

    @app.get("/agent")
    def agent() -> Any:
        return rows(f"SELECT * FROM item WHERE name = '{request.user_agent.string}'")

    @app.get("/cookie")
    def cookie() -> Any:
        return rows(f"SELECT * FROM item WHERE name = '{request.cookies['c']}'")

    @app.get("/swallow")
    def swallow() -> Any:
        for _ in range(3):
            try:
                return rows("SELECT * FROM item WHERE name = '" + request.args["q"] + "'")
            except HTTPException:
                continue
        return "nothing"

    @app.get("/console")
    @stopper.exempt("sql")
    def console() -> Any:
        return rows(request.args["q"])

    return app


@pytest.fixture
def soft() -> Client:
    return build().test_client()


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", "/name", {"query_string": {"q": "x' OR '1'='1"}}),
        ("GET", "/sorted/(select 1)", {}),
        ("POST", "/form", {"data": {"id": "1 OR 1=1"}}),
        ("POST", "/json", {"json": {"a": [{"id": "1 OR 1=1"}]}}),
        ("GET", "/agent", {"headers": {"User-Agent": "x' OR 1=1 --"}}),
        ("GET", "/cookie", {"headers": {"Cookie": 'c="x\' OR 1=1 --"'}}),
    ],
)
def test_an_input_is_stopped_wherever_it_comes_from(
    soft: Client, method: str, path: str, said: dict[str, Any]
) -> None:
    assert soft.open(path, method=method, **said).status_code == 400


def test_an_attack_cannot_hide_behind_many_other_values(soft: Client) -> None:
    crowd = "&".join(f"a{number}=x' y {number}" for number in range(900))
    leaves = {"crowd": [f"b' {number}" for number in range(150_000)], "a": [{"id": "1 OR 1=1"}]}

    assert soft.post("/form", data=f"{crowd}&id=1 OR 1=1", content_type=FORM).status_code == 400
    assert soft.post("/json", json=leaves).status_code == 400
    assert (
        soft.post("/json", json={"long": "y" * 2_000_000, "a": [{"id": "1 OR 1\u003d1"}]}).status_code == 400
    )


def test_a_large_body_costs_a_bounded_time() -> None:
    for values in (
        ["a' b,c;d|e&f " * 300] * 600,
        ["a' b,c;d|e&f " * 80_000],
        ["%25" * 1300] * 500,
        ["'" * 4000] * 100,
    ):
        inputs = Inputs((f"json {index}", f"{index}{value}") for index, value in enumerate(values))
        begun = time.process_time()
        list(injections(Statement(SEARCH, "sqlite"), inputs))

        assert time.process_time() - begun < 2


def test_what_is_harmless_is_answered_as_ever(soft: Client) -> None:
    apple = [{"id": 1, "name": "apple"}]

    assert soft.get("/name?q=apple").json == apple
    assert soft.get("/bound?q=apple").json == apple
    assert soft.get("/bound?q=x' OR '1'='1").json == []
    assert soft.get("/sorted/name").json == [*apple, {"id": 2, "name": "pear"}]
    assert soft.post("/form", data={"id": "1"}).json == apple
    assert soft.post("/json", json={"a": [{"id": "1"}]}).json == apple


@pytest.mark.parametrize(
    "q",
    [
        "name = ?",
        "item WHERE",
        "SELECT * FROM item WHERE name = ?",
        "?",
        "* FROM",
        "name",
        "id",
        "=",
        "'",
        "FROM item",
    ],
)
def test_the_authors_own_words_in_a_request_are_no_attack(q: str) -> None:
    assert build().test_client().get("/bound", query_string={"q": q}).status_code == 200


def test_a_statement_that_was_stopped_is_stopped_again_however_often_it_is_tried(soft: Client) -> None:
    assert soft.get("/swallow", query_string={"q": "x' OR 1=1 --"}).text == "nothing"


def test_a_database_console_can_be_exempt(soft: Client) -> None:
    assert soft.get("/console", query_string={"q": "SELECT name FROM item WHERE id = 1"}).json == [
        {"name": "apple"}
    ]


def test_report_lets_through_and_tells_and_off_does_neither() -> None:
    told: list[events.Event] = []
    app = build(sql="report")
    events.reported.connect(lambda _, event: told.append(event), app, weak=False)

    assert len(app.test_client().get("/name", query_string={"q": "x' OR 'secret'='secret"}).json) == 2
    assert [event.guard for event in told] == ["sql"]
    assert told[0].facts["source"] == "args q"
    assert "secret" not in told[0].line()
    assert told[0].facts["statement"] == "SELECT * FROM item WHERE name = ? OR ? = ?"
    assert len(build(sql="off").test_client().get("/name", query_string={"q": "x' OR '1'='1"}).json) == 2


def test_outside_of_a_request_and_in_another_app_nothing_is_judged() -> None:
    guarded, free = build(), Flask("free")

    @free.get("/name")
    def name() -> str:
        with closing(sqlite3.connect(":memory:")) as connection:
            return str(connection.execute(f"SELECT {request.args['q']}").fetchone())

    assert free.test_client().get("/name", query_string={"q": "1 WHERE 1=1"}).text == "(1,)"
    assert guarded.test_client().get("/name", query_string={"q": "' OR 1=1 --"}).status_code == 400


@pytest.mark.filterwarnings(
    "ignore:Passing more than 1 positional argument:DeprecationWarning"
)  # since Python 3.12
def test_a_connection_of_sqlite3_is_what_it_was() -> None:
    build()

    class Own(sqlite3.Cursor):
        pass

    with closing(sqlite3.connect(":memory:", factory=Rows)) as connection:
        connection.row_factory = sqlite3.Row
        with connection:
            connection.executescript("CREATE TABLE a (b); CREATE TABLE c (d)")
            connection.executemany("INSERT INTO a VALUES (?)", [(1,), (2,)])
        cursor = connection.cursor(Own)

        assert isinstance(connection, Rows)
        assert type(connection).__name__ == "Rows"
        assert isinstance(cursor, Own)
        assert isinstance(connection.cursor(), sqlite3.Cursor)
        assert [row["b"] for row in cursor.execute("SELECT b FROM a WHERE b > ?", (0,))] == [1, 2]
        assert connection.execute("SELECT count(*) FROM a").fetchone()[0] == 2
        assert cursor.connection is connection
        with pytest.raises(sqlite3.OperationalError):
            connection.execute("SELECT nothing")
    with closing(sqlite3.connect(":memory:", 5, 0, None, True, Rows)) as connection:
        assert isinstance(connection, Rows)


@pytest.mark.parametrize("method", ["execute", "executemany", "executescript"])
@pytest.mark.parametrize("of", ["connection", "cursor", "own cursor"])
def test_every_way_to_run_a_statement_of_sqlite3_is_guarded(method: str, of: str) -> None:
    app = build()

    @app.get("/run")
    def run() -> str:
        with closing(sqlite3.connect(":memory:")) as connection:
            target: Any = connection
            if of != "connection":
                target = connection.cursor() if of == "cursor" else connection.cursor(sqlite3.Cursor)
            getattr(target, method)(
                f"SELECT '{request.args['q']}'", *([[]] if method == "executemany" else [])
            )
        return "done"

    assert app.test_client().get("/run", query_string={"q": "' || (SELECT 1) || '"}).status_code == 400


def test_a_connect_that_was_imported_before_is_guarded_too() -> None:
    code = (
        "from sqlite3 import connect\n"
        "import sys; sys.modules['early'] = sys.modules['__main__']\n"
        "from flask import Flask, request\nfrom stopper import Stopper\n"
        "app = Flask('early'); app.config.update(TESTING=True, SECRET_KEY='x' * 40); Stopper(app)\n"
        "@app.get('/')\ndef index():\n    return str(connect(':memory:').execute('SELECT ' + request.args['q']).fetchone())\n"
        "print(app.test_client().get('/?q=1').status_code, app.test_client().get('/?q=1%20WHERE%201').status_code)\n"
        "assert 'psycopg' not in sys.modules and 'sqlalchemy' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.split() == ["200", "400"], done.stderr


# --- the other drivers


def serve_with(run: Callable[[str], Any]) -> Client:
    """Return a client of a guarded app that hands `q` to a function."""
    app = Flask("drivers")
    app.config.update(SECRET_KEY=KEY, TESTING=True)
    Stopper(app)

    @app.get("/")
    def index() -> str:
        g.q = request.args["q"]
        return str(run(request.args["q"]))

    return app.test_client()


@pytest.fixture
def psycopg3(postgres: str) -> Iterator[Any]:
    psycopg = pytest.importorskip("psycopg")
    serve_with(str)
    with psycopg.connect(postgres, autocommit=True) as connection:
        yield connection


def test_psycopg_is_guarded_in_each_of_its_cursors(psycopg3: Any, postgres: str) -> None:
    import psycopg
    from psycopg import sql

    def run(q: str) -> Any:
        return psycopg3.execute(f"SELECT 'a{q}'").fetchall()

    def client_side(q: str) -> Any:
        return psycopg.ClientCursor(psycopg3).execute(f"SELECT 'a{q}' WHERE %s", (True,)).fetchall()

    def as_bytes(q: str) -> Any:
        return psycopg3.cursor().execute(f"SELECT 'a{q}'".encode()).fetchall()

    def streamed(q: str) -> Any:
        return list(psycopg3.cursor().stream(f"SELECT 'a{q}'"))

    def composed(q: str) -> Any:
        return psycopg3.execute(sql.SQL("SELECT {}, {}").format(sql.Literal(q), sql.SQL("1"))).fetchall()

    def careless(q: str) -> Any:
        return psycopg3.execute(sql.SQL("SELECT {}").format(sql.SQL(q))).fetchall()  # type: ignore[arg-type]

    for one in (run, client_side, as_bytes, streamed):
        assert serve_with(one).get("/", query_string={"q": "b c"}).text == "[('ab c',)]"
        assert serve_with(one).get("/", query_string={"q": "' || version() || '"}).status_code == 400
    assert serve_with(composed).get("/", query_string={"q": "it's (a) 'b'"}).status_code == 200
    assert serve_with(careless).get("/", query_string={"q": "1, version()"}).status_code == 400


def test_psycopg2_is_guarded_with_its_factories(postgres: str) -> None:
    psycopg2 = pytest.importorskip("psycopg2")
    from psycopg2 import extras

    serve_with(str)

    for more in (
        {},
        {"cursor_factory": extras.RealDictCursor},
        {"connection_factory": extras.DictConnection},
    ):
        with closing(psycopg2.connect(postgres, **more)) as connection:

            def run(q: str, connection: Any = connection) -> Any:
                with connection.cursor() as cursor:
                    cursor.execute(f"SELECT 'a{q}' AS x WHERE %s", (True,))
                    return len(cursor.fetchall())

            assert isinstance(connection, psycopg2.extensions.connection)
            assert serve_with(run).get("/", query_string={"q": "b c"}).text == "1"
            assert serve_with(run).get("/", query_string={"q": "' || version() || '"}).status_code == 400
            assert serve_with(run).get("/", query_string={"q": " %s "}).status_code == 400

    with closing(psycopg2.connect(postgres)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE t (a text)")

        def many(q: str) -> Any:
            extras.execute_values(cursor, "INSERT INTO t VALUES %s", [(q,), (q * 2,)])
            return "done"

        for q in ("it's", "''", "'a'", "\\' OR 1=1 --", "(1), (2)", "'); DROP TABLE t; --"):
            assert serve_with(many).get("/", query_string={"q": q}).text == "done", q


def test_sqlalchemy_is_guarded_where_text_is_text_and_left_alone_where_it_builds(postgres: str) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    from sqlalchemy import (
        Column,
        Integer,
        MetaData,
        String,
        Table,
        create_engine,
        literal_column,
        select,
        text,
    )

    serve_with(str)
    for address in ("sqlite://", postgres.replace("postgresql:", "postgresql+psycopg:")):
        engine = create_engine(address, poolclass=sqlalchemy.pool.StaticPool)
        table = Table("item", MetaData(), Column("id", Integer), Column("name", String))
        table.drop(engine, checkfirst=True)
        table.create(engine)

        def raw(q: str, engine: Any = engine) -> Any:
            with engine.connect() as connection:
                return connection.execute(text(f"SELECT 1 AS a WHERE 'x' = '{q}'")).fetchall()

        def built(q: str, engine: Any = engine, table: Any = table) -> Any:
            with engine.begin() as connection:
                connection.execute(table.insert(), [{"id": 1, "name": q}])
                return connection.execute(
                    select(table).where(table.c.name == q).order_by(table.c.id)
                ).fetchall()

        def literal(q: str, engine: Any = engine) -> Any:
            with engine.connect() as connection:
                return connection.execute(select(literal_column(q))).fetchall()

        assert serve_with(raw).get("/", query_string={"q": "x"}).text == "[(1,)]"
        assert serve_with(raw).get("/", query_string={"q": "y' OR 'a'='a"}).status_code == 400
        assert serve_with(literal).get("/", query_string={"q": "1"}).text == "[(1,)]"
        assert serve_with(literal).get("/", query_string={"q": "(SELECT 1)"}).status_code == 400
        for q in (
            "y' OR 'a'='a",
            "item.id",
            "FROM item",
            "item.name = ?",
            "SELECT item.id, item.name",
            "item.name FROM item",
        ):
            assert serve_with(built).get("/", query_string={"q": q}).status_code == 200, q
        engine.dispose()


def test_a_driver_that_is_imported_later_is_guarded(postgres: str) -> None:
    pytest.importorskip("psycopg2")
    code = (
        "import sys\nfrom flask import Flask, request\nfrom stopper import Stopper\n"
        "app = Flask('late'); app.config.update(TESTING=True, SECRET_KEY='x' * 40); Stopper(app)\n"
        "@app.get('/<driver>')\ndef index(driver):\n"
        "    connection = __import__(driver).connect(sys.argv[1])\n"
        "    cursor = connection.cursor()\n    cursor.execute('SELECT ' + request.args['q'])\n    return str(cursor.fetchone())\n"
        "for driver in ('psycopg', 'psycopg2'):\n"
        "    client = app.test_client()\n"
        "    print(client.get(f'/{driver}?q=1').status_code, client.get(f'/{driver}?q=1%20WHERE%201=1').status_code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, postgres], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.split() == ["200", "400"] * 2, done.stderr


def test_a_postgresql_server_with_backslashes_is_read_as_it_reads(psycopg3: Any) -> None:
    psycopg3.execute("SET standard_conforming_strings = off")

    def run(q: str) -> Any:
        return psycopg3.execute(f"SELECT '{q}' AS a, ' b '").fetchall()

    assert serve_with(run).get("/", query_string={"q": "\\"}).status_code == 400
    psycopg3.execute("SET standard_conforming_strings = on")
    assert serve_with(run).get("/", query_string={"q": "\\"}).status_code == 200
