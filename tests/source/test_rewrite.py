"""What a finding advises is the user's own line, written as it should be, or nothing."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from stopper.finding import Location
from stopper.source import rewrite
from stopper.source.code import Code
from stopper.source.files import walk

HEAD = """import os, pickle, sqlite3, subprocess, yaml
from flask import redirect, render_template_string, request, url_for
from sqlalchemy import text
db = sqlite3.connect("blog.db")
def view(name, session, host, target):
"""


def rewritten(
    folder: Path, body: str, how: Callable[[Code, Location], str], called: str, head: str = HEAD
) -> str:
    (folder / "app.py").write_text(head + "".join(f"    {line}\n" for line in body.splitlines()))
    code = Code.of(walk(folder))
    places = [call.location for call in code.every_call(called)]
    return how(code, places[-1])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            """db.execute(f"SELECT * FROM users WHERE name = '{name}'")""",
            """db.execute("SELECT * FROM users WHERE name = ?", (name,))""",
        ),
        (
            """rows = db.execute("SELECT * FROM users WHERE id = " + request.args["id"]).fetchall()""",
            """rows = db.execute("SELECT * FROM users WHERE id = ?", (request.args["id"],)).fetchall()""",
        ),
        (
            """db.execute("SELECT * FROM users WHERE id = %s AND age > %d" % (name, host.age))""",
            """db.execute("SELECT * FROM users WHERE id = ? AND age > ?", (name, host.age))""",
        ),
        (
            """db.execute("SELECT * FROM users WHERE name LIKE '%{}%'".format(name))""",
            """db.execute("SELECT * FROM users WHERE name LIKE ?", (f"%{name}%",))""",
        ),
        (
            """query = "DELETE FROM users WHERE id = " + name\ndb.execute(query)""",
            """query = "DELETE FROM users WHERE id = ?"\ndb.execute(query, (name,))""",
        ),
    ],
)
def test_values_become_parameters(tmp_path: Path, body: str, expected: str) -> None:
    said = rewritten(tmp_path, body, rewrite.bound_statement, "execute")

    assert said == expected
    ast.parse(said)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            """db.execute(f"SELECT * FROM users ORDER BY {name} LIMIT 10")""",
            """name = {"name": "name", "created": "created"}[name]  # only names that exist: none can be a parameter""",
        ),
        (
            """sql = "DELETE FROM " + request.args["table"]\ndb.execute(sql)""",
            """name = {"name": "name", "created": "created"}[request.args["table"]]  # only names that exist: none can be a parameter""",
        ),
        (
            """db.execute("SELECT * FROM users WHERE id IN (" + name + ")")""",
            """marks = ", ".join("?" * len(name))  # name as a list\ncursor.execute(f"SELECT ... IN ({marks})", name)""",
        ),
        ("""db.execute(f"SELECT * FROM users WHERE id = {name}")""", ""),
        ("""db.execute(name)""", ""),
    ],
)
def test_what_no_parameter_can_stand_for_is_told(tmp_path: Path, body: str, expected: str) -> None:
    assert rewritten(tmp_path, body, rewrite.without_parameter, "execute") == expected


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("query, args=(), one=False", 'query_db("SELECT * FROM users WHERE name = ?", (name,), one=True)'),
        ("query, one=False", ""),
    ],
)
def test_a_helper_of_the_project_is_given_parameters_where_it_takes_them(
    tmp_path: Path, signature: str, expected: str
) -> None:
    head = f"def query_db({signature}):\n    return db.execute(query)\n{HEAD}"
    body = """query_db("SELECT * FROM users WHERE name = '%s'" % name, one=True)"""

    assert rewritten(tmp_path, body, rewrite.bound_statement, "query_db", head) == expected


def test_sql_that_the_author_wrote_stays_where_it_is(tmp_path: Path) -> None:
    head = f'USERS = "SELECT * FROM users"\n{HEAD}'
    body = """db.execute(f"{USERS} WHERE name LIKE '%{name}%' AND host = {host.name}")"""

    said = rewritten(tmp_path, body, rewrite.bound_statement, "execute", head)

    assert said == """db.execute(f"{USERS} WHERE name LIKE ? AND host = ?", (f"%{name}%", host.name))"""
    ast.parse(said)


