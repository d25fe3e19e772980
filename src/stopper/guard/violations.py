"""Receive the reports of browsers about what a content security policy stopped: bounded, counted once, told and stored.

Both forms are read: `report-uri` (application/csp-report, one object) and `report-to` (application/reports+json, a list).
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, Response, request

from stopper.guard import events
from stopper.guard.guard import State
from stopper.guard.route import EXEMPT, Mark

GROUP: Final = "stopper-csp"
"""The name under which Reporting-Endpoints knows the endpoint."""

ENDPOINT: Final = "stopper_csp_reports"
"""The endpoint's name in Flask."""

LARGEST: Final = 32 * 1024
"""The most bytes of one POST that are read."""

MOST: Final = 20
"""The most reports of one POST that are looked at."""

STORED: Final = 1024 * 1024
"""The size in bytes at which the file of reports grows no further."""

KINDS: Final = ("application/csp-report", "application/reports+json", "application/json")


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that a policy stopped."""

    directive: str
    """The directive that was broken, such as `script-src-elem`."""
    blocked: str
    """What was stopped: an origin, `inline`, `eval` or a scheme."""
    document: str
    """The path of the page, without its query."""
    source: str = ""
    """The script or style it came from: an origin with its path, and the line."""
    disposition: str = "enforce"
    """`enforce` or `report`."""


class Violations:
    """Keep the distinct violations that one worker was told of."""

    def __init__(self, app: Flask, state: State, most: int, store: str | None) -> None:
        self._app = app
        self._state = state
        self._most = most
        self._store = store
        self._seen: dict[Violation, int] = {}
        self._dropped = 0
        self._lock = threading.Lock()

    def open(self, path: str) -> None:
        """Add the endpoint to the app; a browser sends no token, so CSRF leaves it alone."""

        def receive() -> Response:
            return self.receive()

        self._state.marks.put(receive, Mark(EXEMPT, "csrf"))
        self._app.add_url_rule(path, ENDPOINT, receive, methods=["POST"])

    def receive(self) -> Response:
        """Take one POST of a browser; the answer is 204 unless it is no report at all."""
        kind = request.mimetype
        if kind not in KINDS:
            return Response(status=415)
        if request.content_length is None or request.content_length > LARGEST:
            return Response(status=413)
        try:
            document = json.loads(request.get_data(cache=False))
        except (ValueError, RecursionError):
            return Response(status=400)
        for violation in read(document):
            self.keep(violation)
        return Response(status=204)

    def keep(self, violation: Violation) -> bool:
        """Count a violation; tell and store it if it is new and there is room. Tell whether it was."""
        with self._lock:
            if violation in self._seen:
                self._seen[violation] += 1
                return False
            if len(self._seen) >= self._most:
                self._dropped += 1
                return False
            self._seen[violation] = 1
        facts = {name: value for name, value in asdict(violation).items() if value}
        detail = "a browser reported what the content security policy stopped"
        events.emit(self._app, self._state.event("csp", "told", detail, **facts))
        if self._store is not None:
            self._write(violation)
        return True

    def _write(self, violation: Violation) -> None:
        """Add a violation to the file; one write in append mode, so that workers do not mix their lines."""
        line = json.dumps(asdict(violation)) + "\n"
        try:
            opened = os.open(str(self._store), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                if os.fstat(opened).st_size < STORED:
                    os.write(opened, line.encode("utf-8"))
            finally:
                os.close(opened)
        except OSError as error:
            self._state.tell("csp", f"Reports cannot be stored in STOPPER_CSP_STORE: {error}", "degraded")


def read(document: Any) -> Iterator[Violation]:
    """Yield the violations in what a browser sent; what is no report is passed over."""
    sent = document if isinstance(document, list) else [document]
    for one in sent[:MOST]:
        if not isinstance(one, Mapping):
            continue
        body = one.get("csp-report", one.get("body"))
        if isinstance(body, Mapping) and one.get("type", "csp-violation") == "csp-violation":
            yield _violation(body)


def _violation(body: Mapping[str, Any]) -> Violation:
    """Return one report, shortened to what tells violations apart: no queries, so no tokens of users."""

    def value(*names: str) -> str:
        found = next((body[name] for name in names if isinstance(body.get(name), str | int)), "")
        return str(found)[:500]

    directive = value("effective-directive", "effectiveDirective", "violated-directive").partition(" ")[0]
    source = _without_query(value("source-file", "sourceFile"))
    line = value("line-number", "lineNumber")
    return Violation(
        directive,
        _blocked(value("blocked-uri", "blockedURL")),
        _path(value("document-uri", "documentURL")),
        f"{source}:{line}" if source and line else source,
        "report" if value("disposition") == "report" else "enforce",
    )


def _blocked(uri: str) -> str:
    """Return what was stopped as a policy would name it: an origin, a scheme, or a word such as `inline`."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc:
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:" if parts.scheme else uri[:100]


def _without_query(uri: str) -> str:
    """Return a URL without its query and fragment."""
    return uri.partition("?")[0].partition("#")[0][:300]


def _path(uri: str) -> str:
    """Return the path of a URL; nothing where it is none."""
    try:
        return urlsplit(uri).path[:300]
    except ValueError:
        return ""
