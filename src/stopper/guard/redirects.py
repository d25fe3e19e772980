"""Redirect only to where the site itself is: `return safe_redirect(request.args.get("next"), url_for("index"))`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from flask import current_app, has_request_context, redirect, request
from werkzeug.wrappers import Response

from stopper.guard import events

UNSEEN: Final = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
"""Characters that browsers drop, or that hide from a reader where an address leads."""
SCHEMES: Final = frozenset(("http", "https"))
LONGEST: Final = 4096
"""The longest address, in characters, that is followed."""


def safe_redirect(
    target: object, default: str = "/", *, hosts: Iterable[str] = (), code: int = 302
) -> Response:
    """Return a redirect to an address of this site, or to the default where the address is none of its own.

    Args:
        target: Where a request asks to go; anything at all.
        default: Where to go instead. It is the app's own word and is not looked at.
        hosts: Other hosts that may be gone to, `docs.example.com` or `localhost:8080`.
        code: The status of the redirect.
    """
    if is_safe(target, hosts):
        return _to(str(target), code)
    if target:
        _tell()
    return _to(default, code)


def is_safe(target: object, hosts: Iterable[str] = ()) -> bool:
    """Tell whether an address leads to this site, however a browser would read it.

    A path of the own site is safe (`/a`, `?page=2`); a whole address is if its host is the one that the request was sent to and
    Flask trusts (`TRUSTED_HOSTS`), or one of `hosts`. Nothing with a backslash, a control or hidden character, a user name or
    another scheme is.
    """
    if not isinstance(target, str) or not target or len(target) > LONGEST:
        return False
    if UNSEEN.search(target) or "\\" in target:
        return False
    try:
        parts = urlsplit(target)
        port = parts.port
    except ValueError:  # brackets or a port that are none
        return False
    if not parts.scheme and not parts.netloc:
        return (
            not target.startswith("//")
            and ":" not in target.partition("/")[0].partition("?")[0].partition("#")[0]
        )
    if parts.scheme.lower() not in SCHEMES or not parts.hostname or "@" in parts.netloc:
        return False
    return _named(parts.hostname, port, parts.scheme) in {*_own(), *(host.lower() for host in hosts)}


def _own() -> set[str]:
    """Return the host of the request that is served, as far as Flask trusts it."""
    if not has_request_context():
        return set()
    trusted: Any = current_app.config.get("TRUSTED_HOSTS")
    if not trusted:  # whoever writes the Host header would say where it is safe to go
        return set()
    return {request.host.lower()}  # raises SecurityError for a host that is not trusted


def _named(host: str, port: int | None, scheme: str) -> str:
    """Return a host as the Host header names it: without the port that the scheme has anyway."""
    usual = {"http": 80, "https": 443}[scheme.lower()]
    written = f"[{host}]" if ":" in host else host
    return written.lower() if port in {None, usual} else f"{written.lower()}:{port}"


def _to(address: str, code: int) -> Response:
    """Return a redirect, as Werkzeug makes it."""
    response: Response = redirect(address, code)
    return response


def _tell() -> None:
    """Tell that a redirect to elsewhere was asked for, if a guarded app serves the request."""
    gate = current_app.extensions.get("stopper") if has_request_context() else None
    if gate is not None:
        detail = "A redirect to another site was asked for."
        events.emit(gate.app, gate.state.event("redirects", "refused", detail))
