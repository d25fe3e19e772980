"""Put the request's nonce on the script, style and link tags of templates when Jinja compiles them.

Only tags that stand in a template's own text get it: what a variable brings in at run time, `|safe` or not, is no text of the
template. The tokens of Jinja's lexer are read, so that a tag inside an expression or a comment is none, and HTML's own
states are followed, so that a tag inside a script, an attribute or a comment is none either. What is approximated: each branch
of an `if` is read from where the `if` began, and a loop's body once.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os import urandom
from typing import Any, Final

from flask import has_request_context, request
from jinja2 import Environment, TemplateError
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup

KEY: Final = "stopper.nonce"
"""Where in the WSGI environment the nonce of a request is kept."""

GLOBAL: Final = "_stopper_nonce"
"""The global of Jinja that a compiled template asks; a name of its own, so that no variable of a view hides it."""

NOT_HTML: Final = re.compile(
    r"\.(txt|text|js|mjs|css|json|xml|rss|atom|csv|md|rst|ya?ml|toml|sql|ini|conf|eml)(\.j2|\.jinja2?)?$"
)
OPENING: Final = re.compile(r"<(!--|/?[A-Za-z][^\s/>]*)")
IN_TAG: Final = re.compile(r"[\"'>]")
RAW_TEXT: Final = frozenset("script style textarea title xmp iframe noembed noframes".split())
"""Elements whose content holds no tags (HTML, section 13.2.5)."""

LOADED: Final = re.compile(
    r"\srel\s*=\s*[\"']?[^\"'>]*\b(?:stylesheet|preload|modulepreload)\b", re.IGNORECASE
)
WANTED: Final = re.compile(r"<(?:script|style|link)", re.IGNORECASE)
NONCED: Final = re.compile(r"\snonce(?:\s*=|[\s>])", re.IGNORECASE)
BRANCHING: Final = frozenset(("if", "for"))
BRANCHES: Final = frozenset(("elif", "else"))
JOINED: Final = frozenset(("endif", "endfor"))


def nonce_of(environ: dict[str, Any]) -> str:
    """Return the nonce of a request, made when it is first asked for: 128 random bits (CSP Level 3, section 7.1)."""
    found = environ.get(KEY)
    if found is None:
        found = environ[KEY] = b2a_base64(urandom(16), newline=False).decode("ascii")
    return str(found)


def csp_nonce() -> Markup:
    """Return the nonce of the request that is served, as templates write it by hand; empty where none is served."""
    return Markup(nonce_of(request.environ)) if has_request_context() else Markup()  # noqa: S704 - made here, of base64


@dataclass(frozen=True, slots=True)
class Tag:
    """One start tag in a template's own text."""

    name: str
    """Its name in lower case."""
    text: str
    """All that is written in it; an expression is one NUL character."""
    index: int
    """The number of the token its name stands in."""
    offset: int
    """Where in that token its name ends."""
    line: int
    """The line of the template, from 1."""

    @property
    def wants_nonce(self) -> bool:
        """Tell whether a content security policy asks for the tag's nonce, and it has none of its own."""
        wanted = self.name in {"script", "style"} or (
            self.name == "link" and LOADED.search(self.text) is not None
        )
        return wanted and NONCED.search(self.text + ">") is None


Mark = tuple[str, str, str, str, tuple[int, int, int], tuple[str, ...]]
"""Where a reader of HTML stands."""


class Scanner:
    """Follow the states of HTML through the pieces of a template's text."""

    def __init__(self) -> None:
        self.tags: list[Tag] = []
        """The start tags so far."""
        self.state = "text"
        """Where the reader stands: `text`, `tag`, `value` (of an attribute, in quotes), `comment` or `raw` text."""
        self.raw = ""
        """The element whose raw text is read."""
        self._quote = ""
        self._name = ""
        self._place = (0, 0, 0)
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        """Return what is written in the tag that is read."""
        return "".join(self._parts)

    def mark(self) -> Mark:
        """Return where the reader stands, to come back to."""
        return self.state, self._quote, self.raw, self._name, self._place, tuple(self._parts)

    def back(self, mark: Mark) -> None:
        """Go back to where the reader stood."""
        self.state, self._quote, self.raw, self._name, self._place, parts = mark
        self._parts = list(parts)

    def expression(self) -> None:
        """Go past an expression: inside a tag it stands for text that is not known."""
        if self.state in {"tag", "value"}:
            self._parts.append("\0")

    def feed(self, index: int, line: int, text: str) -> None:
        """Go through one piece of text."""
        position = 0
        while position < len(text):
            if self.state == "text":
                position = self._in_text(index, line, text, position)
            elif self.state == "tag":
                position = self._in_tag(text, position)
            else:
                position = self._until_end(text, position)

    def _in_text(self, index: int, line: int, text: str, position: int) -> int:
        """Go to the end of the next tag's name, or into a comment."""
        match = OPENING.search(text, position)
        if match is None:
            return len(text)
        if match.group(1) == "!--":
            self.state = "comment"
        else:
            self.state, self._name, self._parts = "tag", match.group(1).lower(), []
            self._place = (index, match.end(), line + text.count("\n", 0, match.start()))
        return match.end()

    def _in_tag(self, text: str, position: int) -> int:
        """Go to the end of a tag, or into the value of an attribute."""
        match = IN_TAG.search(text, position)
        end = len(text) if match is None else match.end()
        self._parts.append(text[position:end])
        if match is not None and match.group() == ">":
            self._close()
        elif match is not None:
            self.state, self._quote = "value", match.group()
        return end

    def _until_end(self, text: str, position: int) -> int:
        """Go to the end of a value, a comment or raw text."""
        if self.state == "value":
            found = text.find(self._quote, position)
            end = len(text) if found < 0 else found + 1
            self._parts.append(text[position:end])
            self.state = "value" if found < 0 else "tag"
            return end
        ending = "-->" if self.state == "comment" else f"</{self.raw}"
        found = text.lower().find(ending, position)
        if found < 0:
            return len(text)
        after = found + 3 if self.state == "comment" else found
        self.state = "text"
        return after

    def _close(self) -> None:
        """End a tag: keep it, and go on in text or, after some, in raw text."""
        name = self._name
        self.state = "raw" if name in RAW_TEXT else "text"
        self.raw = name
        if not name.startswith("/"):
            self.tags.append(Tag(name, self.text, *self._place))


