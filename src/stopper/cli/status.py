"""`flask stopper status`: what the guard does for every route of an app."""

from __future__ import annotations

import json
import logging
import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from stopper.guard.status import COLUMNS, Status, document, status

STYLES = {"covered": "green", "elsewhere": "cyan", "report": "yellow", "exempt": "yellow", "open": "red"}


@click.command("status")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to say it.")
@click.option(
    "--strict", is_flag=True, help="End with 1 where a route has a gap, or production would not be served."
)
@with_appcontext
def command(form: str, strict: bool) -> None:
    """Say which policy is in force for every route, and what covers it.

    It needs the app: `flask --app blog stopper status`. A route that something is missing for is a red line.
    """
    logging.getLogger("stopper").setLevel(logging.CRITICAL)
    found = status(current_app._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's documented way
    if form == "json":
        click.echo(json.dumps(document(found), indent=2))
    elif sys.stdout.isatty():
        show(found)
    else:
        click.echo("\n".join(plain(found)))
    if strict and (found.gaps or found.problems):
        sys.exit(1)


def summary(found: Status) -> list[str]:
    """Return the lines that are said of the whole app."""
    lines = [f"{cell.column}: {cell.text}{'' if cell.state != 'open' else '  (open)'}" for cell in found.app]
    lines.append(f"mode: {found.mode}" + (f", off: {', '.join(found.off)}" if found.off else ""))
    lines += [f"not served in production: {problem}" for problem in found.problems]
    return lines


def ending(found: Status) -> list[str]:
    """Return what is said after the routes."""
    lines = [f"{name}:{line}: no nonce reaches {attribute}" for name, line, attribute in found.unreached]
    covered = len(found.lines) - found.gaps
    return [*lines, f"{covered} of {len(found.lines)} routes are covered in every column"]


def plain(found: Status) -> list[str]:
    """Return a status for a pipe: one line a route, columns in words."""
    lines = summary(found)
    for line in found.lines:
        cells = "; ".join(f"{name}: {cell.text}" for name, cell in line.cells.items())
        gap = f"  GAP: {', '.join(line.gaps)}" if line.gaps else ""
        lines.append(
            f"{' '.join(line.methods) or '-'} {' '.join(line.rules) or '(no route)'} [{line.endpoint or '-'}] {cells}{gap}"
        )
    return [*lines, *ending(found)]


def show(found: Status) -> None:
    """Print a status on a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    for one in summary(found):
        console.print(Text(one))
    table = Table()
    for name in ("route", *COLUMNS):
        table.add_column(name, overflow="fold")
    for line in found.lines:
        title = Text(
            f"{' '.join(line.methods)} {' '.join(line.rules) or '(no route)'}",
            style="bold red" if line.gaps else "",
        )
        cells = []
        for column in COLUMNS:
            cell = line.cells.get(column)
            quiet = cell is not None and column == "auth" and cell.state == "open"
            cells.append(
                Text(
                    "" if cell is None else cell.text,
                    style="dim" if cell is None or quiet else STYLES[cell.state],
                )
            )
        table.add_row(title, *cells)
    console.print(table)
    for one in ending(found):
        console.print(Text(one))
