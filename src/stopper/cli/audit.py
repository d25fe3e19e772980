"""`stopper audit`: words in, a report and an exit code out."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from stopper.errors import UsageError
from stopper.finding import Area, Confidence, Severity
from stopper.memory import uninterrupted

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from stopper.audit import Progress
    from stopper.config import Config
    from stopper.report import Report
    from stopper.vantages import Looks

FORMATS = ("text", "json", "sarif", "github")
ENDINGS = {".txt": "text", ".json": "json", ".sarif": "sarif", ".github": "github"}
"""The format that the ending of an ``-o`` file picks."""
EXIT_FOUND, EXIT_UNSEEN = 1, 3


@click.command("audit", short_help="Look at the source of a Flask project and say what is open.")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", help="What to print.", show_default=True
)
@click.option(
    "-o",
    "--output",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a report to this file too; its ending picks the format. May be repeated.",
)
@click.option(
    "--area",
    "areas",
    multiple=True,
    type=click.Choice([one.value for one in Area]),
    help="Only this area. May be repeated.",
)
@click.option("--rule", "rules", multiple=True, help="Only this rule. May be repeated.")
@click.option("--skip", multiple=True, help="All but this rule. May be repeated.")
@click.option(
    "--min-confidence",
    type=click.Choice([one.value for one in Confidence]),
    help="Leave out findings that are less sure.",
)
@click.option(
    "--fail-on",
    type=click.Choice([one.value for one in Severity]),
    help="End with 1 from this severity on (default: low).",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Leave out the findings that this file knows.",
)
@click.option(
    "--write-baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the findings of this run as a baseline.",
)
@click.option(
    "--advisories",
    type=click.Path(path_type=Path, exists=True),
    help="A folder or zip of advisories in OSV format.",
)
@click.option(
    "--online/--offline",
    default=None,
    help="Whether package indexes may be asked for advisories and releases.",
)
@click.option("--app", help="Boot this app too, named as for flask --app: MODULE:FACTORY. Its code runs.")
@click.option(
    "--python",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The project's interpreter, to boot the app with.",
)
@click.option(
    "--boot-seconds",
    type=click.FloatRange(min=1),
    default=30.0,
    show_default=True,
    help="How long the app may take to boot and answer.",
)
@click.option("--allow-network", is_flag=True, help="Let the app open connections while it boots.")
@click.option(
    "--url", help="Ask this live site too: https://blog.example.org/. Only safe methods, one host, a budget."
)
@click.option(
    "--active",
    is_flag=True,
    help="Send what may change things too (wrong logins, a large body). Only to a site of your own.",
)
@click.option(
    "--ca",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file of further authorities to trust at --url.",
)
@click.option(
    "--http-port",
    type=click.IntRange(1, 65535),
    help="The port of plain HTTP beside --url, where it is not 80.",
)
@click.option("-v", "--verbose", is_flag=True, help="Tell findings of low confidence whole.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; the exit code and the files tell.")
@click.option("--no-cache", is_flag=True, help="Use and keep nothing in the cache folder.")
@click.option("--no-progress", is_flag=True, help="Show no progress on a terminal.")
@uninterrupted  # from here on, for what is imported later lives to the end too
def command(
    path: Path,
    form: str,
    output: tuple[Path, ...],
    write_baseline: Path | None,
    verbose: bool,
    quiet: bool,
    no_progress: bool,
    no_cache: bool,
    **given: Any,
) -> None:
    """Look at the source of the Flask project at PATH and say what is open, area by area.

    Ends with 0 when nothing is found at or above --fail-on, 1 when something is, 2 on wrong use, 3 when something that had to be
    looked at could not be.
    """
    from stopper.cache import NO_CACHE, Cache, audited, listed, user_folder

    looks = _looks(path, given)
    config = _config(path, given)
    if write_baseline is not None:
        config = replace(config, baseline=None)  # what is written must hold the known findings too
    targets = [(file, _format_of(file)) for file in output]
    with _Progress(show=not (no_progress or quiet) and sys.stderr.isatty()) as progress:
        tree = listed(path, config)
        kept = NO_CACHE if no_cache else Cache(user_folder())

        def run() -> tuple[Report, tuple[str, ...]]:
            from stopper.audit import audit_tree

            if looks is not None:
                return audit_tree(tree, path, config, progress.step, looks, cache=kept)
            return audit_tree(tree, path, config, progress.step, cache=kept)

        report = run()[0] if looks else audited(tree, path, config, kept, run)
    gc.freeze()  # the command ends soon: what the run left need not be looked through for what could be freed
    for file, kind in targets:
        _write(file, render(report, kind, verbose=verbose))
    if write_baseline is not None:
        from stopper.baseline import Baseline

        _write(write_baseline, Baseline.of(report.findings).dump())
    if not quiet:
        terminal = sys.stdout.isatty()
        colour = (terminal and "NO_COLOR" not in os.environ) or bool(os.environ.get("FORCE_COLOR"))
        _print(render(report, form, verbose=verbose, terminal=terminal, colour=colour))
    sys.exit(_exit_code(report, config))


def render(
    report: Report, form: str, *, verbose: bool = False, terminal: bool = False, colour: bool = False
) -> str:
    """Return the report in one of the formats; only the text has a width and colours."""
    import importlib

    module = importlib.import_module(f"stopper.reports.{form}")
    if form != "text":
        text: str = module.render(report)
        return text
    import shutil

    asked = os.environ.get("COLUMNS", "")
    piped = int(asked) if asked.isdecimal() and int(asked) else 100
    width = shutil.get_terminal_size((100, 24)).columns if terminal else piped
    rendered: str = module.render(report, width=width, colour=colour, verbose=verbose)
    return rendered


def _looks(path: Path, given: dict[str, Any]) -> Looks | None:
    """Return what to look at beside the source, None for nothing, and take those words out of ``given``."""
    app, python, seconds, network = (
        given.pop(name) for name in ("app", "python", "boot_seconds", "allow_network")
    )
    url, active, ca, port = (given.pop(name) for name in ("url", "active", "ca", "http_port"))
    if active and not url:
        raise UsageError("--active says how to ask a live site; name it: --url https://blog.example.org/")
    if not app and not url:
        return None
    from stopper.app.boot import Boot
    from stopper.vantages import Looks
    from stopper.wire.survey import Plan

    boot = Boot(app, _folder(path), python and python.absolute(), seconds, network) if app else None
    return Looks(boot, Plan(url, port, ca, active=active) if url else None)


def _folder(path: Path) -> Path:
    """Return the folder that an app is booted in."""
    return path.parent if path.is_file() else path


def _config(path: Path, given: dict[str, Any]) -> Config:
    from stopper.config import load, nearest

    values = dict(given)
    if values.get("min_confidence"):
        values["min_confidence"] = Confidence(str(values["min_confidence"]))
    if values.get("fail_on"):
        values["fail_on"] = Severity(str(values["fail_on"]))
    areas = values.pop("areas")
    assert isinstance(areas, tuple)
    config = load(path).override(areas=tuple(Area(one) for one in areas), **values)
    named: Iterable[str] = (*config.rules, *config.skip)
    if not named:
        return config
    from stopper.rule import modules

    known = modules()
    for slug in named:
        if slug not in known:
            raise UsageError(f"there is no rule {slug!r}{nearest(slug, known)}")
    return config


def _format_of(file: Path) -> str:
    kind = ENDINGS.get(file.suffix.lower())
    if kind is None:
        raise UsageError(f"-o {file}: the ending picks the format; use one of {', '.join(ENDINGS)}")
    if not file.parent.is_dir():
        raise UsageError(f"-o {file}: cannot be written; name a file in a folder that exists")
    return kind


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be written: {error.strerror}; name a file in a folder that exists"
        ) from error


def _print(text: str) -> None:
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _exit_code(report: Report, config: Config) -> int:
    if report.at_least(config.fail_on):
        return EXIT_FOUND
    failed = any(one.what.startswith(("rule ", "app ", "site ")) for one in report.skipped)
    return EXIT_UNSEEN if failed else 0


class _Progress:
    """A bar on the terminal that says what is being looked at; nothing in a pipe."""

    def __init__(self, *, show: bool) -> None:
        self.show = show
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    @property
    def step(self) -> Progress | None:
        """Return what the audit calls before each step."""
        return self._tell if self.show else None

    def _tell(self, what: str, done: int, total: int) -> None:
        if self._bar is None:
            self._bar = _bar()
        self._bar.update(self._bar.task_ids[0], description=what, completed=done, total=total)
        self._bar.refresh()


def _bar() -> Bar:
    """Return a bar that is drawn at each step: a thread that drew it in between would forbid the second process."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Rich

    columns = (
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    console = Console(stderr=True, no_color=True if "NO_COLOR" in os.environ else None)
    bar = Rich(*columns, console=console, auto_refresh=False, transient=True)
    bar.add_task("", total=None)
    bar.start()
    return bar
