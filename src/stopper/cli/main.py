"""Gather the verbs; each is imported when it is first used."""

from __future__ import annotations

import importlib

import click

from stopper import __version__

VERBS = ("audit", "explain")


class _Lazy(click.Group):
    """Import a verb's file only when the verb is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a verb."""
        del ctx
        if cmd_name not in VERBS:
            return None
        command = getattr(importlib.import_module(f"stopper.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Lazy)
@click.version_option(__version__, prog_name="stopper")
def main() -> None:
    """Put a stopper in your Flask: find what is open, and what to write instead."""
