"""One question and one answer, as plain data."""

from __future__ import annotations

from urllib.parse import urlsplit

from stopper.records import dataclass


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked of a site, and what came back."""

    purpose: str
    """Why it was asked: ``page``, ``plain`` (over http), ``missing``, ``method``, ``host``, ``origin``, ``debugger``, ``leak``, ``listing``."""
    method: str
    url: str
    sent: tuple[tuple[str, str], ...] = ()
    """The headers that were added for the purpose."""
    status: int = 0
    """0 where no answer came."""
    headers: tuple[tuple[str, str], ...] = ()
    """As received, names in lower case."""
    body: str = ""
    """The text of the answer, as far as it was read."""
    cut: bool = False
    """Whether the answer was longer than what was read."""
    seconds: float = 0.0
    error: str = ""
    """Why no answer came, or why it was not read to its end."""

    @property
    def answered(self) -> bool:
        """Tell whether a status and headers came back."""
        return self.status > 0

    @property
    def path(self) -> str:
        """Return the path that was asked for."""
        return urlsplit(self.url).path or "/"

    @property
    def is_html(self) -> bool:
        """Tell whether the answer says that it is an HTML page."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower() in (
            "text/html",
            "application/xhtml+xml",
        )

    @property
    def is_redirect(self) -> bool:
        """Tell whether the answer sends the client elsewhere."""
        return self.status in (301, 302, 303, 307, 308) and self.header("location") is not None

    def header(self, name: str) -> str | None:
        """Return a header; several of one name are joined with a comma, as RFC 9110 has it. None where it was not sent."""
        values = self.all(name)
        return ", ".join(values) if values else None

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        wanted = name.lower()
        return [value for key, value in self.headers if key == wanted]
