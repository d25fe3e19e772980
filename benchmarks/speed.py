"""Time Stopper, Bandit and Semgrep on the same trees in one run: wall clock, processor time and memory.

    python benchmarks/speed.py [TREE ...] [--bandit PATH] [--semgrep PATH --semgrep-rules DIR] [--runs 3] [--readme]

Stopper runs three ways: *cold* with an empty cache, *warm* with nothing changed since, and with *one changed file*. Each tool
runs as a user would start it, in a process of its own, on a copy of the tree with its git history, without asking the network.
The tools take turns, so that a busy machine is busy for all of them; the median is shown. Memory is that of all processes of a
tool together (shared pages counted once), taken in a run that is not timed; Semgrep, which takes minutes, is spared it. Last, ten
times the files in one tree show whether time grows with the lines. A peer that is not installed is left out and said so.
`--readme` publishes the table.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pages import publish

ROOT = Path(__file__).parents[1]
BLOG = ROOT / "examples" / "blog"
FINDINGS_OR_NONE = {0, 1}
COLD, WARM, CHANGED = "Stopper cold", "warm", "one changed file"
FEW, MANY = 5, 50


@dataclass(frozen=True)
class Tool:
    """A command that looks at a tree, and what is done before it is timed."""

    name: str
    command: tuple[str, ...]
    """What is run, without the tree."""
    prepare: Callable[[Path, Path], None] = lambda _tree, _cache: None
    """Is given the tree and the cache folder."""
    weighed: bool = True
    """Whether its memory is shown."""


@dataclass(frozen=True)
class Run:
    """What one run of one tool cost."""

    seconds: float
    processor: float
    """Seconds of processor time, of all processes that it started together."""


@dataclass
class Row:
    """What all tools cost on one tree."""

    tree: str
    lines: int
    runs: dict[str, list[Run]] = field(default_factory=dict)
    mebibytes: dict[str, float] = field(default_factory=dict)

    def wall(self, name: str) -> float:
        """Return the median of a tool's seconds."""
        return statistics.median(run.seconds for run in self.runs[name])

    def processor(self, name: str) -> float:
        """Return the median of a tool's seconds of processor time."""
        return statistics.median(run.processor for run in self.runs[name])


def main() -> None:
    """Measure every tool on every tree and print one table."""
    options = read_arguments()
    tools = choose(options)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for tree in options.trees:
            rows.append(measure(tools, tree.resolve(), options.runs, Path(name)))
            print(cells(rows[-1], tools), file=sys.stderr)
        growth = grown(tools[0], options.runs, Path(name))
    text = "\n".join([*table(rows, tools), "", *notes(rows, tools, options.runs, growth), ""])
    print(text)
    if options.readme:
        publish(__file__, text)


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


def choose(options: argparse.Namespace) -> list[Tool]:
    """Return the tools to run; those that are not there are left out with a word about it."""
    here = Path(sys.executable).parent
    stopper = options.stopper or shutil.which(
        "stopper", path=f"{here}{os.pathsep}{os.environ.get('PATH', '')}"
    )
    if stopper is None:
        sys.exit("stopper is not installed; run `make bench`")
    audit = (stopper, "audit", "--offline", "--format", "json")
    bandit = options.bandit or shutil.which("bandit")
    semgrep = options.semgrep or shutil.which("semgrep")
    found = [
        Tool(COLD, audit, empty),
        Tool(WARM, audit, weighed=False),
        Tool(CHANGED, audit, change, weighed=False),
        tool("Bandit", bandit, "-q", "-f", "json", "-r"),
        tool(
            "Semgrep",
            semgrep if options.semgrep_rules else None,
            *semgrep_options(options.semgrep_rules),
            weighed=False,
        ),
    ]
    return [one for one in found if one is not None]


def semgrep_options(rules: Path | None) -> tuple[str, ...]:
    """Return the words of a Semgrep scan that stays on this machine."""
    return ("scan", "--quiet", "--json", "--metrics=off", "--disable-version-check", f"--config={rules}")


def tool(name: str, command: str | None, *words: str, weighed: bool = True) -> Tool | None:
    """Return the tool, or None with a word about it when its command is not known."""
    if command is None:
        print(f"{name} is not measured: give --{name.lower()} (and its rules)", file=sys.stderr)
        return None
    return Tool(name, (command, *words), weighed=weighed)


def empty(tree: Path, cache: Path) -> None:
    """Take away what earlier runs found out."""
    del tree
    shutil.rmtree(cache, ignore_errors=True)


def change(tree: Path, cache: Path) -> None:
    """Add a line to the body of the last function of the application's largest Python file, tests left aside."""
    del cache
    files = [path for path in tree.rglob("*.py") if path.is_file() and not path.is_symlink()]
    files = [path for path in files if "test" not in str(path.relative_to(tree))] or files
    largest = max(files, key=lambda path: (path.stat().st_size, str(path)))
    text = largest.read_text(encoding="utf-8")
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    lines = text.splitlines(keepends=True)
    last = max((node.body[-1] for node in functions), key=lambda body: body.lineno, default=None)
    at, indent = (last.lineno - 1, last.col_offset) if last is not None else (len(lines), 0)
    lines.insert(at, f"{' ' * indent}changed_at = {time.time_ns()}\n")
    largest.write_text("".join(lines), encoding="utf-8")


def measure(tools: list[Tool], tree: Path, times: int, work: Path) -> Row:
    """Run each tool on a copy of a tree so many times, taking turns."""
    copy, cache = work / tree.name, work / "cache"
    shutil.copytree(tree, copy, symlinks=True)
    row = Row(tree.name, count_lines(tree), {one.name: [] for one in tools})
    for _ in range(times):
        for one in tools:
            one.prepare(copy, cache)
            row.runs[one.name].append(run(one, copy, cache))
    for one in tools:
        if one.weighed:
            one.prepare(copy, cache)
            row.mebibytes[one.name] = weigh(one, copy, cache)
    shutil.rmtree(copy)
    return row