def test_a_text_of_sqlalchemy_gets_named_parameters(tmp_path: Path) -> None:
    body = """session.execute(text(f"DELETE FROM users WHERE name = '{name}' AND host = {host.name}"))"""

    assert rewritten(tmp_path, body, rewrite.bound_statement, "text") == (
        'session.execute(text("DELETE FROM users WHERE name = :name AND host = :name_1"), {"name": name, "name_1": host.name})'
    )


def test_a_driver_that_wants_percent_signs_gets_them(tmp_path: Path) -> None:
    head = HEAD.replace("sqlite3", "psycopg2").replace('"blog.db"', '"dbname=blog"')
    body = """db.execute(f"SELECT * FROM users WHERE name = '{name}'")"""

    assert rewritten(tmp_path, body, rewrite.bound_statement, "execute", head) == (
        'db.execute("SELECT * FROM users WHERE name = %s", (name,))'
    )


@pytest.mark.parametrize(
    "body",
    [
        'db.execute(f"SELECT * FROM {name}")',
        'db.execute(f"{name} WHERE id = 1")',
        'db.execute(f"UPDATE users SET {name} WHERE id = 1")',
        'db.execute(f"SELECT * FROM users WHERE id IN ({name})")',
        'db.execute(f"INSERT INTO users ({name}) VALUES (1)")',
        'db.execute(f"SELECT * FROM users ORDER BY {name}")',
        "db.execute(f\"SELECT * FROM users WHERE name = 'a {name} b'\")",
        "db.execute(name)",
        'db.execute("SELECT " + name, (host,))',
        'query = "SELECT 1"\nquery += name\ndb.execute(query)',
    ],
)
def test_what_no_parameter_can_stand_for_is_left_to_the_pattern(tmp_path: Path, body: str) -> None:
    assert rewritten(tmp_path, body, rewrite.bound_statement, "execute") == ""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('os.system("ping -c 1 " + host)', 'subprocess.run(["ping", "-c", "1", host], check=True)'),
        (
            'os.system(f"convert {name}.png out.png")',
            'subprocess.run(["convert", f"{name}.png", "out.png"], check=True)',
        ),
        (
            'os.system(f"convert {name} out.png >/dev/null 2>&1")',
            'subprocess.run(["convert", name, "out.png"], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, check=True)',
        ),
        ('os.system(f"cat {name} > out.txt")', ""),
        ('os.system(f"cat {name} | wc")', ""),
        ("os.system(name)", ""),
        ('os.system(f"{name} -v")', ""),
    ],
)
def test_a_command_becomes_a_list_where_no_shell_is_needed(tmp_path: Path, body: str, expected: str) -> None:
    assert rewritten(tmp_path, body, rewrite.argument_list, "system") == expected


@pytest.mark.parametrize(
    ("called", "how", "body", "expected"),
    [
        ("loads", rewrite.data_only, "kept = pickle.loads(request.data)", "kept = json.loads(request.data)"),
        ("load", rewrite.data_only, "yaml.load(request.data, Loader=yaml.Loader)", "yaml.safe_load(request.data)"),
        (
            "render_template_string", rewrite.template_values, 'return render_template_string("<p>" + name)',
            'return render_template_string("<p>{{ name }}", name=name)',
        ),
        (
            "render_template_string", rewrite.template_values, 'render_template_string(f"<p>{name}", host=host)',
            'render_template_string("<p>{{ name }}", host=host, name=name)',
        ),
        (
            "open", rewrite.joined_safely, 'return open(os.path.join("/srv", name)).read()',
            'return open(safe_join("/srv", name)).read()  # from werkzeug.utils; None when it leads outside',
        ),
        (
            "redirect", rewrite.local_target, "return redirect(target)",
            'return redirect(target if target.startswith("/") and not target.startswith(("//", "/\\\\", "/\\t")) else url_for("index"))',
        ),
    ],
)  # fmt: skip
def test_other_sinks_are_given_what_they_should_have_been_given(
    tmp_path: Path, called: str, how: Callable[[Code, Location], str], body: str, expected: str
) -> None:
    assert rewritten(tmp_path, body, how, called) == expected


def test_the_fields_of_a_page_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text('def view(name):\n    return f"<p>{name} and {name.first}</p>"\n')

    said = rewrite.escaped_page(Code.of(walk(tmp_path)), Location("app.py", 2, 5))

    assert said.startswith('return f"<p>{escape(name)} and {escape(name.first)}</p>"')
