"""Look at an answer the moment its status and headers go out, and set what is missing."""

from __future__ import annotations

from typing import Any

Header = tuple[str, str]
"""A header's name and its value."""


class Answer:
    """One answer on its way out: every one passes, those of error handlers, static files and refusals too."""

    __slots__ = ("environ", "headers", "names", "status")

    def __init__(self, environ: dict[str, Any], status: int, headers: list[Header]) -> None:
        self.environ = environ
        """The WSGI environment of the request."""
        self.status = status
        """The status code."""
        self.headers = headers
        """The headers, in order; a guard may change the list in place."""
        self.names = {name.lower() for name, _ in headers}
        """The names of the headers in lower case."""

    def get(self, name: str) -> str:
        """Return a header's first value by its name in lower case, or nothing."""
        if name in self.names:
            for own, value in self.headers:
                if own.lower() == name:
                    return value
        return ""

    def add(self, name: str, value: str) -> None:
        """Add a header beside what there is."""
        self.headers.append((name, value))
        self.names.add(name.lower())

    def set_default(self, name: str, value: str) -> None:
        """Add a header unless the app set it: a view's own header wins."""
        if name.lower() not in self.names:
            self.add(name, value)

    def remove(self, name: str) -> None:
        """Remove every header of a name."""
        low = name.lower()
        if low in self.names:
            self.headers[:] = [one for one in self.headers if one[0].lower() != low]
            self.names.discard(low)
