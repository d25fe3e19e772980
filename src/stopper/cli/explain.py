"""Print a rule's page."""

from __future__ import annotations

import click


@click.command()
@click.argument("rule")
def explain(rule: str) -> None:
    """Print the page of RULE."""
    import inspect

    from stopper.config import nearest
    from stopper.rule import discover

    known = {one.slug: one for one in discover()}
    if rule not in known:
        raise click.UsageError(f"there is no rule {rule!r}{nearest(rule, known)}")
    found = known[rule]
    click.echo(f"{found.slug}  ({found.area}, {found.severity})\n")
    click.echo(inspect.cleandoc(inspect.getmodule(type(found)).__doc__ or ""))
