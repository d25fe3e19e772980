"""Read one template: pieces by Jinja's lexer, places by the HTML tokeniser, values by its parser."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import TemplateSyntaxError

from stopper.finding import Location, Skipped
from stopper.records import dataclass, field
from stopper.source.expressions import Names, Part, elements_of, environment, parse, parts_of
from stopper.source.files import Text
from stopper.source.markup import Element, HTMLContext, State, Tokeniser, raw_state
from stopper.source.template import Autoescape, Form, Macro, Output, Statement, Tag, Template

MAX_EXPRESSIONS = 20_000
"""How many expressions of one template are read. The largest template measured holds 400."""

_LEXER = environment().lexer
_STRING = re.compile(r"[\"']([^\"'\n]+)[\"']")
_EXTENDS = re.compile(r"\{%[-+]?\s*extends\s+([^%]*?)[-+]?%\}")
_WORD = re.compile(r"[-+]?\s*(\w+)\s*(.*?)\s*\Z", re.DOTALL)
_FOR = re.compile(r"(.+?)\s+in\s+(.+?)(?:\s+recursive)?\s*\Z", re.DOTALL)
_CONDITION = re.compile(r"\s+if\s+.*\Z", re.DOTALL)
_SET = re.compile(r"([\w\s,.]+?)\s*=(?!=)\s*(.+)\Z", re.DOTALL)
_SIGNATURE = re.compile(r"(\w+)\s*\((.*)\)\s*\Z", re.DOTALL)
_CALLER = re.compile(r"\(([^)]*)\)")
_PIECE = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|.", re.DOTALL)
_TOKEN = re.compile(r"csrf|hidden_tag|xsrf", re.IGNORECASE)
_OPENING = frozenset(["for", "if", "macro", "call", "with", "block", "filter", "autoescape"])


def extended(content: str) -> tuple[str, ...]:
    """Return the names of the templates that a template extends, so far as they are constant."""
    return tuple(name for tag in _EXTENDS.findall(content) for name in _STRING.findall(tag))


@dataclass(slots=True)
class _Open:
    """A block that is open, and what to go back to at its end."""

    name: str
    before: State
    autoescape: bool
    first_end: State | None = None
    """Where the first branch of an ``if`` or ``for`` ended."""


@dataclass(slots=True)
class _FormOpen:
    element: Element
    token: bool = False
    delegates: list[str] = field(default_factory=list)


class Reader:
    """Fill a template. One method per statement that matters."""

    def __init__(
        self,
        template: Template,
        blocks: dict[str, State],
        start: Location | None = None,
        *,
        exact: bool = True,
    ) -> None:
        self.template = template
        self.text = template.text
        if "\r" in self.text.content:
            self.text = Text(re.sub(r"\r\n?", "\n", self.text.content))
        self.source = self.text.content
        self.inherited = blocks
        self.start = start
        self.exact = exact
        self.html = Tokeniser(self.source, _initial(template.path) if not template.inline else State())
        self.names = Names()
        self.bound: set[str] = set()
        self.open: list[_Open] = []
        self.form: _FormOpen | None = None
        self.autoescape = template.autoescape
        self.seen = 0

    def run(self) -> None:
        """Read the whole template; what cannot be read is told in its ``problems``."""
        position = begin = 0
        try:
            for _, kind, value in _LEXER.tokeniter(self.source, self.template.name):
                at = self._at(value, position)
                position = at + len(value)
                if kind == "data":
                    self._data(at, position)
                elif kind in {"variable_begin", "block_begin"}:
                    begin = at
                elif kind == "variable_end":
                    self._output(begin, position)
                elif kind == "block_end":
                    self._statement(begin, position)
                if self.seen > MAX_EXPRESSIONS:
                    self._problem(f"only its first {MAX_EXPRESSIONS:,} expressions were read")
                    break
        except TemplateSyntaxError as error:
            self._problem(f"not read from line {error.lineno} on: {error.message}")
        except RecursionError:
            self._problem("nested too deeply to be read whole")
        self._finish()

    def _at(self, value: str, position: int) -> int:
        """Return where a token stands; the lexer drops only the white space that ``-`` strips."""
        if self.source.startswith(value, position):
            return position
        found = self.source.find(value, position)
        return found if found >= 0 else position

    def _problem(self, reason: str) -> None:
        self.template.problems.append(Skipped(self.template.path, reason))

    def locate(self, start: int, end: int) -> Location:
        """Return the place of characters of the template in the file that holds it."""
        where = self.text.location(self.template.path, start, end)
        base = self.start
        if base is None:
            return where
        if not self.exact:
            return base
        column = where.column + (base.column - 1 if where.line == 1 else 0)
        end_column = where.end_column + (base.column - 1 if where.end_line == 1 else 0)
        shift = base.line - 1
        return Location(base.path, where.line + shift, column, where.end_line + shift, end_column)

    def _data(self, start: int, end: int) -> None:
        known = len(self.html.elements)
        self.html.feed(start, end)
        for element in self.html.elements[known:]:
            if element.tag == "form":
                self._close_form()
                self.form = _FormOpen(element)
            elif element.tag == "/form":
                self._close_form()
            elif element.tag == "input" and self.form is not None:
                named = " ".join(
                    attribute.value for attribute in element.attributes if attribute.name in {"name", "id"}
                )
                self.form.token = self.form.token or _TOKEN.search(named) is not None

    def _output(self, start: int, end: int) -> None:
        self.seen += 1
        end = self.source.rfind("}", start, end) + 1 or end
        first, last = _inside(self.source, start, end)
        text = self.source[first:last]
        place = self.html.dynamic(start)
        parts = parts_of(parse(text), self.names)
        prefix = self.source[place.value_start : start][-400:] if place.value_start >= 0 else ""
        output = Output(
            text, parts, place, self.locate(start, end), self.locate(first, last), self.autoescape, prefix,
            self.template.path,
        )  # fmt: skip
        self.template.outputs.append(output)
        self.template.program.append(output)
        if self.form is not None and place.context in {HTMLContext.TEXT, HTMLContext.QUOTED_ATTRIBUTE}:
            self._in_form(text, parts, place.context)

    def _in_form(self, text: str, parts: tuple[Part, ...], context: HTMLContext) -> None:
        assert self.form is not None
        if _TOKEN.search(text):
            self.form.token = True
        elif context is HTMLContext.TEXT:
            self.form.delegates.extend(part.dotted for part in parts if part.called and part.arguments)

    def _statement(self, start: int, end: int) -> None:
        self.seen += 1
        first, last = _inside(self.source, start, end)
        found = _WORD.match(self.source[first:last])
        if found is None:
            return
        word, rest = found[1], found[2]
        self.template.program.append(Statement(word, rest, self.locate(start, end)))
        if word in {"else", "elif"}:
            self._branch()
        elif word.startswith("end"):
            self._end(word[3:])
        else:
            if word in _OPENING:
                self.open.append(_Open(word, self.html.state, self.autoescape))
                self.names.scopes.append({}) if word in {"for", "macro", "call", "with"} else None
            method = _STATEMENTS.get(word)
            if method is not None:
                method(self, rest, start, end)
        if self.form is not None and word in {"include", "call", "block", "import", "from"}:
            self.form.delegates.append(f"{word} {rest}".strip())

    def _branch(self) -> None:
        if self.open and self.open[-1].name in {"if", "for"}:
            top = self.open[-1]
            top.first_end = top.first_end or self.html.state
            self.html.state = top.before

    def _end(self, name: str) -> None:
        if name not in {one.name for one in self.open}:
            return
        while self.open:
            top = self.open.pop()
            if top.name in {"for", "macro", "call", "with"} and len(self.names.scopes) > 1:
                self.names.scopes.pop()
            self.autoescape = top.autoescape
            if top.name == "macro" or (top.name == "block" and self.template.extends):
                self.html.state = top.before
            elif top.first_end is not None:
                self.html.state = top.first_end
            if top.name == name:
                return

    def _extends(self, rest: str, _start: int, _end: int) -> None:
        self.template.extends = (*self.template.extends, *(_STRING.findall(rest) or [""]))

    def _include(self, rest: str, _start: int, _end: int) -> None:
        self.template.includes = (*self.template.includes, *_STRING.findall(rest))

    def _import(self, rest: str, _start: int, _end: int) -> None:
        self.template.imports = (*self.template.imports, *_STRING.findall(rest)[:1])

    def _block(self, rest: str, _start: int, end: int) -> None:
        name = rest.split(maxsplit=1)[0] if rest else ""
        if self.template.extends and name in self.inherited:
            self.html.adopt(self.inherited[name], end)
        self.template.blocks.setdefault(name, self.html.state)

    def _macro(self, rest: str, start: int, end: int) -> None:
        found = _SIGNATURE.match(rest)
        if found is None:
            return
        names = tuple(
            name for part in found[2].split(",") if (name := part.partition("=")[0].strip()).isidentifier()
        )
        self.template.macros.append(Macro(found[1], names, self.locate(start, end)))
        self._parameters(names)

    def _call(self, rest: str, _start: int, _end: int) -> None:
        found = _CALLER.match(rest)
        if found is not None:
            self._parameters(tuple(part.partition("=")[0].strip() for part in found[1].split(",")))

    def _parameters(self, names: tuple[str, ...]) -> None:
        for name in names:
            self._bind(name, (Part((name,), parameter=True),))

    def _bind(self, name: str, parts: tuple[Part, ...]) -> None:
        inside = any(one.name in {"if", "for"} for one in self.open)
        self.names.bind(name, parts, also=inside)
        self.bound.add(name)

    def _for(self, rest: str, _start: int, _end: int) -> None:
        found = _FOR.match(rest)
        if found is None:
            return
        expression = parse(found[2]) or parse(_CONDITION.sub("", found[2]))
        scope = self.names.scopes.pop()
        parts = elements_of(expression, self.names)
        self.names.scopes.append(scope)
        for name in re.findall(r"\w+", found[1]):
            self.names.bind(name, parts)
            self.bound.add(name)
        self.names.bind("loop", (Part(constant=True),))

    def _set(self, rest: str, _start: int, _end: int) -> None:
        found = _SET.match(rest)
        if found is None:
            for name in re.findall(r"^\w+", rest):
                self._bind(name, (Part(constant=True),))
            return
        parts = parts_of(parse(found[2]), self.names)
        for name in (part.strip() for part in found[1].split(",")):
            if name.isidentifier():
                self._bind(name, parts)
                self.template.sets[name] = (*self.template.sets.get(name, ()), *parts)

    def _with(self, rest: str, _start: int, _end: int) -> None:
        for piece in _pieces(rest):
            self._set(piece.strip(), 0, 0)

    def _autoescape(self, rest: str, start: int, end: int) -> None:
        self.autoescape = rest.lower() != "false"
        self.template.autoescapes.append(Autoescape(rest, self.locate(start, end)))

    def _close_form(self) -> None:
        if self.form is None:
            return
        form, self.form = self.form, None
        tag = self._tag(form.element)
        method = (tag.get("method") or "get").strip().lower()
        token = form.token or any(_TOKEN.search(name + value) for name, value in tag.attributes)
        delegates = tuple(dict.fromkeys(form.delegates))
        self.template.forms.append(Form(tag.location, method, tag.get("action") or "", token, delegates))

    def _tag(self, element: Element) -> Tag:
        end = element.end if element.end > 0 else min(element.start + len(element.tag) + 1, len(self.source))
        attributes = tuple((attribute.name, attribute.value) for attribute in element.attributes)
        return Tag(element.tag, attributes, self.locate(element.start, end))

    def _finish(self) -> None:
        self._close_form()
        self.template.elements.extend(self._tags())
        self.template.locals = frozenset(self.bound)

    def _tags(self) -> Iterator[Tag]:
        return (self._tag(element) for element in self.html.elements if not element.tag.startswith("/"))


def _pieces(text: str) -> list[str]:
    """Cut a text at the commas that stand in no bracket and no string."""
    pieces, depth = [""], 0
    for part in _PIECE.findall(text):
        depth += (part in "([{") - (part in ")]}")
        if part == "," and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += part
    return pieces


_STATEMENTS = {
    "extends": Reader._extends,  # noqa: SLF001 - a table of this class's own methods
    "include": Reader._include,  # noqa: SLF001
    "import": Reader._import,  # noqa: SLF001
    "from": Reader._import,  # noqa: SLF001
    "block": Reader._block,  # noqa: SLF001
    "macro": Reader._macro,  # noqa: SLF001
    "call": Reader._call,  # noqa: SLF001
    "for": Reader._for,  # noqa: SLF001
    "set": Reader._set,  # noqa: SLF001
    "with": Reader._with,  # noqa: SLF001
    "autoescape": Reader._autoescape,  # noqa: SLF001
}


def _inside(source: str, start: int, end: int) -> tuple[int, int]:
    """Return where the text between the delimiters starts and ends, without white space, ``-`` and ``+``."""
    first, last = start + 2, max(source.rfind("}", start, end) - 1, start + 2)
    if source[first : first + 1] in {"-", "+"}:
        first += 1
    if last > first and source[last - 1] in "-+":
        last -= 1
    while first < last and source[first].isspace():
        first += 1
    while last > first and source[last - 1].isspace():
        last -= 1
    return first, last


def _initial(path: str) -> State:
    """Return the state at a file's start: a ``.js`` template is a script as a whole."""
    lower = path.lower().removesuffix(".j2").removesuffix(".jinja2").removesuffix(".jinja")
    return (
        raw_state("script")
        if lower.endswith(".js")
        else raw_state("style")
        if lower.endswith(".css")
        else State()
    )
