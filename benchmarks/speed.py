"""Time Stopper, Bandit and Semgrep on the same trees in one run: wall clock, and memory too.

    python benchmarks/speed.py [TREE ...] [--bandit PATH] [--semgrep PATH --semgrep-rules DIR] [--readme]

Each tool runs as a user would start it, in a process of its own, without a cache from an earlier run and
without asking the network. The tools take turns, so that a busy machine is busy for all of them; the median
is shown. A peer that is not installed is left out and said so. `--readme` publishes the table.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOG = ROOT / "examples" / "blog"
FINDINGS_OR_NONE = {0, 1}


@dataclass(frozen=True)
class Tool:
    """A command that looks at a tree."""

    name: str
    command: tuple[str, ...]
    """What is run, without the tree."""


@dataclass(frozen=True)
class Run:
    """What one run of one tool cost."""

    seconds: float
    mebibytes: float
    """The largest of the processes that the tool started."""


def main() -> None:
    """Measure every tool on every tree and print one table."""
    options = read_arguments()
    tools = [tool for tool in choose(options) if tool is not None]
    table = [f"| tree | lines | {' | '.join(f'{tool.name} | memory' for tool in tools)} |"]
    table.append("|---|---:|" + "---:|" * 2 * len(tools))
    for tree in options.trees:
        runs = measure(tools, tree, options.runs)
        cells = [cell for tool in tools for cell in show(runs[tool.name])]
        table.append(f"| {tree.name} | {count_lines(tree):,} | {' | '.join(cells)} |")
        print(table[-1], file=sys.stderr)
    note = f"Median of {options.runs} runs on {os.cpu_count()} cores, Python {platform.python_version()}; "
    text = "\n".join([*table, "", note + "; ".join(version(tool) for tool in tools) + ".", ""])
    print(text)
    if options.readme:
        publish(text)


def read_arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "trees", nargs="*", type=Path, default=[BLOG], help="folders to audit (the example blog)"
    )
    parser.add_argument("--stopper", help="the command (beside this Python, or on PATH)")
    parser.add_argument("--bandit", help="the command (on PATH)")
    parser.add_argument("--semgrep", help="the command (on PATH)")
    parser.add_argument("--semgrep-rules", type=Path, help="a folder with the Python rules of semgrep-rules")
    parser.add_argument("--runs", type=int, default=3, help="of each tool on each tree (3)")
    parser.add_argument("--readme", action="store_true", help="put the table into speed.md and the README")
    return parser.parse_args()


def choose(options: argparse.Namespace) -> list[Tool | None]:
    """Return the tools to run, None for those that are not there."""
    here = Path(sys.executable).parent
    stopper = options.stopper or shutil.which(
        "stopper", path=f"{here}{os.pathsep}{os.environ.get('PATH', '')}"
    )
    if stopper is None:
        sys.exit("stopper is not installed; run `make bench`")
    bandit = options.bandit or shutil.which("bandit")
    semgrep = options.semgrep or shutil.which("semgrep")
    return [
        Tool("Stopper", (stopper, "audit", "--format", "json")),
        tool("Bandit", bandit, "-q", "-f", "json", "-r"),
        tool("Semgrep", semgrep if options.semgrep_rules else None, *semgrep_options(options.semgrep_rules)),
    ]


def semgrep_options(rules: Path | None) -> tuple[str, ...]:
    """Return the words of a Semgrep scan that stays on this machine."""
    return ("scan", "--quiet", "--json", "--metrics=off", "--disable-version-check", f"--config={rules}")


def tool(name: str, command: str | None, *words: str) -> Tool | None:
    """Return the tool, or None with a word about it when its command is not known."""
    if command is None:
        print(f"{name} is not measured: give --{name.lower()} (and its rules)", file=sys.stderr)
        return None
    return Tool(name, (command, *words))


def measure(tools: list[Tool], tree: Path, times: int) -> dict[str, list[Run]]:
    """Run each tool on a tree so many times, taking turns."""
    runs: dict[str, list[Run]] = {one.name: [] for one in tools}
    for _ in range(times):
        for one in tools:
            runs[one.name].append(run(one, tree))
    return runs


def run(one: Tool, tree: Path) -> Run:
    """Run a tool once and return what it cost; end when it failed."""
    started = time.perf_counter()
    command = [*one.command, str(tree)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=tree.parent)
    assert process.stderr is not None
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in FINDINGS_OR_NONE:
        sys.exit(
            f"{' '.join(command)} ended with {process.returncode}:\n{complaint.decode(errors='replace')}"
        )
    return Run(seconds, usage.ru_maxrss / 1024)


def show(runs: list[Run]) -> tuple[str, str]:
    """Return the medians as two cells."""
    seconds = statistics.median(one.seconds for one in runs)
    mebibytes = statistics.median(one.mebibytes for one in runs)
    return f"{seconds:.1f} s", f"{mebibytes:.0f} MiB"


def publish(text: str) -> None:
    """Write the table to speed.md and between the marks in the README."""
    (ROOT / "benchmarks" / "speed.md").write_text(text, encoding="utf-8")
    readme = ROOT / "README.md"
    head, start, rest = readme.read_text(encoding="utf-8").partition("<!-- speed -->\n")
    _, end, tail = rest.partition("<!-- /speed -->")
    readme.write_text(f"{head}{start}\n{text}\n{end}{tail}", encoding="utf-8")


def count_lines(tree: Path) -> int:
    """Return the number of lines of Python under a tree."""
    return sum(path.read_bytes().count(b"\n") for path in tree.rglob("*.py") if path.is_file())


def version(one: Tool) -> str:
    """Return a tool's name with its version."""
    answer = subprocess.run([one.command[0], "--version"], capture_output=True, text=True, check=True)
    return f"{one.name} {answer.stdout.split()[-1] if one.name != 'Bandit' else answer.stdout.split()[1]}"


if __name__ == "__main__":
    main()
