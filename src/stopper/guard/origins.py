"""Tell by what a browser says of a request whether it came from the site itself.

Every browser since 2023 sends ``Sec-Fetch-Site`` to a site over HTTPS, and since 2020 ``Origin`` with every POST; a page cannot change
either. Over plain HTTP only ``Origin`` is there. What says neither is a browser from before that, or no browser.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Collection
from typing import Final

PORTS: Final = {"http": "80", "https": "443"}

_ORIGIN: Final = re.compile(r"(https?)://([^/?#@\s]+)\Z", re.IGNORECASE)


class Witness(enum.Enum):
    """What a browser says of where a request came from."""

    OWN = "own"
    """The site itself, the user, or a trusted origin."""
    FOREIGN = "foreign"
    """Another site."""
    SILENT = "silent"
    """Nothing that can be relied upon."""


def witness(
    site: str | None,
    origin: str | None,
    own: tuple[str, str],
    names: Collection[str],
    trusted: Collection[str],
) -> Witness:
    """Tell where a request came from.

    Args:
        site: Its Sec-Fetch-Site.
        origin: Its Origin.
        own: The scheme and the host, with its port if it has one, that the request came to.
        names: Host names that are the app's own as well, for where a proxy changed the host.
        trusted: Other origins that may send, as ``normal`` returns them.
    """
    if site in {"same-origin", "none"}:
        return Witness.OWN
    if origin and trusted and normal(origin) in trusted:
        return Witness.OWN
    if site is not None:
        return Witness.FOREIGN
    if not origin or origin == "null":
        # "null" is what Referrer-Policy: no-referrer makes of the site's own forms, and what a sandboxed attacker sends.
        return Witness.SILENT
    return Witness.OWN if is_own(origin, own, names) else Witness.FOREIGN


def is_own(origin: str, own: tuple[str, str], names: Collection[str]) -> bool:
    """Tell whether an Origin is the site that a request came to.

    A request that came over HTTPS must come from HTTPS. One that seems to have come over HTTP may have come over HTTPS to a proxy that
    nobody told us of, so that both are its own. Another port of the same host is another app; another of the app's own names counts only
    without a port.
    """
    found = split(origin)
    if found is None:
        return False
    scheme, host, port = found
    own_scheme, own_host = own
    if own_scheme == "https" and scheme != "https":
        return False
    mine = split(f"{own_scheme}://{own_host}")
    if mine is None or host != mine[1]:
        return host in names and port == PORTS[scheme]
    if scheme == own_scheme:
        return port == mine[2]
    return port == mine[2] or (port, mine[2]) == ("443", "80")


def split(origin: str) -> tuple[str, str, str] | None:
    """Return scheme, host and port of an origin, lower case, the port written out; None when it is none."""
    found = _ORIGIN.match(origin)
    if found is None:
        return None
    scheme, place = found[1].lower(), found[2].lower()
    host, colon, port = place.rpartition(":")
    if not colon or place.endswith("]"):
        host, port = place, PORTS[scheme]
    if not host or not port.isascii() or not port.isdigit():
        return None
    return scheme, host.rstrip("."), port


def normal(origin: str) -> str:
    """Return an origin in the one way in which it is compared: lower case, the port written out; "" when it is none."""
    found = split(origin)
    return "" if found is None else "{}://{}:{}".format(*found)
