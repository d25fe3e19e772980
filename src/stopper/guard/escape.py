"""Keep Jinja's autoescaping on for every template that holds HTML, and make it fit the place where a value is written.

Flask escapes in templates whose name ends with .html, .htm, .xml, .xhtml or .svg, and in no others: `page.j2`, `page.html.j2` and
`page.jinja` are not escaped. Here a name that says text (.txt, .txt.j2, .md ...) is left alone, one that says HTML before its
suffix is escaped, and one that says nothing is escaped if its text holds HTML, or if a page extends or includes it.

Jinja escapes a value as text wherever it is written. Where it is written as an address, into an attribute without quotes, or into a
script, a filter is added when the template is compiled. What is marked safe, `|tojson` included, is the author's own word.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from jinja2 import Environment, TemplateNotFound
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup, escape

from stopper.guard import clean, events, nonce
from stopper.guard.guard import Guard
from stopper.guard.settings import Mode, Settings, setting

SUFFIX: Final = re.compile(r"\.(?:j2|jinja2?|tmpl|tpl|template)$", re.IGNORECASE)
"""What says that a file is a template, and not of what."""
SAYS_HTML: Final = re.compile(r"\.(?:html?|xhtml|xml|svg|rss|atom|vue|mjml)$", re.IGNORECASE)
SAYS_OTHER: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,9}$")
"""What says what a file is: any ending, once that of the template is gone."""

HOLDS_HTML: Final = re.compile(
    r"<(?:!doctype|html|head|body|div|span|p|a|b|i|em|strong|ul|ol|li|table|tr|td|th|h[1-6]|br|hr|img|form|input|button|select|"
    r"textarea|label|section|article|header|footer|nav|main|aside|script|style|link|meta|svg|iframe|pre|code|small)[\s/>]",
    re.IGNORECASE,
)
EXTENDS: Final = re.compile(r"\{%[-+]?\s*extends\s+(?:[\"']([^\"']+)[\"'])?")
MOST: Final = 2000
"""How many templates are searched for one that includes another."""

FILTERS: Final = {"url": "_stopper_url", "bare": "_stopper_bare", "script": "_stopper_script"}
"""The filters that a compiled template asks, by place; names of their own, so that no filter of the app hides them."""

AT_URL: Final = re.compile(
    r"(?:^|[\s\"'/])(?:href|src|action|formaction|xlink:href|data|poster|cite|background|ping)\s*=\s*[\"']?\s*$",
    re.IGNORECASE,
)
"""Where in a tag an expression decides which scheme an address has."""
AT_HANDLER: Final = re.compile(r"[\s\"'/]on[a-z]+\s*=\s*(?:\"[^\"]*|'[^']*)$", re.IGNORECASE)
AT_BARE: Final = re.compile(r"=\s*[^\s\"'>]*$")
NO_SCRIPT: Final = re.compile(
    r"\stype\s*=\s*[\"']?(?!(?:text|application)/(?:javascript|ecmascript|json|ld\+json)|module)\w",
    re.IGNORECASE,
)
"""A script element that the browser does not run: a template, for one."""

CODE: Final = str.maketrans({one: f"\\u{ord(one):04x}" for one in "\\'\"`<>&()=;[]{}$:,+\n\r\u2028\u2029"})
"""Signs of code as JavaScript and JSON write them in a string, where they mean the same; outside of a string they mean nothing."""
BLANKS: Final = str.maketrans({one: f"&#{ord(one)};" for one in " \t\n\r\f=`"})

SCHEME: Final = re.compile(r"[\x00-\x20]*([A-Za-z][A-Za-z0-9+.-]*):")
ACTING: Final = frozenset(("javascript", "vbscript", "livescript", "data"))
IMAGE: Final = re.compile(r"[\x00-\x20]*data:image/(?:png|gif|jpeg|webp|avif)[;,]", re.IGNORECASE)
INSTEAD: Final = "about:invalid#stopped"
"""What is written in place of an address that would run (CSS Values 4 names about:invalid for this)."""


@dataclass(frozen=True)
class XssSettings(Settings):
    """What is done to templates."""

    xss_contexts: bool = True
    """Whether what an expression writes is made harmless for its place: `javascript:` in href and src, blanks in an attribute without
    quotes, signs of code in a script or an event handler."""

    xss_images: Literal["own", "any", "none"] = setting("own", example="none")
    """Which images `|clean` keeps: `own` for those of the site, `any`, or `none`."""


class Xss(Guard):
    """Keep templates escaped."""

    name = "xss"
    area = "xss"
    Settings = XssSettings
    settings: XssSettings

    def start(self) -> None:
        """Set up the environment of the app's templates before the first is compiled."""
        environment = self.app.jinja_env
        environment.filters.setdefault("clean", partial(clean.clean, images=self.settings.xss_images))
        environment.filters.setdefault("safe_url", safe_url)
        environment.filters |= {
            FILTERS["url"]: self._told_url,
            FILTERS["bare"]: bare,
            FILTERS["script"]: in_script,
        }
        if environment.autoescape is not True:
            given = environment.autoescape
            first = given if callable(given) else lambda _: bool(given)
            environment.autoescape = Escaping(environment, first, self._tell)
        if self.settings.xss_contexts and self.mode is Mode.ENFORCE:
            environment.add_extension(PlaceExtension)

    def _tell(self, name: str) -> bool:
        """Tell that a template is escaped which Flask would not escape; return whether to do so."""
        self.state.tell(
            self.name, f"{name} holds HTML and is escaped now, which Flask does not do by its name."
        )
        return self.mode is Mode.ENFORCE

    def _told_url(self, value: Any) -> Any:
        """Return an address, or what stands for one that would run; tell of the latter."""
        safe = safe_url(value)
        if safe is not value:
            detail = "An address that would run was kept out of a page."
            events.emit(
                self.app, self.state.event(self.name, "refused", detail, scheme=str(value).partition(":")[0])
            )
        return safe


