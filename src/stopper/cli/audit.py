"""Audit a project: words in, a report and an exit code out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stopper.errors import StopperError
from stopper.finding import Area, Confidence, Severity

if TYPE_CHECKING:
    from stopper.report import Report

FORMATS = ("text", "json", "sarif", "github")


@click.command()
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How to print the report.")
@click.option("-o", "outputs", multiple=True, type=click.Path(path_type=Path),
              help="Also write a file: .txt, .json, .sarif or .github.")
@click.option("--fail-on", type=click.Choice([str(one) for one in Severity]), help="Least severity that fails.")
@click.option("--min-confidence", type=click.Choice([str(one) for one in Confidence]), help="Report from here.")
@click.option("--area", "areas", multiple=True, type=click.Choice([str(one) for one in Area]), help="Only this.")
@click.option("--rule", "rules", multiple=True, help="Only this rule; repeatable.")
@click.option("--skip", multiple=True, help="Not this rule; repeatable.")
@click.option("--baseline", type=click.Path(path_type=Path), help="Findings that are known already.")
@click.option("--write-baseline", type=click.Path(path_type=Path), help="Write today's findings and end with 0.")
@click.option("--advisories", type=click.Path(path_type=Path), help="A folder or zip in OSV format.")
@click.option("--online/--offline", default=None, help="Whether advisory services may be asked.")
@click.option("--verbose", is_flag=True, help="Show findings of low confidence whole.")
@click.option("--quiet", is_flag=True, help="Print nothing; the exit status tells.")
def audit(path: Path, form: str, outputs: tuple[Path, ...], **words: Any) -> None:
    """Look at the source of the Flask project in PATH."""
    try:
        report, status = _run(path, words)
        if not words["quiet"]:
            click.echo(_render(report, form, verbose=words["verbose"]), nl=False)
        for file in outputs:
            ending = {"txt": "text"}.get(file.suffix[1:], file.suffix[1:])
            if ending not in FORMATS:
                raise click.UsageError(f"{file}: the ending is not one of .txt .json .sarif .github")
            file.write_text(_render(report, ending, verbose=words["verbose"]), encoding="utf-8")
    except StopperError as error:
        click.echo(f"stopper: {error}", err=True)
        raise SystemExit(error.exit_code) from error
    except BrokenPipeError:
        raise SystemExit(2) from None
    except OSError as error:
        raise click.UsageError(f"{error.filename}: cannot be written: {error.strerror}") from error
    raise SystemExit(status)


def _run(path: Path, words: dict[str, Any]) -> tuple[Report, int]:
    from stopper import audit as engine
    from stopper.baseline import Baseline
    from stopper.config import load, nearest
    from stopper.rule import discover

    known = {one.slug for one in discover()}
    for slug in (*words["rules"], *words["skip"]):
        if slug not in known:
            raise click.UsageError(f"there is no rule {slug!r}{nearest(slug, known)}")
    config = load(path).override(
        fail_on=words["fail_on"] and Severity(words["fail_on"]),
        min_confidence=words["min_confidence"] and Confidence(words["min_confidence"]),
        areas=tuple(Area(one) for one in words["areas"]), rules=words["rules"], skip=words["skip"],
        baseline=words["baseline"], advisories=words["advisories"], online=words["online"],
    )  # fmt: skip
    report = engine.audit(path, config)
    if words["write_baseline"]:
        words["write_baseline"].write_text(Baseline.of(report.findings).dump(), encoding="utf-8")
        return report, 0
    if report.at_least(config.fail_on):
        return report, 1
    return report, 3 if any(one.areas for one in report.skipped) else 0


def _render(report: Report, form: str, *, verbose: bool) -> str:
    import importlib

    extra = {"verbose": verbose} if form == "text" else {}
    return str(importlib.import_module(f"stopper.reports.{form}").render(report, **extra))
