"""Judges from outside: a real MariaDB reads what the guard reads, and sqlmap finds nothing in a blog whose SQL is left soft."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask, request
from tests.loopback import free_port, listening, wait_for

from stopper import Stopper
from stopper.guard.tokens import tokenize

BLOG = Path(__file__).parents[2] / "examples" / "blog"
SOFT_BLOG = """
import os, sys
sys.path.insert(0, os.environ["BLOG"])
from blog import create_app, text
text.TAGLINES[1:] = []  # one that changes with each page confuses the judge, whose tests compare pages
from stopper import Stopper
app = create_app({"SECRET_KEY": "b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9", "TRUSTED_HOSTS": ["127.0.0.1"]})
if os.environ["GUARDED"] == "yes":
    Stopper(app, limits="off", lockout="off", csrf="off", https="off")
"""
TARGETS = {
    "search": ("/search?q=flask", "q", ()),
    "sort": ("/?sort=created&order=desc&page=1", "sort,order", ()),
    "login": ("/login", "username", ("--data", "username=mara&password=b")),
    "ids": ("/api/posts?ids=1,2", "ids", ()),
}
"""The blog's holes: the address, the parameters to try, and what else sqlmap is told."""

NOT_REAL = "false positive or unexploitable"
"""What sqlmap notes beside a parameter that it tried again and gave up: nonces and tokens make each page another."""


def sqlmap(url: str, folder: Path, name: str) -> list[str]:
    """Return the parameters in which sqlmap found an injection, at level 3 and risk 3."""
    program = shutil.which("sqlmap")
    if program is None:
        pytest.skip("sqlmap is not installed")
    path, parameters, more = TARGETS[name]
    results = folder / f"{name}.csv"
    told = [
        "--dbms",
        "sqlite",
        "--technique",
        "BEU",
        "--level",
        "3",
        "--risk",
        "3",
        "--batch",
        "--timeout",
        "20",
    ]
    told += ["--retries", "0", "--flush-session", "--disable-coloring", "--answers", "skip further=N"]
    told += ["--output-dir", str(folder / name), "--results-file", str(results)]
    subprocess.run(
        [program, "-u", f"{url}{path}", "-p", parameters, *more, *told],
        capture_output=True,
        timeout=300,
        check=True,
    )
    with results.open(newline="") as file:
        return [row["Parameter"] for row in csv.DictReader(file) if NOT_REAL not in str(row)]


@pytest.fixture
def blog(tmp_path: Path, serve: Callable[..., Any]) -> Callable[[bool], str]:
    """Return a function that serves a copy of the soft blog, guarded or not, and returns its address."""

    def start(guarded: bool) -> str:
        copy = tmp_path / f"blog-{guarded}"
        shutil.copytree(BLOG, copy, ignore=shutil.ignore_patterns("instance", "__pycache__"))
        env = {"BLOG": str(copy), "GUARDED": "yes" if guarded else "no"}
        folder = tmp_path / f"init-{guarded}"
        folder.mkdir()
        (folder / "guarded.py").write_text(SOFT_BLOG)
        subprocess.run(
            [sys.executable, "-m", "flask", "--app", "guarded:app", "init-db"],
            cwd=folder,
            env={**os.environ, **env},
            check=True,
            timeout=60,
            capture_output=True,
        )
        return str(serve(SOFT_BLOG, "--threads", "4", env=env).url)

    return start


def test_sqlmap_finds_the_holes_of_the_blog_as_it_is(blog: Callable[[bool], str], tmp_path: Path) -> None:
    url = blog(False)

    assert sqlmap(url, tmp_path, "search") == ["q"]
    assert sqlmap(url, tmp_path, "ids") == ["ids"]


def test_sqlmap_finds_none_of_them_with_the_guard_alone_before_them(
    blog: Callable[[bool], str], tmp_path: Path
) -> None:
    url = blog(True)

    assert httpx.get(f"{url}/search?q=flask", trust_env=False).status_code == 200
    assert {name: sqlmap(url, tmp_path, name) for name in TARGETS} == {name: [] for name in TARGETS}


