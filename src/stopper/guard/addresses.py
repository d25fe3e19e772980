"""Name the client behind an address: limits are counted by that name.

An IPv6 customer holds a whole /64 and can send from any address in it, so the /64 is the client. An IPv4 address is one, however it is
written: mapped into IPv6, or with the port that some balancers add.
"""

from __future__ import annotations

import ipaddress
from typing import Final

UNKNOWN: Final = "unknown"
"""The one client that all requests without a readable address share: a Unix socket without a proxy in front, for example."""

REMEMBERED: Final = 4096
"""How many addresses are remembered with their client."""


class Clients:
    """Turns addresses into clients, and remembers the latest."""

    def __init__(self) -> None:
        self._known: dict[str | None, str] = {}

    def name(self, address: str | None) -> str:
        """Return the client behind ``REMOTE_ADDR``; never an empty text."""
        known = self._known.get(address)
        if known is not None:
            return known
        if len(self._known) >= REMEMBERED:
            self._known = {}
        name = self._known[address] = client_of(address)
        return name


def client_of(address: str | None) -> str:
    """Return the IPv4 address, the IPv6 /64, or "unknown"."""
    if not address or len(address) > 64:
        return UNKNOWN
    text = address.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if found.version == 4:
        return str(found)
    assert isinstance(found, ipaddress.IPv6Address)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
