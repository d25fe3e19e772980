"""Compare what Stopper reports on applications in use with what a reader judged of it.

    python benchmarks/applications.py TREE... [--write]

applications.toml holds the verdicts, by application and fingerprint: `right` (a maintainer should act on it or accept it knowingly),
`arguable` (true, and of little value where it stands) and `false` (what is claimed is not so), with the reason. It is one reader's
judgement by hand, of all findings of high and medium confidence and of a random part of those of low confidence, by reading the code at
the finding and along its flow; the same reader mended rules where they were wrong, so the figures are no forecast for an application that
nobody has looked at. A TREE is a checkout, its folder named as the application. Each is audited, the cache aside; findings that nobody has
judged are counted as new, verdicts of which the finding is no longer there as gone. `--write` writes benchmarks/applications.md.
"""

from __future__ import annotations

import argparse
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pages import write_page

from stopper.audit import audit
from stopper.finding import Confidence, Finding

VERDICTS = Path(__file__).with_suffix(".toml")
WORDS = ("right", "arguable", "false")
SURE = (Confidence.HIGH, Confidence.MEDIUM)


@dataclass(frozen=True)
class Judged:
    """A finding, and what was said of it."""

    app: str
    finding: Finding
    verdict: str
    """One of WORDS; "" where nobody has judged it."""
    why: str


@dataclass(frozen=True)
class Application:
    """One application: what of its findings is judged, and how many verdicts have lost their finding."""

    name: str
    commit: str
    """The commit that was judged."""
    there: str
    """The commit that is looked at; "" where git does not know."""
    findings: tuple[Judged, ...]
    gone: int


def main() -> None:
    """Print the tables, and write the page where it is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("trees", nargs="+", type=Path, help="checkouts, each folder named as the application")
    parser.add_argument("--write", action="store_true", help="write benchmarks/applications.md")
    options = parser.parse_args()
    told = tomllib.loads(VERDICTS.read_text("utf-8"))
    every = [look(tree.resolve(), told["app"][tree.resolve().name]) for tree in options.trees]
    text = "\n\n".join(
        "\n".join(part)
        for part in (totals(every), [first(told["first"])], rules(every), doubts(every, told["day"]))
    )
    print(text)
    if options.write:
        write_page(__file__, "Findings in applications, judged by reading", __doc__, text)


def look(tree: Path, told: dict[str, object]) -> Application:
    """Audit one application and put the verdicts to its findings."""
    groups = told["judged"]
    assert isinstance(groups, list)
    verdicts = {mark: (one["verdict"], one.get("why", "")) for one in groups for mark in one["findings"]}
    findings = audit(tree).findings
    judged = tuple(Judged(tree.name, one, *verdicts.get(one.fingerprint, ("", ""))) for one in findings)
    gone = len(verdicts.keys() - {one.fingerprint for one in findings})
    head = subprocess.run(
        ["git", "-C", str(tree), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return Application(tree.name, str(told["commit"]), head.stdout.strip(), judged, gone)


def totals(every: list[Application]) -> Iterator[str]:
    """Yield the table of the applications: for each confidence right, arguable and false."""
    yield "| application | commit | high: right / arguable / false | medium | low, of those looked at | new | gone |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for app in every:
        moved = "" if app.there in ("", app.commit) else f" (looked at: {app.there[:10]})"
        counts = " | ".join(_cells(app.findings))
        yield f"| {app.name} | {app.commit[:10]}{moved} | {counts} | {_new(app.findings)} | {app.gone} |"
    together = [one for app in every for one in app.findings]
    cells, gone = " | ".join(_cells(together)), sum(app.gone for app in every)
    yield f"| **together** | | {cells} | {_new(together)} | {gone} |"
    for confidence in SURE:
        sure = [one for one in together if one.finding.confidence is confidence and one.verdict]
        right = sum(one.verdict == "right" for one in sure)
        wrong = sum(one.verdict == "false" for one in sure)
        if sure:
            share = f"{right / len(sure):.0%} are right and {wrong / len(sure):.0%} false"
            yield f"\nOf {len(sure)} judged findings of {confidence} confidence {share}."


def first(told: dict[str, list[int]]) -> str:
    """Say what the first reading gave, before anything was mended for what was found wrong."""
    counts = "; ".join(f"{sure} {' / '.join(map(str, three))}" for sure, three in told.items())
    return f"When they were first read, before anything was mended for them: {counts}."


def rules(every: list[Application]) -> Iterator[str]:
    """Yield the table of the rules whose judged findings of high and medium confidence are not all right."""
    yield "| rule, high and medium confidence | right | arguable | false |"
    yield "|---|---:|---:|---:|"
    sure = [one for app in every for one in app.findings if one.finding.confidence in SURE and one.verdict]
    for rule in sorted({one.finding.rule for one in sure if one.verdict != "right"}):
        found = Counter(one.verdict for one in sure if one.finding.rule == rule)
        yield f"| {rule} | {' | '.join(str(found[word]) for word in WORDS)} |"


def doubts(every: list[Application], day: str) -> Iterator[str]:
    """Yield what was judged false or arguable and is still reported, with the reason."""
    yield f"What was not judged right on {day} and is still reported, the false ones first:\n"
    yield "| verdict | application | rule | confidence | where | why |"
    yield "|---|---|---|---|---|---|"
    for word in reversed(WORDS[1:]):
        for app in every:
            groups: dict[tuple[str, str, str], list[str]] = {}
            for one in app.findings:
                if one.verdict == word:
                    key = (one.finding.rule, str(one.finding.confidence), one.why)
                    place = one.finding.location
                    groups.setdefault(key, []).append(f"{place.path}:{place.line}")
            for (rule, sure, why), places in groups.items():
                where = places[0] if len(places) == 1 else f"{places[0]} and {len(places) - 1} more"
                yield f"| {word} | {app.name} | {rule} | {sure} | {where} | {why} |"


def _cells(findings: Iterable[Judged]) -> list[str]:
    """Return right, arguable and false for each confidence."""
    found = Counter((one.finding.confidence, one.verdict) for one in findings)
    return [" / ".join(str(found[sure, word]) for word in WORDS) for sure in (*SURE, Confidence.LOW)]


def _new(findings: Iterable[Judged]) -> int:
    """Return how many findings of high and medium confidence nobody has judged."""
    return sum(not one.verdict and one.finding.confidence in SURE for one in findings)


if __name__ == "__main__":
    main()