def _environment(cache: Path) -> dict[str, str]:
    """Return the user's environment with a cache folder of its own, and with compiled modules kept, as after any installation."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "STOPPER_CACHE_DIR": str(cache)}


def start(one: Tool, tree: Path, cache: Path) -> subprocess.Popen[bytes]:
    """Start a tool on a tree."""
    return subprocess.Popen(
        [*one.command, str(tree)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=tree.parent,
        env=_environment(cache),
    )


def run(one: Tool, tree: Path, cache: Path) -> Run:
    """Run a tool once and return what it cost; end when it failed."""
    started = time.perf_counter()
    process = start(one, tree, cache)
    assert process.stderr is not None
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode not in FINDINGS_OR_NONE:
        sys.exit(
            f"{one.name} on {tree} ended with {process.returncode}:\n{complaint.decode(errors='replace')}"
        )
    return Run(seconds, usage.ru_utime + usage.ru_stime)


def weigh(one: Tool, tree: Path, cache: Path) -> float:
    """Return the most memory in MiB that all processes of a tool held together, looked at twenty times a second."""
    process = start(one, tree, cache)
    most = 0
    while process.poll() is None:
        most = max(most, sum(map(kibibytes, family(process.pid))))
        time.sleep(0.05)
    assert process.stderr is not None
    process.stderr.close()
    return most / 1024


def family(process: int) -> list[int]:
    """Return a process and those that it started, as Linux tells them."""
    found = [process]
    for one in found:
        with contextlib.suppress(OSError):
            found += map(int, Path(f"/proc/{one}/task/{one}/children").read_text("ascii").split())
    return found


def kibibytes(process: int) -> int:
    """Return the memory of a process, its share of shared pages included."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def grown(stopper: Tool, times: int, work: Path) -> float:
    """Return how many times as long a tree takes that holds another ten times, by processor time beyond an empty project's."""
    costs = []
    for copies in (0, FEW, MANY):
        tree = work / f"grown-{copies}"
        tree.mkdir()
        (tree / "empty.py").write_text("import flask\n", encoding="utf-8")
        for number in range(copies):
            shutil.copytree(BLOG, tree / f"blog_{number}")
        runs = []
        for _ in range(times):
            stopper.prepare(tree, work / "cache")
            runs.append(run(stopper, tree, work / "cache").processor)
        costs.append(statistics.median(runs))
    nothing, few, many = costs
    return (many - nothing) / (few - nothing)


def table(rows: list[Row], tools: list[Tool]) -> list[str]:
    """Return the lines of the table; with several trees the last row is their sum."""
    heads = [f"{one.name} | memory" if one.weighed else one.name for one in tools]
    columns = sum(2 if one.weighed else 1 for one in tools)
    lines = [f"| tree | lines | {' | '.join(heads)} |", "|---|---:|" + "---:|" * columns]
    lines += [cells(row, tools) for row in rows]
    return [*lines, cells(total(rows, tools), tools)] if len(rows) > 1 else lines


def cells(row: Row, tools: list[Tool]) -> str:
    """Return one row: wall clock, and in parentheses processor time."""
    found = [row.tree, f"{row.lines:,}"]
    for one in tools:
        found.append(f"{row.wall(one.name):.1f} s ({row.processor(one.name):.1f})")
        if one.weighed:
            found.append(f"{row.mebibytes[one.name]:.0f} MiB")
    return f"| {' | '.join(found)} |"


def total(rows: list[Row], tools: list[Tool]) -> Row:
    """Return all trees as one: seconds added up, the most memory of any."""
    names = [one.name for one in tools]
    return Row(
        "**together**",
        sum(row.lines for row in rows),
        {
            name: [Run(sum(row.wall(name) for row in rows), sum(row.processor(name) for row in rows))]
            for name in names
        },
        {one.name: max(row.mebibytes[one.name] for row in rows) for one in tools if one.weighed},
    )


def notes(rows: list[Row], tools: list[Tool], times: int, growth: float) -> list[str]:
    """Return what the table needs to be understood, and what it says in one sentence."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    often = "one run" if times == 1 else f"median of {times} runs"
    names = {one.command[0]: one for one in reversed(tools)}
    found = [
        (
            f"Seconds of wall clock (of processor time), {often} on {machine}; memory of all processes together; "
            f"{'; '.join(version(one) for one in reversed(names.values()))}."
        )
    ]
    every = total(rows, tools)
    if any(one.name == "Bandit" for one in tools):
        shares = [f"{name} {every.wall(name) / every.wall('Bandit'):.2f}" for name in (COLD, WARM, CHANGED)]
        found.append(f"Of Bandit's time: {', '.join(shares)}.")
    found.append(
        f"A tree of {MANY} copies of the example blog costs {growth:.1f} times what one of {FEW} does."
    )
    return found


def count_lines(tree: Path) -> int:
    """Return the number of lines of Python under a tree."""
    return sum(path.read_bytes().count(b"\n") for path in tree.rglob("*.py") if path.is_file())


def version(one: Tool) -> str:
    """Return a tool's name with its version."""
    answer = subprocess.run([one.command[0], "--version"], capture_output=True, text=True, check=True)
    name = one.name.split()[0]
    return f"{name} {answer.stdout.split()[-1] if name != 'Bandit' else answer.stdout.split()[1]}"


if __name__ == "__main__":
    main()
