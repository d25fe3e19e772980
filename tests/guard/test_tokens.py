"""Statements are cut as each database cuts them, whatever they hold, and at a cost that is in proportion to their length."""

from __future__ import annotations

import sqlite3
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stopper.guard.tokens import DIALECTS, KINDS, SPACE, kind_of, start, texts, tokenize

PIECES = (
    *(
        "SELECT",
        "a",
        "é",
        "_x1",
        "$y",
        "1",
        "1.5",
        ".5",
        "1e-3",
        "0x1F",
        "1a",
        "'",
        "''",
        "'it''s'",
        '"',
        '"a""b"',
        "`",
        "`b`",
    ),
    *(
        "[",
        "]",
        "[c]",
        "--",
        "-- c\n",
        "#",
        "# c\n",
        "/*",
        "*/",
        "/* c */",
        "/* a /* b */ c */",
        "/*!50000 x */",
        "\\",
        "\\'",
    ),
    *(
        "E'",
        "E'\\''",
        "n'x'",
        "x'41'",
        "U&'a'",
        '"',
        "$$",
        "$$ it's $$",
        "$t$ $$ $t$",
        "$1",
        "?",
        "?1",
        ":a",
        "@b",
        "@@c",
        "%s",
    ),
    *(
        "%(n)s",
        "%",
        "::",
        ":=",
        "->",
        "->>",
        "<=>",
        "||",
        "!=",
        ";",
        ",",
        "(",
        ")",
        ".",
        "..",
        " ",
        "\n",
        "\t",
        "\r",
        "\f",
        "\v",
    ),
    *(
        "\x00",
        "\ufeff",
        "\xa0",
        "\ud800",
        "\U0001f600",
        "*",
        "=",
        "<",
        ">",
        "-",
        "+",
        "/",
        "|",
        "&",
        "~",
        "{",
        "}",
        "^",
        "!",
    ),
)
STATEMENTS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=60)


def cut(sql: str, dialect: str) -> list[str]:
    """Return what each token says, with its kind before it."""
    tokens = tokenize(sql, dialect)
    return [f"{kind} {text}" for (kind, _), text in zip(tokens, texts(sql, tokens), strict=True)]


@pytest.mark.parametrize("dialect", DIALECTS)
@given(STATEMENTS)
@settings(max_examples=300, deadline=None)
def test_tokens_and_white_space_make_up_the_statement(dialect: str, sql: str) -> None:
    tokens = tokenize(sql, dialect)

    ends = [0, *(end for _, end in tokens)]
    assert ends == sorted(set(ends))
    assert {kind for kind, _ in tokens} <= set(KINDS)
    assert all(sql[ends[i] : start(sql, tokens, i)].strip(SPACE) == "" for i in range(len(tokens)))
    assert sql[ends[-1] :].strip(SPACE) == ""


@given(STATEMENTS)
@settings(max_examples=1500, deadline=None)
def test_sqlite_reads_no_bad_token_and_a_token_it_does_not_read_is_bad(sql: str) -> None:
    message = _error(sql)

    bad = [kind for kind, _ in tokenize(sql, "sqlite") if kind == "bad"]
    assert bad or "unrecognized token" not in message
    assert message or not bad


def _error(sql: str) -> str:
    """Return why SQLite refuses a statement, nothing where it does not."""
    database = sqlite3.connect(":memory:")
    try:
        database.execute(f"EXPLAIN {sql}")
    except (sqlite3.Error, sqlite3.Warning, UnicodeError, ValueError) as error:
        return str(error) or "refused"
    finally:
        database.close()
    return ""


