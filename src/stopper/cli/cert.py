"""`stopper cert`: obtain, renew, list and revoke certificates."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stopper.errors import CertificateError, UsageError

if TYPE_CHECKING:
    from stopper.certs.authority import Authority
    from stopper.certs.challenge import Place
    from stopper.certs.renewal import Outcome, Way
    from stopper.certs.store import Store

EXIT_FAILED = 1
REASONS = {"unspecified": 0, "keyCompromise": 1, "superseded": 4, "cessationOfOperation": 5}
"""Why a certificate is revoked, with the numbers of RFC 5280, section 5.3.1."""
Command = Callable[..., None]


@click.group("cert", short_help="Obtain, renew, list and revoke certificates by ACME.")
def command() -> None:
    """Obtain, renew, list and revoke certificates of Let's Encrypt, or of any ACME server.

    The staging server is asked until --production says otherwise: its certificates are not trusted by browsers, and its limits are wide.
    """
    try:
        import acme  # noqa: F401 - only to see whether the extra is there
    except ImportError as error:
        raise UsageError("stopper cert needs its extra: pip install 'stopper[cert]'") from error


_WHERE = (
    click.option(
        "--folder",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where accounts and certificates are kept.",
    ),
)
"""Where certificates are kept."""

_WHOM = (
    click.option(
        "--production",
        is_flag=True,
        help="Ask Let's Encrypt's real server instead of its staging server.",
    ),
    click.option("--server", help="The directory URL of another ACME server."),
    click.option(
        "--ca",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="A file of authorities to trust for --server.",
    ),
    click.option("--email", default="", help="Where the authority may write to."),
    click.option("--eab-kid", default="", help="The key identifier of an external account."),
    click.option(
        "--eab-key",
        default="",
        envvar="STOPPER_EAB_KEY",
        help="Its MAC key; better in STOPPER_EAB_KEY than here.",
    ),
)
"""Which server is asked, and as whom."""

_HOW = (
    click.option(
        "--webroot",
        type=click.Path(path_type=Path),
        help="The folder that a web server serves on port 80.",
    ),
    click.option(
        "--shared",
        type=click.Path(path_type=Path),
        help="A folder from which the running app answers (STOPPER_ACME).",
    ),
    click.option(
        "--redis",
        help="A Redis from which the running app answers (STOPPER_ACME), and in which replicas share a lock.",
    ),
    click.option(
        "--port",
        type=click.IntRange(1, 65535),
        default=80,
        show_default=True,
        help="Where to listen when none of these is given.",
    ),
    click.option(
        "--key",
        type=click.Choice(["ec", "rsa"]),
        default="ec",
        show_default=True,
        help="The kind of key: P-256 or RSA 3072.",
    ),
    click.option(
        "--hook",
        default="",
        help="A command to run when a new certificate is in use: systemctl reload nginx",
    ),
)
"""How the challenges are answered, and what happens afterwards."""


def _options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return a decorator that adds options, shown in the order given."""
    return lambda function: functools.reduce(lambda inner, option: option(inner), reversed(options), function)


@command.command()
@click.argument("domains", nargs=-1, required=True)
@_options(*_HOW, *_WHOM, *_WHERE)
def obtain(domains: tuple[str, ...], **given: Any) -> None:
    """Obtain one certificate for all DOMAINS, now."""
    from stopper.certs import renewal

    store = _store(given)
    _say(renewal.obtain(store, _authority(store, given), domains, _way(given, domains[0])))


@command.command()
@click.argument("names", nargs=-1)
@click.option("--force", is_flag=True, help="Renew although it is not due.")
@click.option(
    "--jitter",
    type=click.FloatRange(min=0),
    default=0.0,
    help="Wait a random time up to this many seconds first.",
)
@_options(*_HOW, *_WHOM, *_WHERE)
def renew(names: tuple[str, ...], *, force: bool, jitter: float, **given: Any) -> None:
    """Renew the certificates NAMES, or all, where they are due: as the authority suggests, else at two thirds of their life."""
    from stopper.certs import renewal

    store = _store(given)
    if jitter:
        time.sleep(renewal.jitter(jitter).total_seconds())
    failed = 0
    for name in names or store.names():
        known = store.load(name)
        server = given["server"] or (known.server if known is not None and not given["production"] else None)
        try:
            authority = _authority(store, {**given, "server": server})
            _say(renewal.renew(store, authority, name, _way(given, name), force=force))
        except CertificateError as error:
            failed += 1
            click.echo(f"stopper: {error}", err=True)
    sys.exit(EXIT_FAILED if failed else 0)


