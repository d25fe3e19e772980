"""Ask the Stopper of an earlier commit about pairs that were written after it, by somebody who had not read it.

    python benchmarks/first_sight.py [--readme]

The corpus is what Stopper was tuned on, so its figures there are no forecast. tests/accuracy/first_sight.toml names pairs as they came
from their author, and the commit that was asked first, before anything was mended for them. Its source is taken out of git's history
and asked again, beside the source of today. What is found counts as in accuracy.py. `--readme` publishes the table.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

from pages import publish

ROOT = Path(__file__).parents[1]
LOOKS = ROOT / "tests" / "accuracy" / "first_sight.toml"
NOTE = (
    "Stopper was tuned on all its pairs, so the table above is no forecast. These were written by somebody who had not read it, and were "
    "asked before anything was mended for them (`benchmarks/first_sight.py`)."
)
ASK = "import first_sight; first_sight.answer()"
"""What another Python runs, with another Stopper on its path."""


def main() -> None:
    """Print, for each look, what was found at first sight and what is found now."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--readme", action="store_true", help="put the table into first_sight.md and the README"
    )
    options = parser.parse_args()
    lines = [
        "| found / false alarms | pairs | at first sight | low too | now | low too |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for look in tomllib.loads(LOOKS.read_text("utf-8"))["look"]:
        with tempfile.TemporaryDirectory() as folder:
            before = asked(source_of(look["commit"], Path(folder)), look["pairs"])
        now = asked(ROOT / "src", look["pairs"])
        cells = " | ".join(f"{found} / {alarms}" for found, alarms in (*before, *now))
        shares = " | ".join(
            f"{found / len(look['pairs']):.0%} / {alarms / len(look['pairs']):.0%}"
            for found, alarms in (*before, *now)
        )
        lines += [f"| {look['title']} | {len(look['pairs'])} | {cells} |", f"| | | {shares} |"]
    text = "\n".join([*lines, "", NOTE]) + "\n"
    print(text)
    if options.readme:
        publish(__file__, text)


def source_of(commit: str, folder: Path) -> Path:
    """Put the source of a commit below a folder and return where it is; leave with a word where git has it not."""
    done = subprocess.run(["git", "archive", commit, "src"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        sys.exit(
            f"git does not have {commit} (a shallow clone? git fetch --unshallow): {done.stderr.decode()}"
        )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder / "src"


def asked(source: Path, names: list[str]) -> list[tuple[int, int]]:
    """Return what the Stopper of a source finds in pairs, and where it is wrong: first the sure findings, then low ones too."""
    path = os.pathsep.join((str(source), str(Path(__file__).parent)))
    done = subprocess.run(
        [sys.executable, "-c", ASK], input=json.dumps(names), env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return [(found, alarms) for found, alarms in json.loads(done.stdout)]


def answer() -> None:
    """Write what this Stopper finds in the pairs that are named on standard input."""
    from peers import Peers

    from accuracy import corpus, run_corpus  # only here: with them comes a Stopper

    wanted = set(json.load(sys.stdin))
    pairs = [pair for pair in corpus.read_pairs() if pair.name in wanted]
    lost = wanted - {pair.name for pair in pairs}
    if lost:
        sys.exit(f"no such pair: {', '.join(sorted(lost))}")
    with tempfile.TemporaryDirectory() as folder:
        boards = run_corpus(Peers(None, None, None, None), Path(folder).resolve(), pairs)
    json.dump([(total.found, total.alarms) for total in (board.total() for board in boards)], sys.stdout)


if __name__ == "__main__":
    main()