def tags(tokens: Iterable[Token], scanner: Scanner | None = None) -> list[Tag]:
    """Return the start tags in the text of a template, given the tokens of Jinja's lexer; a scanner may note more."""
    scanner = scanner or Scanner()
    branches: list[Mark] = []
    previous = ""
    for index, token in enumerate(tokens):
        if token.type == "data":
            scanner.feed(index, token.lineno, token.value)
        elif token.type == "variable_begin":
            scanner.expression()
        elif previous == "block_begin" and token.type == "name":
            if token.value in BRANCHING:
                branches.append(scanner.mark())
            elif token.value in BRANCHES and branches:
                scanner.back(branches[-1])
            elif token.value in JOINED and branches:
                branches.pop()
        previous = token.type
    return scanner.tags


class NonceExtension(Extension):
    """Add a nonce to the tags of a template that need one, when it is compiled."""

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        """Yield the tokens of a template, with an attribute added to each tag that wants it."""
        if stream.name is not None and NOT_HTML.search(stream.name):
            return stream
        tokens = list(stream)
        if not any(token.type == "data" and WANTED.search(token.value) for token in tokens):
            return tokens
        places: dict[int, list[int]] = {}
        for tag in tags(tokens):
            if tag.wants_nonce:
                places.setdefault(tag.index, []).append(tag.offset)
        return _with_nonces(tokens, places) if places else tokens


def _with_nonces(tokens: list[Token], places: dict[int, list[int]]) -> Iterator[Token]:
    """Yield tokens with a nonce at each place, save inside `trans`, whose text is a translator's key."""
    translated, previous = False, ""
    for index, token in enumerate(tokens):
        if previous == "block_begin" and token.value in {"trans", "endtrans"}:
            translated = token.value == "trans"
        previous = token.type
        if index not in places or translated:
            yield token
            continue
        start = 0
        for offset in sorted(places[index]):
            yield Token(token.lineno, "data", f'{token.value[start:offset]} nonce="')
            for kind, value in (("variable_begin", "{{"), ("name", GLOBAL), ("lparen", "("), ("rparen", ")")):
                yield Token(token.lineno, kind, value)
            yield Token(token.lineno, "variable_end", "}}")
            yield Token(token.lineno, "data", '"')
            start = offset
        yield Token(token.lineno, "data", token.value[start:])


def install(environment: Environment) -> None:
    """Have an environment put nonces into what it compiles from now on, and offer `csp_nonce()`."""
    environment.globals[GLOBAL] = csp_nonce
    environment.globals.setdefault("csp_nonce", csp_nonce)
    environment.add_extension(NonceExtension)


def unreached(environment: Environment) -> Iterator[tuple[str, int, str]]:
    """Yield template, line and attribute of what a nonce cannot reach: inline handlers, style attributes, `javascript:` URLs."""
    for name in environment.list_templates(filter_func=lambda one: not NOT_HTML.search(one)):
        try:
            source, _, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr]
            tokens = list(environment.lexer.tokenize(source, name))
        except (TemplateError, OSError, UnicodeError):
            continue  # a template that does not compile is not ours to report
        for tag in tags(tokens):
            for match in UNREACHED.finditer(tag.text):
                yield name, tag.line, match.group(1).strip().rstrip("=").strip()


UNREACHED: Final = re.compile(
    r"(?<=[\s\"'/])(on[a-z]+\s*=|style\s*=|(?:href|src|action|formaction)\s*=\s*[\"']?\s*javascript:)",
    re.IGNORECASE,
)
