"""Measure the route model against the routes that booted apps really have.

Run ``python benchmarks/routes.py APPS TRUTH [NAME ...]``: ``APPS`` holds checkouts, ``TRUTH`` one JSON list for each of rule,
methods, endpoint, file and line. URL, methods, file and line must all agree.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path

from stopper.source.files import walk
from stopper.source.project import Project


def expected(path: Path) -> Counter[tuple[str, str, str, int]]:
    """Return the routes of a truth file whose view is the project's own."""
    rows = [row for row in json.loads(path.read_text()) if row["file"]]
    return Counter(
        {(row["rule"], ",".join(sorted(row["methods"])), row["file"], row["line"]): 1 for row in rows}
    )


def found(folder: Path) -> Counter[tuple[str, str, str, int]]:
    """Return the routes that the source tells."""
    routes = Project(walk(folder)).routes.routes
    rows = [(r.rule, ",".join(sorted(r.methods)), r.location.path, r.location.line) for r in routes if r.view]
    return Counter(dict.fromkeys(rows, 1))


def main(apps: Path, truth: Path, names: list[str]) -> None:
    """Print one line an app, then what was missed and what is extra."""
    for path in sorted(truth.glob("*.json")):
        if names and path.stem not in names:
            continue
        start = time.perf_counter()
        want, have = expected(path), found(apps / path.stem)
        took = time.perf_counter() - start
        hit = sum((want & have).values())
        total = sum(want.values())
        print(
            f"{path.stem:16} {100 * hit / max(total, 1):6.1f} %  {hit}/{total}  extra {sum((have - want).values())}  {took:.1f} s"
        )
        for sign, rows in (("-", want - have), ("+", have - want)):
            for rule, methods, file, line in sorted(rows)[: None if names else 4]:
                print(f"    {sign} {rule} [{methods}] {file}:{line}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
