"""Answer a request that was stopped: a small page, or problem+json (RFC 9457) for a client that asks for JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import Any, Final, Self, cast

from markupsafe import escape
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import HTTPException, default_exceptions
from werkzeug.http import parse_accept_header
from werkzeug.wrappers import Response

PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<h1>{title}</h1>
<p>{detail}</p>
</html>
"""


class Refused(HTTPException):
    """Stop a request. The app's own handler for the status code, or for `HTTPException`, wins over the page made here."""

    def __new__(cls, status: int, *_: object, **__: object) -> Self:
        """Return an instance that is Werkzeug's own exception for the status as well: Flask finds handlers by its class."""
        return super().__new__(cast("type[Self]", _kind(status)) if cls is Refused else cls)

    def __init__(
        self, status: int, title: str = "", detail: str = "", headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        super().__init__(description=detail)
        self.code = status
        self.title = title or HTTPStatus(status).phrase
        self.detail = detail
        self.headers = tuple(headers)

    @property
    def name(self) -> str:
        """Return the title, where Werkzeug's own exceptions have the phrase of their status."""
        return self.title

    def get_headers(self, environ: Any = None, scope: Any = None) -> list[tuple[str, str]]:
        """Return the headers of the answer."""
        del scope
        kind = "application/problem+json" if wants_json(environ) else "text/html; charset=utf-8"
        return [("Content-Type", kind), ("Cache-Control", "no-store"), *self.headers]

    def get_body(self, environ: Any = None, scope: Any = None) -> str:
        """Return the page, or the problem document."""
        del scope
        if not wants_json(environ):
            return PAGE.format(title=escape(self.title), detail=escape(self.detail))
        return json.dumps(
            {"type": "about:blank", "title": self.title, "status": self.code, "detail": self.detail}
        )

    def get_response(self, environ: Any = None, scope: Any = None, *rest: Any) -> Response:
        """Return the whole answer."""
        del scope, rest
        return Response(self.get_body(environ), self.code, self.get_headers(environ))


@cache
def _kind(status: int) -> type[Refused]:
    """Return `Refused` joined with the exception that a handler for this status is registered for."""
    own = default_exceptions.get(status)
    return Refused if own is None else type("Refused", (Refused, own), {"__module__": __name__})


def wants_json(environ: dict[str, Any] | None) -> bool:
    """Tell whether a client would rather have JSON than HTML: by Accept, else by what it sent."""
    if environ is None:
        return False
    accept = environ.get("HTTP_ACCEPT", "")
    if not accept or accept == "*/*":
        return str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().endswith("json")
    best = parse_accept_header(accept, MIMEAccept).best_match(
        ["text/html", "application/problem+json", "application/json"], "text/html"
    )
    return best != "text/html"
