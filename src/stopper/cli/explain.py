"""`stopper explain`: a rule's page in the terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from stopper.errors import UsageError

if TYPE_CHECKING:
    from stopper.rule import Rule

WIDTH = 88


@click.command("explain", short_help="Print a rule's page.")
@click.argument("rule", required=False)
def command(rule: str | None) -> None:
    """Print the page of RULE: what it is, why it matters, Bad and Good. Without RULE, list all rules."""
    from stopper.rule import discover

    if rule is None:
        for one in discover():
            click.echo(f"{one.slug:<32} {one.area:<13} {one.page.title}")
        return
    click.echo(page_of(_named(rule)), nl=False)


def page_of(rule: Rule) -> str:
    """Return a rule's page as text."""
    page = rule.page
    parts = [
        f"{rule.slug}\n{'=' * len(rule.slug)}",
        f"area {rule.area}, severity {rule.severity}, {', '.join(f'CWE-{number}' for number in rule.cwe)}",
        textwrap.fill(page.title, WIDTH),
        "\n\n".join(textwrap.fill(" ".join(part.split()), WIDTH) for part in page.why.split("\n\n")),
        f"How Stopper looks: {' '.join((type(rule).__doc__ or '').split())}",
    ]
    for title, examples in (("Bad", page.bad), ("Good", page.good)):
        parts += [f"{title}\n\n{textwrap.indent(example.source.rstrip(), '    ')}" for example in examples]
    parts.append("References\n" + "\n".join(f"  - {reference}" for reference in page.references))
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def _named(slug: str) -> Rule:
    from stopper.rule import modules, named

    if slug not in modules():
        from stopper.config import nearest

        raise UsageError(
            f"there is no rule {slug!r}{nearest(slug, modules())}; `stopper explain` lists them all"
        )
    return named(slug)