@pytest.fixture(scope="module")
def mariadb() -> Iterator[int]:
    """Return the port of a running MariaDB server, whose user `root` has no password."""
    install, server = shutil.which("mariadb-install-db"), shutil.which("mariadbd") or shutil.which("mysqld")
    if install is None or server is None:
        pytest.skip("MariaDB is not installed")
    folder = Path(tempfile.mkdtemp(prefix="maria"))
    user = "mysql" if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
    quiet: dict[str, Any] = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "user": user,
        "cwd": "/",
    }
    told = ["--no-defaults", f"--datadir={folder}/data"]
    subprocess.run(
        [install, *told, "--auth-root-authentication-method=normal"], check=True, timeout=120, **quiet
    )
    port = free_port()
    address = [
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--socket={folder}/socket",
        f"--pid-file={folder}/pid",
    ]
    process = subprocess.Popen([server, *told, *address], **quiet)
    try:
        assert wait_for(lambda: listening(port), 60), "MariaDB does not answer"
        yield port
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def client_of(run: Callable[[str], Any]) -> Any:
    """Return a client of a guarded app that hands `q` to a function."""
    app = Flask("maria")
    app.config.update(SECRET_KEY="b7c1f6a09d3e4f58a2c6e1907bd84f23c5d9", TESTING=True)
    Stopper(app)

    @app.get("/")
    def index() -> str:
        return str(run(request.args["q"]))

    return app.test_client()


def connect(driver: str, port: int, **more: Any) -> Any:
    """Return a connection of a driver to the server."""
    module = pytest.importorskip(driver)
    return module.connect(host="127.0.0.1", port=port, user="root", **more)


@pytest.mark.parametrize("driver", ["pymysql", "mysql.connector"])
def test_the_drivers_of_mysql_are_guarded(mariadb: int, driver: str) -> None:
    client_of(str)
    with closing(connect(driver, mariadb)) as connection, closing(connection.cursor()) as cursor:

        def run(q: str) -> Any:
            cursor.execute(f"SELECT 'a{q}' AS x, ' b ' AS y")
            return cursor.fetchall()[0][0]

        def bound(q: str) -> Any:
            cursor.execute("SELECT %s AS x", (q,))
            return cursor.fetchall()[0][0]

        def both(q: str) -> Any:
            cursor.execute(f"SELECT 'a{q}' AS x, %(b)s AS y", {"b": request.args.get("b", "")})
            return cursor.fetchall()[0][0]

        assert client_of(run).get("/", query_string={"q": "b c"}).text == "ab c"
        for q in (
            "' AS x, version() AS y -- ",
            "\\",
            "' /*!50000 UNION*/ SELECT 1, 2#",
            "'\nUNION SELECT 1, '",
        ):
            assert client_of(run).get("/", query_string={"q": q}).status_code == 400, q
        for q in ("it's", "\\' OR 1=1 -- ", "' /*!50000 UNION*/ SELECT 1, 2#"):
            assert client_of(bound).get("/", query_string={"q": q}).text == q
        breaking = {"q": "-%(b)s", "b": " UNION SELECT version(), 1 -- "}
        assert client_of(both).get("/", query_string=breaking).status_code == 400


def test_the_rows_of_executemany_are_bound(mariadb: int) -> None:
    client_of(str)
    with closing(connect("pymysql", mariadb)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS blog")
        cursor.execute("CREATE TEMPORARY TABLE blog.t (a TEXT)")

        def many(q: str) -> Any:
            return cursor.executemany("INSERT INTO blog.t (a) VALUES (%s)", [(q,), (q * 2,)])

        for q in ("it's", "\\' OR 1=1 -- ", "'), ('x", "' /*!50000 UNION*/ SELECT 1, 2#"):
            assert client_of(many).get("/", query_string={"q": q}).text == "2", q


def test_ansi_quotes_are_read_as_the_server_reads_them(mariadb: int) -> None:
    client_of(str)
    value = 'a\\" OR 1=1 -- '
    for mode, expected in (("", 200), ("ANSI_QUOTES", 400)):
        with (
            closing(connect("pymysql", mariadb, sql_mode=mode)) as connection,
            closing(connection.cursor()) as cursor,
        ):

            def run(q: str, cursor: Any = cursor) -> Any:
                cursor.execute(f'SELECT 1 AS "{q}"')
                return "done"

            assert client_of(run).get("/", query_string={"q": value}).status_code == expected, mode


@pytest.mark.parametrize(
    "literal",
    [
        "'a'",
        "'it''s'",
        "'it\\'s'",
        '"a\'b"',
        "'\\\\'",
        "'a' -- b\n",
        "1#x\n",
        "1/*!+1*/",
        "1/* + 1 */",
        "1--1",
        "0x41",
        "`x`",
        "@a:=1",
        "1 -- ",
    ],
)
def test_mariadb_reads_what_the_tokeniser_reads(mariadb: int, literal: str) -> None:
    with closing(connect("pymysql", mariadb)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(f"SELECT {literal} FROM (SELECT 1 AS x) AS t")

    kinds = [kind for kind, _ in tokenize(f"SELECT {literal} FROM (SELECT 1 AS x) AS t", "mysql")]
    assert "bad" not in kinds