@pytest.mark.parametrize(
    ("dialect", "sql", "expected"),
    [
        ("sqlite", "a='it''s'--x\n1", ["word a", "op =", "string 'it''s'", "comment --x", "number 1"]),
        ("sqlite", '[a b]`c``d`"e"', ["name [a b]", "name `c``d`", 'name "e"']),
        ("sqlite", "x'41' X'0'", ["string x'41'", "string X'0'"]),
        ("sqlite", "'a\\' OR 1", ["string 'a\\'", "word OR", "number 1"]),
        ("sqlite", "$a::b('--) + ?2", ["param $a::b('--)", "op +", "param ?2"]),
        ("sqlite", "/* a", ["comment /* a"]),
        ("sqlite", "$a(b", ["bad $", "word a", "op (", "word b"]),
        ("sqlite", "/*/ a **/1e+", ["comment /*/ a **/", "bad 1e", "op +"]),
        ("postgresql", "$t$it's $$ $t$", ["string $t$it's $$ $t$"]),
        ("postgresql", "a$t$ b", ["word a$t$", "word b"]),
        ("postgresql", "E'\\'' '\\'", ["string E'\\''", "string '\\'"]),
        ("postgresql", "/* a /* b */ c */d", ["comment /* a /* b */ c */", "word d"]),
        ("postgresql", "/* a / **/1..2", ["comment /* a / **/", "number 1", "op .", "number .2"]),
        ("postgresql", "1e /*/ a", ["number 1", "word e", "bad /*/ a"]),
        ("postgresql", "a::int->>'b'", ["word a", "op ::", "word int", "op ->>", "string 'b'"]),
        ("postgresql", "U&'a' U&\"b\" U & b", ["string U&'a'", 'name U&"b"', "word U", "op &", "word b"]),
        (
            "postgresql",
            "a=%s AND b=%(c d)s",
            ["word a", "op =", "param %s", "word AND", "word b", "op =", "param %(c d)s"],
        ),
        ("postgresql+backslash", "'a\\' OR 1=1'", ["string 'a\\' OR 1=1'"]),
        ("mysql", "'a\\' OR 1=1'", ["string 'a\\' OR 1=1'"]),
        ("mysql", '"a" # c\n1', ['string "a"', "comment # c", "number 1"]),
        ("mysql", "1--1 -- c", ["number 1", "op -", "op -", "number 1", "comment -- c"]),
        ("mysql", "1/*!50000union*/2", ["number 1", "op /*!50000", "word union", "op */", "number 2"]),
        ("mysql", "1/**/2", ["number 1", "comment /**/", "number 2"]),
        ("mysql+ansi", '"a\\" OR', ['name "a\\"', "word OR"]),
        ("mysql+plain", "'a\\' OR", ["string 'a\\'", "word OR"]),
        ("mysql", "@@version := @`a b`", ["name @@version", "op :=", "name @`a b`"]),
        ("oracle", "a = 'b'", ["word a", "op =", "string 'b'"]),
    ],
)
def test_a_statement_is_cut_as_its_database_cuts_it(dialect: str, sql: str, expected: list[str]) -> None:
    assert cut(sql, dialect) == expected


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("sql", ["'abc", '"abc', "a 'b' 'c", "/* a" * 2])
def test_what_is_not_closed_reaches_to_the_end(dialect: str, sql: str) -> None:
    tokens = tokenize(sql, dialect)

    assert tokens[-1][1] == len(sql)
    assert tokens[-1][0] in {"bad", "comment"}


def test_a_text_is_one_token_or_it_is_none() -> None:
    assert kind_of("'it''s'", "sqlite") == "string"
    assert kind_of("a", "sqlite") == "word"
    assert kind_of("/* a */", "sqlite") == "comment"
    for text in ("'it's'", "'it", "a b", " a", "", "/* a", "1a"):
        assert kind_of(text, "sqlite") == ""


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "piece",
    [
        "'",
        "''",
        '"',
        "`",
        "[",
        "$a$",
        "$$",
        "/*",
        "*/",
        "--",
        " ",
        "\t",
        "\\",
        "(",
        "1",
        "1.",
        "e",
        "%(",
        "x'",
        "E'\\",
        "\ufeff",
        "@",
        "-",
    ],
)
def test_a_hostile_statement_costs_no_more_than_its_length(dialect: str, piece: str) -> None:
    short, long = piece * 1_000, piece * 16_000
    tokenize(short, dialect)

    spent = [_spent(short, dialect), _spent(long, dialect)]

    assert spent[1] < 16 * 8 * max(spent[0], 0.0005)


def _spent(sql: str, dialect: str) -> float:
    """Return the least processor time of three readings, in seconds."""
    times = []
    for _ in range(3):
        begun = time.process_time()
        tokenize(sql, dialect)
        times.append(time.process_time() - begun)
    return min(times)


LITERALS = st.text(st.characters(blacklist_characters="\x00", blacklist_categories=("Cs",)), max_size=20)


@given(LITERALS)
@settings(max_examples=200, deadline=None)
def test_postgresql_reads_the_same_literals(postgres: str, text: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    doubled = "'" + text.replace("'", "''") + "'"
    escaped = "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    literals = [doubled, escaped, *([f"$q${text}$q$"] if "$q" not in text and not text.endswith("$") else [])]
    sql = f"SELECT {', '.join(literals)}"

    with psycopg.connect(postgres, autocommit=True) as connection:
        row = connection.execute(sql).fetchone()

    assert row == (text,) * len(literals)
    assert [kind for kind, _ in tokenize(sql, "postgresql")].count("string") == len(literals)


@given(STATEMENTS)
@settings(max_examples=300, deadline=None)
def test_what_postgresql_reads_holds_no_bad_token(postgres: str, sql: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    if "\x00" in sql or "\ud800" in sql:
        return
    unread = ("unterminated", "trailing junk", "syntax error")
    message = ""
    with psycopg.connect(postgres, autocommit=True) as connection:
        try:
            connection.execute(f"PREPARE p AS SELECT {sql}")
        except psycopg.Error as error:
            message = str(error)
        except UnicodeError:
            return

    bad = [text for text in cut(sql, "postgresql") if text.startswith("bad ")]
    if not message:
        assert bad == []
    if "unterminated" in message:
        assert any(word in message for word in unread)
        assert bad