class Escaping:
    """Decide for each template's name whether it is escaped; Jinja asks when it compiles and when it renders."""

    def __init__(
        self, environment: Environment, first: Callable[[str | None], bool], tell: Callable[[str], bool]
    ) -> None:
        self._environment = environment
        self._first = first
        self._tell = tell
        self._known: dict[str, tuple[bool, Callable[[], bool] | None]] = {}

    def __call__(self, name: str | None) -> bool:
        """Tell whether the template is escaped; one without a name, made from a string, always is."""
        if name is None:
            return True
        known = self._known.get(name)
        if known is None or not (known[1] is None or known[1]()):
            known = self._known[name] = self._judged(name)
        return known[0]

    def _judged(self, name: str) -> tuple[bool, Callable[[], bool] | None]:
        """Return whether a template is escaped, and what tells whether that is still so."""
        if self._first(name):
            return True, None
        says = said(name)
        if says is not None:
            return says and self._tell(name), None
        source, fresh = self._source(name)
        return self._holds_html(name, source, frozenset((name,))) and self._tell(name), fresh

    def _source(self, name: str) -> tuple[str, Callable[[], bool] | None]:
        """Return a template's text, and what tells whether it is still the same; nothing where it cannot be read."""
        if self._environment.loader is None:
            return "", None
        try:
            source, _, fresh = self._environment.loader.get_source(self._environment, name)
        except (TemplateNotFound, OSError, UnicodeError):
            return "", None
        return source, fresh if self._environment.auto_reload else None

    def _holds_html(self, name: str, source: str, above: frozenset[str]) -> bool:
        """Tell whether a template whose name says nothing makes a part of a page."""
        if HOLDS_HTML.search(source):
            return True
        extended = EXTENDS.search(source)
        if extended is not None:
            parent = extended.group(1)
            return parent is None or (parent not in above and self._is_page(parent, above | {parent}))
        return any(self._is_page(one, above | {one}) for one in self._users(name) if one not in above)

    def _is_page(self, name: str, above: frozenset[str]) -> bool:
        """Tell whether a template makes HTML."""
        says = True if self._first(name) else said(name)
        return says if says is not None else self._holds_html(name, self._source(name)[0], above)

    def _users(self, name: str) -> Iterator[str]:
        """Yield the templates that name another in quotes."""
        try:
            names = self._environment.list_templates()[:MOST]
        except TypeError:  # a loader that cannot list what it has
            return
        for one in names:
            source = self._source(one)[0]
            if f'"{name}"' in source or f"'{name}'" in source:
                yield one


