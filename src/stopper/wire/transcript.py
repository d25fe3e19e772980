"""Read what a site answered from text, as rule pages and tests write it.

::

    > GET https://blog.example.org/
    > page
    HTTP/1.1 200 OK
    Content-Type: text/html

    <h1>Hello</h1>
    > GET http://blog.example.org/
    HTTP/1.1 301 Moved Permanently
    Location: https://blog.example.org/

A line ``> name: value`` below the request is a header that was sent, ``> word`` its purpose, and ``> tls: TLS 1.2, TLS 1.3`` what handshakes showed
(``> suites:``, ``> curves:``, ``> untrusted:``, ``> days:`` likewise).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from stopper.wire.client import Origin
from stopper.wire.exchange import Exchange
from stopper.wire.site import Site
from stopper.wire.tls import Tls

_REQUEST = re.compile(r"^> ([A-Z]+) (https?://\S+)$", re.MULTILINE)
_NOTE = re.compile(r"^> (tls|suites|curves|untrusted|days): (.*)$", re.MULTILINE)


def is_transcript(text: str) -> bool:
    """Tell whether a text starts with a request."""
    return _REQUEST.match(text.lstrip("\n")) is not None


def read(text: str) -> Site:
    """Return the site that the text tells of; the first request names it."""
    starts = [match.start() for match in _REQUEST.finditer(text)]
    parts = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    exchanges = tuple(_exchange(part) for part in parts)
    origin = Origin.of(exchanges[0].url)
    told = dict(_NOTE.findall(text))
    problem = told.get("untrusted", "")
    tls = None
    if origin.scheme == "https":
        tls = Tls(
            _listed(told.get("tls", "TLS 1.2, TLS 1.3")),
            "TLS_AES_256_GCM_SHA384",
            trusted=not problem,
            problem=problem,
            names=(origin.host,),
            not_after=datetime.now(UTC) + timedelta(days=int(told.get("days", 60))),
            weak=_listed(told.get("suites", "")),
            curves=_listed(told.get("curves", "")),
        )
    return Site(origin, exchanges, tls, not problem, problem, len(exchanges), 0.1, active=False)


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split(", ")) if words else ()


def _exchange(text: str) -> Exchange:
    lines = text.splitlines()
    asked = [line.removeprefix("> ") for line in lines if line.startswith("> ") and not _NOTE.match(line)]
    method, _, url = asked[0].partition(" ")
    notes = asked[1:]
    sent = tuple(
        (name, value.strip()) for name, colon, value in (line.partition(":") for line in notes) if colon
    )
    purpose = next(
        (line for line in notes if ":" not in line), "plain" if url.startswith("http:") else "page"
    )
    answer = "\n".join(line for line in lines if not line.startswith("> "))
    head, _, body = answer.partition("\n\n")
    status, *headers = head.splitlines() or [""]
    pairs = (line.partition(":") for line in headers)
    said = re.search(r" (\d{3})\b", status)
    return Exchange(
        purpose, method, url, sent, int(said[1]) if said else 0, tuple((name.lower(), value.strip()) for name, _, value in pairs), body,
        error="" if said else "no connection",
    )  # fmt: skip
