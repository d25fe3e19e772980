"""`stopper deploy`: working configuration for what stands around the app."""

from __future__ import annotations

import re
from pathlib import Path

import click

from stopper.errors import UsageError

_WORD = re.compile(r"[A-Za-z0-9_.:()'\"=,/@%+-]+")


@click.command("deploy", short_help="Print configuration for gunicorn, nginx, Caddy and systemd.")
@click.argument("kind", type=click.Choice(["gunicorn", "gunicorn-behind", "nginx", "caddy", "systemd"]))
@click.argument("domain")
@click.option("--app", default="wsgi:app", show_default=True, help="The app as gunicorn takes it.")
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=Path("/srv/app"),
    show_default=True,
    help="The project's folder on the server.",
)
@click.option("--user", default="www-data", show_default=True, help="Who runs it there.")
@click.option(
    "--certs",
    type=click.Path(path_type=Path),
    default=Path("/var/lib/stopper"),
    show_default=True,
    help="The folder of stopper cert.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8000,
    show_default=True,
    help="Where gunicorn listens behind a proxy.",
)
def command(kind: str, domain: str, app: str, root: Path, user: str, certs: Path, port: int) -> None:
    """Print configuration of KIND for DOMAIN: TLS as Mozilla's intermediate profile has it, with the certificates of `stopper cert`.

    `gunicorn` speaks TLS itself; `gunicorn-behind` stands behind `nginx` or `caddy`.
    """
    from stopper.deploying import Deployment, configuration
    from stopper.policy import HOST_NAME

    if not HOST_NAME.fullmatch(domain.lower()):
        raise UsageError(f"{domain!r} is no host name; write it as in blog.example.org")
    for name, value in (("app", app), ("root", root), ("user", user), ("certs", certs)):
        if not _WORD.fullmatch(str(value)):
            raise UsageError(
                f"--{name} {str(value)!r}: a configuration file cannot hold it; use letters, digits and - _ . : /"
            )
    click.echo(configuration(kind, Deployment(domain.lower(), app, root, user, certs, port)), nl=False)