def said(name: str) -> bool | None:
    """Tell whether a template's name says that it makes HTML; nothing where it says nothing."""
    plain = SUFFIX.sub("", name)
    if SAYS_HTML.search(plain):
        return True
    return False if nonce.NOT_HTML.search(name) or SAYS_OTHER.search(plain) else None


def safe_url(value: Any) -> Any:
    """Return an address as it is, or `about:invalid` for one that a browser would run; in templates: `{{ url|safe_url }}`."""
    marked = getattr(value, "__html__", None)
    text = html.unescape(str(marked())) if marked is not None else str(value)
    if ":" not in text:
        return value
    plain = text.translate({9: None, 10: None, 13: None})
    scheme = SCHEME.match(plain)
    if scheme is None or scheme.group(1).lower() not in ACTING or IMAGE.match(plain):
        return value
    return INSTEAD


def bare(value: Any) -> Markup:
    """Return a value for an attribute without quotes: what would end it is written as a character reference."""
    return Markup(str(escape(value)).translate(BLANKS))  # noqa: S704 - it was escaped just now


def in_script(value: Any) -> Any:
    """Return a value for a script or an event handler; a number, or what is marked safe, as it is."""
    if isinstance(value, int | float) or hasattr(value, "__html__"):
        return value
    return Markup(str(value).translate(CODE))  # noqa: S704 - no sign of HTML or of code is left


class _Places(nonce.Scanner):
    """Note where in the HTML each expression of a template stands."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.places: dict[int, list[str]] = {}
        """The filters for an expression, by its number in the template."""

    def expression(self) -> None:
        """Note the place of the expression, and go past it."""
        found = list(self._found())
        if found:
            self.places[self.count] = found
        self.count += 1
        super().expression()

    def _found(self) -> Iterator[str]:
        """Yield what an expression here needs."""
        if self.state == "raw" and self.raw == "script" and not NO_SCRIPT.search(self.tags[-1].text):
            yield FILTERS["script"]
        if self.state not in {"tag", "value"}:
            return
        text = self.text
        if AT_URL.search(text):
            yield FILTERS["url"]
        elif AT_HANDLER.search(text):
            yield FILTERS["script"]
        if self.state == "tag" and AT_BARE.search(text):
            yield FILTERS["bare"]


class PlaceExtension(Extension):
    """Put a filter on each expression that is written where escaping as text is not enough, when a template is compiled."""

    priority = 90

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        """Yield the tokens of a template, with filters behind such expressions."""
        if stream.name is not None and nonce.NOT_HTML.search(stream.name):
            return stream
        tokens = list(stream)
        scanner = _Places()
        nonce.tags(tokens, scanner)
        return _filtered(tokens, scanner.places) if scanner.places else tokens


def _filtered(tokens: list[Token], places: dict[int, list[str]]) -> Iterator[Token]:
    """Yield tokens with the expressions of these numbers in parentheses and their filters behind."""
    count = -1
    filters: list[str] = []
    for index, token in enumerate(tokens):
        if token.type == "variable_begin":
            count += 1
            made = [one.value for one in tokens[index + 1 : index + 3]] == ["url_for", "("]
            filters = [one for one in places.get(count, ()) if not (made and one == FILTERS["url"])]
            yield token
            if filters:
                yield Token(token.lineno, "lparen", "(")
            continue
        if token.type == "variable_end" and filters:
            yield Token(token.lineno, "rparen", ")")
            for name in filters:
                yield Token(token.lineno, "pipe", "|")
                yield Token(token.lineno, "name", name)
            filters = []
        yield token
