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


def is_transcript(text: str) -> bool:
    """Tell whether a text starts with a request."""
    return _REQUEST.match(text.lstrip("\n")) is not None


def read(text: str) -> Site:
    """Return the site that the text tells of; the first request names it."""
    starts = [match.start() for match in _REQUEST.finditer(text)]
    parts = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    exchanges = tuple(_exchange(part) for part in parts)
    origin = Origin.of(exchanges[0].url)
    given = re.search(r"^> tls: (.*)$", text, re.MULTILINE)
    problem = re.search(r"^> untrusted: (.*)$", text, re.MULTILINE)
    days = re.search(r"^> days: (-?\d+)$", text, re.MULTILINE)
    weak = re.search(r"^> suites: (.*)$", text, re.MULTILINE)
    taken = re.search(r"^> curves: (.*)$", text, re.MULTILINE)
    tls = None
    if origin.scheme == "https":
        ends = datetime.now(UTC) + timedelta(days=int(days[1]) if days else 60)
        versions = tuple(given[1].split(", ")) if given else ("TLS 1.2", "TLS 1.3")
        tls = Tls(
            versions,
            "TLS_AES_256_GCM_SHA384",
            trusted=problem is None,
            problem=problem[1] if problem else "",
            names=(origin.host,),
            not_after=ends,
            weak=tuple(weak[1].split(", ")) if weak else (),
            curves=tuple(taken[1].split(", ")) if taken else (),
        )
    return Site(
        origin,
        exchanges,
        tls,
        problem is None,
        problem[1] if problem else "",
        len(exchanges),
        0.1,
        active=False,
    )


def _exchange(text: str) -> Exchange:
    lines = text.splitlines()
    asked = [line.removeprefix("> ") for line in lines if line.startswith("> ")]
    method, _, url = asked[0].partition(" ")
    notes = [
        line
        for line in asked[1:]
        if not line.startswith(("tls:", "untrusted:", "days:", "suites:", "curves:"))
    ]
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
