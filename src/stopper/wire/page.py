"""What an HTML page links to, loads and sends: read with the standard library's parser, which survives anything."""

from __future__ import annotations

from html.parser import HTMLParser

from stopper.records import dataclass, field

_SOURCES = {
    "img": "src",
    "audio": "src",
    "video": "src",
    "source": "src",
    "iframe": "src",
    "embed": "src",
    "object": "data",
    "track": "src",
}
MAX_TAGS = 20_000
"""How many tags of a page are read."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script of a page."""

    src: str
    """"" for an inline one."""
    integrity: str = ""
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a page."""

    method: str
    """In lower case; ``get`` where none is written."""
    action: str
    fields: tuple[tuple[str, str], ...]
    """The name and type of each field, in lower case."""

    @property
    def has_password(self) -> bool:
        """Tell whether the form takes a password."""
        return any(kind == "password" for _, kind in self.fields)

    @property
    def has_token(self) -> bool:
        """Tell whether a hidden field carries something that looks like a form token."""
        words = ("csrf", "xsrf", "token", "authenticity", "nonce")
        return any(kind == "hidden" and any(word in name for word in words) for name, kind in self.fields)


@dataclass(slots=True)
class Page:
    """What a page holds."""

    links: list[str] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    """Images, frames and media."""
    forms: list[Form] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)
    """Content security policies in ``meta`` tags."""
    handlers: int = 0
    """How many attributes hold script: ``onclick`` and its like."""
    inline_styles: int = 0
    base: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.tags = 0
        self.form: tuple[str, str, list[tuple[str, str]]] | None = None
        self.handlers = {
            "a": self._a, "base": self._base, "script": self._script, "link": self._link, "meta": self._meta,
            "form": self._form, "input": self._input, "textarea": self._input, "select": self._input,
        }  # fmt: skip

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags += 1
        if self.tags > MAX_TAGS:
            return
        given = {name.lower(): (value or "").strip() for name, value in attrs}
        self.page.handlers += sum(name.startswith("on") for name in given)
        self.page.inline_styles += "style" in given
        handler = self.handlers.get(tag)
        if handler is not None:
            handler(given)
        elif tag in _SOURCES and given.get(_SOURCES[tag]):
            self.page.loads.append(given[_SOURCES[tag]])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.close_form()

    def close_form(self) -> None:
        if self.form is not None:
            method, action, fields = self.form
            self.page.forms.append(Form(method, action, tuple(fields)))
            self.form = None

    def _a(self, given: dict[str, str]) -> None:
        if given.get("href"):
            self.page.links.append(given["href"])

    def _base(self, given: dict[str, str]) -> None:
        self.page.base = self.page.base or given.get("href", "")

    def _script(self, given: dict[str, str]) -> None:
        self.page.scripts.append(
            Script(given.get("src", ""), given.get("integrity", ""), given.get("nonce", ""))
        )

    def _link(self, given: dict[str, str]) -> None:
        if "stylesheet" in given.get("rel", "").lower().split() and given.get("href"):
            self.page.styles.append(given["href"])

    def _meta(self, given: dict[str, str]) -> None:
        if given.get("http-equiv", "").lower() == "content-security-policy":
            self.page.policies.append(given.get("content", ""))

    def _form(self, given: dict[str, str]) -> None:
        self.close_form()
        self.form = (given.get("method", "get").lower() or "get", given.get("action", ""), [])

    def _input(self, given: dict[str, str]) -> None:
        if self.form is not None:
            self.form[2].append((given.get("name", "").lower(), given.get("type", "text").lower()))


def read(html: str) -> Page:
    """Return what a page holds; what no parser can read is left out."""
    reader = _Reader()
    try:
        reader.feed(html)
        reader.close()
    except (AssertionError, ValueError):
        pass  # a marked section that is none: what was read before it stands
    reader.close_form()
    return reader.page