@command.command()
@_options(*_WHERE)
def status(**given: Any) -> None:
    """List the certificates: their names, how many days they have left, and when they are due."""
    from stopper.certs.renewal import due
    from stopper.certs.store import now

    store = _store(given)
    for name in store.names():
        one = store.load(name)
        if one is None:
            click.echo(f"{name:<32} cannot be read under {store.folder}")
            continue
        left = (one.not_after - now()).days
        test = "  (staging: not trusted by browsers)" if "staging" in one.server else ""
        click.echo(
            f"{name:<32} {left:>4} days left, due {due(one):%Y-%m-%d}  {', '.join(one.names)}  {one.chain}{test}"
        )
    if not store.names():
        click.echo(f"there are no certificates under {store.folder}")


@command.command()
@click.argument("name")
@click.option(
    "--reason",
    type=click.Choice(list(REASONS)),
    default="unspecified",
)
@_options(*_WHOM, *_WHERE)
def revoke(name: str, reason: str, **given: Any) -> None:
    """Revoke the certificate NAME. Its files stay where they are: servers go on until they are given another."""
    store = _store(given)
    one = store.load(name)
    if one is None:
        raise CertificateError(f"there is no certificate {name!r} under {store.folder}")
    _authority(store, {**given, "server": given["server"] or one.server}).revoke(
        one.chain.read_bytes(), REASONS[reason]
    )
    click.echo(f"{name} is revoked; obtain another: stopper cert obtain {' '.join(one.names)}")


def _store(given: dict[str, Any]) -> Store:
    from stopper.certs.renewal import default_folder
    from stopper.certs.store import Store

    return Store(given["folder"] or default_folder())


def _authority(store: Store, given: dict[str, Any]) -> Authority:
    from stopper.certs.authority import PRODUCTION, STAGING, Authority, Registration

    server = given["server"] or (PRODUCTION if given["production"] else STAGING)
    return Authority(
        server,
        store,
        ca=given["ca"],
        registration=Registration(given["email"], given["eab_kid"], given["eab_key"]),
    )


def _way(given: dict[str, Any], name: str) -> Way:
    from stopper.certs import challenge, lock
    from stopper.certs.renewal import Way

    ways = [one for one in ("webroot", "shared", "redis") if given[one]]
    if len(ways) > 1:
        raise UsageError(f"--{' and --'.join(ways)}: choose one way to answer the challenges")
    place: Place
    guard = None
    if given["webroot"]:
        place = challenge.webroot(given["webroot"])
    elif given["shared"]:
        place = challenge.Folder(given["shared"])
    elif given["redis"]:
        place = challenge.Redis(given["redis"])
        guard = lock.in_redis(place.client, name)
    else:
        place = challenge.Standalone(given["port"])
    return Way(place, given["key"], given["hook"], guard)


def _say(outcome: Outcome) -> None:
    one = outcome.certificate
    if not outcome.renewed:
        click.echo(
            f"{one.name}: nothing to do until {outcome.due:%Y-%m-%d %H:%M} UTC (ends {one.not_after:%Y-%m-%d})"
        )
        return
    click.echo(
        f"{one.name}: a certificate for {', '.join(one.names)} until {one.not_after:%Y-%m-%d}, to be renewed {outcome.due:%Y-%m-%d}"
    )
    click.echo(f"  certificate  {one.chain}\n  key          {one.key}")
    if "staging" in one.server:
        click.echo(
            "  it comes from the staging server: browsers do not trust it. The same command with --production gets a real one."
        )
    if outcome.told:
        click.echo(f"stopper: {outcome.told}", err=True)
