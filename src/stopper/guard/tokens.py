"""Cut SQL statements of SQLite, PostgreSQL and MySQL into tokens, quickly and without ever raising.

One regular expression a dialect, read with ``finditer`` and ``lastgroup``. What it knows comes from each database's own
lexical rules: https://www.sqlite.org/src/file/src/tokenize.c,
https://www.postgresql.org/docs/current/sql-syntax-lexical.html and
https://dev.mysql.com/doc/refman/8.4/en/language-structure.html. White space makes no token: it is what lies between two.

What a database refuses to read (an open string, a stray character) is a token of kind ``bad``. An open string reaches
to the end of the statement, so that a hostile statement costs no more than its length.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

Token = tuple[str, int]
"""A kind (one of `KINDS`) and the offset after the last character; it begins where white space after the token before
ends (see `start`). Two things instead of three, because a statement is read within a request: a third costs a half more."""

KINDS: Final = ("word", "op", "number", "string", "name", "param", "comment", "bad")
"""What a token can be: `name` is an identifier in quotes, `param` a placeholder of the driver or a variable."""

DIALECTS: Final = (
    "sqlite",
    "postgresql",
    "postgresql+backslash",
    "mysql",
    "mysql+ansi",
    "mysql+plain",
    "mysql+ansi+plain",
)
"""What can be read: `+backslash` is PostgreSQL with `standard_conforming_strings` off, `+ansi` MySQL's ANSI_QUOTES,
`+plain` its NO_BACKSLASH_ESCAPES."""

SPACE: Final = " \t\n\r\f\v\ufeff"
"""What may stand before a token."""

START: Final = r"[^\x00-@\[-^`{-\x7f]"
LETTER: Final = r"[^\x00-#%-/:-@\[-^`{-\x7f]"
TAG: Final = r"[^\x00-/:-@\[-^`{-\x7f]"
"""What begins a word, what goes on with it, and the same without the dollar sign. All three databases take every
character beyond ASCII for a letter; what is no letter is listed, since `re` is quicker with a set of ASCII."""

PLAIN: Final = r"'[^']*+(?:''[^']*+)*+'"
BACKSLASH: Final = r"'(?:[^'\\]++|\\.|'')*+'"
DOUBLE: Final = r'"[^"]*+(?:""[^"]*+)*+"'
BACKTICK: Final = r"`[^`]*+(?:``[^`]*+)*+`"
DOLLAR: Final = rf"(?:{START}{TAG}*+)?"
PYFORMAT: Final = r"%\([^)]{0,200}+\)[sbt]|%[sbt](?![A-Za-z0-9_])"
EXPONENT: Final = r"(?:[eE][+-]?[0-9]++)?"
BLOCK: Final = r"/\*[^*]*+.*?\*/"
"""What tokens are made of. A group is repeated possessively only where nothing in it can fail once it went on: Python up to
3.11.4 goes on from there (https://github.com/python/cpython/issues/106052)."""

NEST: Final = re.compile(r"/\*|\*/")
"""What opens and what closes a comment that can hold others."""


def tokenize(sql: str, dialect: str = "sqlite") -> list[Token]:
    """Return the tokens of a statement, in order; between two there is white space or nothing.

    Args:
        sql: One statement or several.
        dialect: One of `DIALECTS`; anything else is read as SQLite's.
    """
    tokens = [(match.lastgroup, match.end()) for match in pattern(dialect).finditer(sql)]
    while tokens and tokens[-1][0] == "end":
        tokens.pop()
    if dialect[0] == "p" and any(kind == "nest" for kind, _ in tokens):
        return _nested(sql, dialect)
    return tokens  # type: ignore[return-value]  # every alternative is a named group


def start(sql: str, tokens: list[Token], index: int) -> int:
    """Return the offset of the first character of a token."""
    before = tokens[index - 1][1] if index else 0
    text = sql[before : tokens[index][1]]
    return before + min(len(text) - len(text.lstrip(SPACE)), len(text) - 1)


def texts(sql: str, tokens: list[Token]) -> list[str]:
    """Return what each token says."""
    return [sql[start(sql, tokens, index) : end] for index, (_, end) in enumerate(tokens)]


def kind_of(text: str, dialect: str) -> str:
    """Return the kind of a text that is exactly one token with more of a statement behind it; nothing for any other text."""
    tokens = tokenize(f"{text}\n;", dialect)
    if not tokens or tokens[0][1] != len(text) or tokens[0][0] == "bad" or text[0] in SPACE:
        return ""
    return tokens[0][0]


@cache
def pattern(dialect: str) -> re.Pattern[str]:
    """Return the one expression that reads a dialect, white space before each token included."""
    if dialect.startswith("postgresql"):
        space, groups = r"[ \t\n\r\f\v]*+", _postgresql(backslash="backslash" in dialect)
    elif dialect.startswith("mysql"):
        space, groups = r"[ \t\n\r\f\v]*+", _mysql(ansi="ansi" in dialect, backslash="plain" not in dialect)
    else:
        space, groups = r"(?:[ \t\n\r\f][ \t\n\r\f\v]*+|\ufeff)*+", _sqlite()
    # The end is matched as well: where nothing matched after much white space, `finditer` would try at each of its characters
    choices = "|".join(f"(?P<{kind}>{text})" for kind, text in (*groups.items(), ("end", r"\Z")))
    return re.compile(f"{space}(?:{choices})", re.DOTALL)


def _sqlite() -> dict[str, str]:
    """Return SQLite's tokens; a byte order mark counts as white space where a word could start."""
    digits = r"[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++"
    return {
        "word": rf"{START}{LETTER}*+(?!')|(?![xX]'){START}{LETTER}*+",
        "op": r"[(),.;+*=&~%](?<!\.(?=[0-9]))=?+|->>?+|-(?!-)|<[<>=]?+|>[>=]?+|\|\|?+|!=|/(?!\*.)",
        "number": rf"0[xX][0-9A-Fa-f]++|(?:{digits}){EXPONENT}(?!{LETTER})",
        "string": rf"{PLAIN}|[xX]'[0-9A-Fa-f]*+'",
        "name": rf"{DOUBLE}|{BACKTICK}|\[[^\]]*+\]",
        "param": rf"\?[0-9]*+|[$@#:](?:::)*+{LETTER}(?:{LETTER}|::)*+(?:\([^\s)]{{0,200}}+\)|(?!\())",
        "comment": rf"--[^\n]*+|{BLOCK}|/\*.++",
        "bad": rf"[xX]?+'.*+|[\"`\[].*+|(?:{digits}){LETTER}++|[^ \t\n\r\f\ufeff]",
    }


def _postgresql(*, backslash: bool) -> dict[str, str]:
    """Return PostgreSQL's tokens; `nest` is a comment that may have another inside, which no expression can read."""
    string = BACKSLASH if backslash else PLAIN
    run = r"(?:[~!@#^&|`?*<>=]|%(?![sbt](?![A-Za-z0-9_])|\([^)]{0,200}+\)[sbt])|/(?!\*)){1,64}"  # a longer one is refused
    return {
        "word": rf"{START}{LETTER}*+(?!['&])|(?![eEnNxXbB]'|[uU]&['\"]){START}{LETTER}*+",
        "op": rf"[(),;\[\]]|\.(?![0-9])|<->|->>?+|[+]|-(?!-)|{run}|::?+=?+",
        "number": rf"0[xXoObB][0-9A-Fa-f_]++|(?:[0-9][0-9_]*+(?:\.(?!\.)[0-9_]*+)?|\.[0-9]++){EXPONENT}",
        "string": rf"(?:[nNxXbB]|[uU]&)?+{string}|[eE]{BACKSLASH}|\$(?P<tag>{DOLLAR})\$.*?\$(?P=tag)\$",
        "name": rf"(?:[uU]&)?+{DOUBLE}",
        "param": rf"\$[0-9]++|{PYFORMAT}",
        "comment": r"--[^\r\n]*+|/\*[^*/]*+[^/]*?\*/",
        "nest": r"/\*",
        "bad": rf"[A-Za-z]?+&?+'.*+|(?:[uU]&)?+\".*+|\${DOLLAR}\$.*+|[^ \t\n\r\f\v]",
    }


def _mysql(*, ansi: bool, backslash: bool) -> dict[str, str]:
    """Return MySQL's and MariaDB's tokens; what stands in ``/*! */`` is read as the statement that it is."""
    string = BACKSLASH if backslash else PLAIN
    double = DOUBLE if ansi else string.replace("'", '"')
    quoted = string if ansi else f"{string}|{double}"
    numbers = rf"0x[0-9A-Fa-f]++|0b[01]++|(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++){EXPONENT}"
    return {
        "word": rf"(?![0-9]){LETTER}{LETTER}*+|[0-9]++(?![eE][0-9+-]|[xb][0-9A-Fa-f]){LETTER}++|\\N",
        "op": r"[(),;+^~{}%](?<!%(?=s(?![A-Za-z0-9_])|\([^)]{0,200}+\)s))|\.(?![0-9])|->>?+|-(?!-(?:[\s\x00-\x1f]|\Z))"
        r"|:?+=|<=?+>?+|<<|>[>=]?+|!=?+|\|\|?+|&&?+|/(?!\*)|/\*M?+![0-9]*+|\*/?+",
        "number": rf"(?>{numbers})(?!{LETTER})",
        "string": quoted,
        "name": f"{BACKTICK}|@@?+(?:[A-Za-z0-9_.$]++|{BACKTICK}|{quoted})" + (f"|{double}" if ansi else ""),
        "param": rf"\?|{PYFORMAT}|:[A-Za-z_]{LETTER}*+",
        "comment": rf"#[^\n]*+|--(?=[\s\x00-\x1f]|\Z)[^\n]*+|{BLOCK}",
        "bad": rf"['\"`].*+|/\*.*+|[0-9]++{LETTER}*+|[^ \t\n\r\f\v]",
    }


def _nested(sql: str, dialect: str) -> list[Token]:
    """Return the tokens of a statement in which comments stand within comments, which PostgreSQL allows."""
    expression = pattern(dialect)
    tokens: list[Token] = []
    at = 0
    while (match := expression.match(sql, at)) and match.lastgroup != "end":
        kind, at = str(match.lastgroup), match.end()
        if kind == "nest":
            end = _close(sql, at - len("/*"))
            kind, at = ("comment", end) if end else ("bad", len(sql))
        tokens.append((kind, at))
    return tokens


def _close(sql: str, opened: int) -> int:
    """Return the offset after the comment that starts here, 0 where nothing closes it."""
    depth = 0
    for match in NEST.finditer(sql, opened):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    return 0
