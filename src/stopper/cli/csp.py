"""`flask stopper csp`: the narrowest content security policy for an app."""

from __future__ import annotations

import logging
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from stopper.errors import UsageError
from stopper.guard.csp import Csp
from stopper.guard.gate import Gate
from stopper.guard.propose import Proposal, propose, stored
from stopper.policy import STRICT_CSP


@click.command("csp")
@click.option(
    "--reports",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of violations; STOPPER_CSP_STORE unless it is named.",
)
@with_appcontext
def command(reports: Path | None) -> None:
    """Propose a content security policy from what browsers reported and from the templates.

    It needs the app: `flask --app blog stopper csp`. What a policy cannot mend is said as well.
    """
    logging.getLogger("stopper").setLevel(logging.CRITICAL)
    gate = current_app.extensions.get("stopper")
    guard = gate.state.guards.get("csp") if isinstance(gate, Gate) else None
    if not isinstance(guard, Csp):
        raise UsageError("this app sends no policy of the guard: write Stopper(app)")
    store = reports or (Path(guard.settings.csp_store) if guard.settings.csp_store else None)
    violations = list(stored(store)) if store is not None and store.is_file() else []
    for line in said(propose(current_app.jinja_env, violations), len(violations)):
        click.echo(line)


def said(made: Proposal, reports: int) -> list[str]:
    """Return a proposal as lines: settings to copy, with what to change before them as remarks."""
    lines = [f"# from the templates and {reports} reported violations"]
    lines += [f"# {remark}" for remark in sorted(made.remarks)]
    added = {name: sorted(sources) for name, sources in sorted(made.sources.items())}
    if not added:
        lines.append("# the strict policy is enough: no STOPPER_CSP_POLICY is needed")
    else:
        lines.append("STOPPER_CSP_POLICY = {")
        for name, sources in added.items():
            usual = [source for source in STRICT_CSP.get(name, ()) if source != "'none'"]
            lines.append(f'    "{name}": {[*usual, *(one for one in sources if one not in usual)]!r},')
        lines.append("}")
    if made.closed:
        lines.append("# nothing in the templates needs these; try them first")
        lines.append(f"STOPPER_CSP_REPORT_ONLY = {dict.fromkeys(made.closed, chr(39) + 'none' + chr(39))!r}")
    return lines
