"""Time the guard's SQL tokeniser beside sqlglot's and sqlparse's, taking turns in one process.

    python benchmarks/sql_tokens.py [--runs N] [--write]

Processor time of this process, the least of all rounds, in microseconds a statement. A peer that is not installed is left
out and said so. Exit code 1 where the tokeniser takes more than 15 microseconds and more than an eighth of sqlglot's.
`--write` writes benchmarks/sql_tokens.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable

from pages import circumstances, write_page

from stopper.guard.tokens import tokenize

STATEMENT = (
    "SELECT post.id, post.title, user.username FROM post JOIN user ON user.id = post.author_id "
    "WHERE post.title LIKE '%flask%' AND user.id = 12 ORDER BY post.created DESC LIMIT 5"
)
"""A statement as a search page sends it."""

BUDGET = 15.0
"""What the guard may take for it, in microseconds."""

PEERS = frozenset(("sqlglot", "sqlparse"))

TIMES = 200


def main() -> int:
    """Measure every tokeniser in turn and print one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=30, help="rounds (30)")
    parser.add_argument("--write", action="store_true", help="write benchmarks/sql_tokens.md")
    options = parser.parse_args()
    readers = {**ours(), **peers()}
    best = dict.fromkeys(readers, float("inf"))
    for _ in range(options.runs):
        for name, read in readers.items():
            best[name] = min(best[name], spent(read))
    lines = [f"| tokeniser | µs for {len(STATEMENT)} characters |", "|---|---:|"]
    lines += [f"| {name} | {seconds * 1e6:.1f} |" for name, seconds in best.items()]
    known = [name for name in sorted(PEERS) if name in best]
    lines += ["", f"Processor time, least of {options.runs} rounds of {TIMES}. {circumstances(*known)}"]
    print("\n".join(lines))
    if options.write:
        write_page(__file__, "The guard's SQL tokeniser beside others", __doc__, "\n".join(lines))
    worst = max(seconds for name, seconds in best.items() if name.startswith("stopper"))
    peer = best.get("sqlglot", 0.0)
    return 0 if worst * 1e6 <= BUDGET or worst <= peer / 8 else 1


def ours() -> dict[str, Callable[[], object]]:
    """Return the guard's tokeniser in each dialect."""
    return {
        "stopper sqlite": lambda: tokenize(STATEMENT, "sqlite"),
        "stopper postgresql": lambda: tokenize(STATEMENT, "postgresql"),
        "stopper mysql": lambda: tokenize(STATEMENT, "mysql"),
    }


def peers() -> dict[str, Callable[[], object]]:
    """Return the tokenisers of other libraries, as far as they are installed."""
    found: dict[str, Callable[[], object]] = {}
    if importlib.util.find_spec("sqlglot"):
        import sqlglot

        found["sqlglot"] = lambda: sqlglot.tokenize(STATEMENT, read="sqlite")
    if importlib.util.find_spec("sqlparse"):
        from sqlparse import lexer

        found["sqlparse"] = lambda: list(lexer.tokenize(STATEMENT))
    for name in PEERS - found.keys():
        print(f"{name} is not installed and left out", file=sys.stderr)
    return found


def spent(read: Callable[[], object]) -> float:
    """Return the processor time of one reading, in seconds."""
    begun = time.process_time()
    for _ in range(TIMES):
        read()
    return (time.process_time() - begun) / TIMES


if __name__ == "__main__":
    raise SystemExit(main())
