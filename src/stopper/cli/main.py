"""The command line: one verb a file, each imported only when it is used."""

from __future__ import annotations

import importlib
import sys

import click

from stopper import __version__
from stopper.errors import StopperError

VERBS = {
    "audit": "Look at the source of a Flask project and say what is open.",
    "cert": "Obtain, renew, list and revoke certificates by ACME.",
    "deploy": "Print configuration for gunicorn, nginx, Caddy and systemd.",
    "debug": "Show how the taint engine reads a file.",
    "explain": "Print a rule's page.",
    "csp": "Propose a content security policy for a guarded app.",
    "status": "Say what the guard does for every route of an app.",
}
"""The verbs with the sentence that `stopper --help` shows, so that it need not import them."""


class LazyGroup(click.Group):
    """A group that imports a verb when it is called, not when it is listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs."""
        del ctx
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb's command, imported now."""
        del ctx
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"stopper.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(VERBS.items()))

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; what Stopper raises on purpose becomes one line and an exit code."""
        try:
            return super().invoke(ctx)
        except StopperError as error:
            click.echo(f"stopper: {error}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stopper")
def main() -> None:
    """Put a stopper in your Flask: find what is open in eight areas, and what to write instead."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
