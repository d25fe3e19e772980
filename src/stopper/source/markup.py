"""HTML as a state machine: where in the page a template's expression stands.

The text of a template is fed piece by piece; between two pieces stands an expression. After each piece the
state says in which context the next character is: text, an attribute, a URL, a script, a string in a script.

Approximated, and told here once: a template's blocks (``{% if %}``, ``{% for %}``) each start in the state
that was before them, and what follows them goes on from the end of the first branch; regular expressions in
scripts are not told from divisions, a string is therefore taken to end at the end of its line.
"""

from __future__ import annotations

import enum
import re
from dataclasses import replace

from stopper.records import dataclass, field


class HTMLContext(enum.StrEnum):
    """Where in an HTML page something stands; each place needs its own escaping."""

    TEXT = "text"
    QUOTED_ATTRIBUTE = "quoted attribute"
    UNQUOTED_ATTRIBUTE = "unquoted attribute"
    ATTRIBUTE_NAME = "tag"
    """Inside a tag, outside any value."""
    URL = "url"
    """The quoted value of an attribute that holds a URL."""
    EVENT_HANDLER = "event handler"
    STYLE = "style"
    """A style attribute or a style element."""
    SCRIPT = "script"
    SCRIPT_STRING = "string in a script"
    COMMENT = "comment"
    RCDATA = "title or textarea"


URL_ATTRIBUTES = frozenset(
    (
        "href",
        "src",
        "action",
        "formaction",
        "data",
        "xlink:href",
        "srcset",
        "poster",
        "cite",
        "background",
        "longdesc",
        "manifest",
        "codebase",
        "ping",
    )
)
"""Attributes whose value a browser loads, submits to or follows."""

_KEPT = frozenset(
    (
        "form",
        "script",
        "link",
        "a",
        "area",
        "iframe",
        "frame",
        "img",
        "meta",
        "object",
        "embed",
        "source",
        "video",
        "audio",
        "input",
        "base",
        "style",
        "button",
        "svg",
        "use",
    )
)
_RAW = frozenset(("script", "style", "textarea", "title"))
_JAVASCRIPT = re.compile(
    r"^\s*$|javascript|ecmascript|^module$|json|^importmap$|babel|typescript|jsx|\{[{%]", re.IGNORECASE
)
_MARKUP = re.compile(r"<(!--|/?[a-zA-Z][^\s/>]*|[!?])")
_NAME = re.compile(r"[\s/]*(?:(>)|([^\s=>/][^\s=>/]*))")
_EQUALS = re.compile(r"\s*=\s*")
_BARE_END = re.compile(r"[\s>]")
_SCRIPT_TOKEN = re.compile(r"//|/\*|[\"'`]")
_STRING_END = {
    "'": re.compile(r"\\.|'|\n", re.DOTALL),
    '"': re.compile(r'\\.|"|\n', re.DOTALL),
    "`": re.compile(r"\\.|`", re.DOTALL),
    "//": re.compile(r"\n"),
    "/*": re.compile(r"\*/"),
}
_CLOSING = {tag: re.compile(rf"</{tag}(?=[\s/>])", re.IGNORECASE) for tag in _RAW}


class _Mode(enum.Enum):
    DATA = enum.auto()
    TAG = enum.auto()
    VALUE_START = enum.auto()
    VALUE = enum.auto()
    RAW = enum.auto()
    COMMENT = enum.auto()


@dataclass(slots=True, eq=False)
class Attribute:
    """An attribute of an element as the template writes it, expressions included."""

    name: str
    """In lower case."""
    start: int
    """Where the name starts."""
    value: str = ""
    value_start: int = -1
    """Where the value starts, after its quote; -1 without a value."""
    quote: str = ""


@dataclass(slots=True, eq=False)
class Element:
    """A start tag or an end tag."""

    tag: str
    """In lower case; ``/form`` for an end tag."""
    start: int
    end: int = -1
    """Exclusive; -1 for a tag that never ends."""
    attributes: list[Attribute] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        """Return an attribute's value as written, or None where there is no such attribute."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute.value
        return None


@dataclass(frozen=True, slots=True)
class State:
    """Where the tokeniser stands. Small, so that a block can be left where it was entered."""

    mode: _Mode = _Mode.DATA
    element: Element | None = None
    attribute: Attribute | None = None
    raw: str = ""
    """The element whose text is not markup: ``script``, ``style``, ``textarea`` or ``title``."""
    script: str = ""
    """What is open in a script: a quote, ``//`` or ``/*``."""


def raw_state(element: str) -> State:
    """Return the state inside a ``script``, ``style``, ``textarea`` or ``title`` element."""
    return State(_Mode.RAW, Element(element, 0), raw=element)


@dataclass(frozen=True, slots=True)
class Place:
    """The place of an expression in the page."""

    context: HTMLContext
    tag: str = ""
    attribute: str = ""
    quote: str = ""
    """The quote around the attribute's value, or around the string in the script."""
    value_start: int = -1
    """Where the attribute's value starts in the template."""


class Tokeniser:
    """Follow a template's text, and keep the elements that rules ask for."""

    def __init__(self, source: str, state: State | None = None) -> None:
        self.source = source
        self.state = state or State()
        self.elements: list[Element] = []

    def feed(self, start: int, end: int) -> None:
        """Read the characters ``start`` to ``end`` of the source, which hold no expression."""
        position = start
        while position < end:
            position = _STEPS[self.state.mode](self, position, end)

    def dynamic(self, start: int) -> Place:
        """Tell where an expression that stands at ``start`` is, and step over it."""
        if self.state.mode is _Mode.VALUE_START:
            self._open_value(start, "")
        state = self.state
        if state.mode is _Mode.VALUE and state.attribute is not None and state.element is not None:
            return _in_attribute(state.element, state.attribute)
        if state.mode is _Mode.RAW:
            return _in_raw(state)
        if state.mode is _Mode.TAG and state.element is not None:
            return Place(HTMLContext.ATTRIBUTE_NAME, state.element.tag)
        return Place(HTMLContext.COMMENT if state.mode is _Mode.COMMENT else HTMLContext.TEXT)

    def adopt(self, state: State, start: int) -> None:
        """Go on at ``start`` as another template stood: what a block of that template will stand in."""
        element = Element(state.element.tag, start) if state.element is not None else None
        attribute = None
        if state.attribute is not None:
            inside = state.mode is _Mode.VALUE
            quote = state.attribute.quote if inside else ""
            attribute = Attribute(
                state.attribute.name, start, value_start=start if inside else -1, quote=quote
            )
        self.state = replace(state, element=element, attribute=attribute)

    def _data(self, position: int, end: int) -> int:
        found = _MARKUP.search(self.source, position, end)
        if found is None:
            return end
        what = found[1].lower()
        if what == "!--":
            self.state = State(_Mode.COMMENT)
            return found.end()
        element = Element(what, found.start())
        if what.lstrip("/") in _KEPT:
            self.elements.append(element)
        self.state = State(_Mode.TAG, element)
        return found.end()

    def _comment(self, position: int, end: int) -> int:
        found = self.source.find("-->", position, end)
        if found < 0:
            return end
        self.state = State()
        return found + 3

    def _tag(self, position: int, end: int) -> int:
        if self.source[position] == "=" and self.state.attribute is not None:
            self.state = replace(self.state, mode=_Mode.VALUE_START)
            return position + 1
        found = _NAME.match(self.source, position, end)
        if found is None:
            return position + 1 if self.source[position] == "=" else end
        if found[1]:
            self._close_tag(found.end())
            return found.end()
        element = self.state.element
        assert element is not None
        attribute = Attribute(found[2].lower(), found.start(2))
        element.attributes.append(attribute)
        if attribute.name.startswith("on") and element.tag not in _KEPT and element not in self.elements[-1:]:
            self.elements.append(element)
        equals = _EQUALS.match(self.source, found.end(), end)
        self.state = State(_Mode.VALUE_START if equals else _Mode.TAG, element, attribute)
        return equals.end() if equals else found.end()

    def _value_start(self, position: int, _end: int) -> int:
        character = self.source[position]
        if character.isspace():
            return position + 1
        if character in "\"'":
            self._open_value(position + 1, character)
            return position + 1
        if character == ">":
            self.state = replace(self.state, mode=_Mode.TAG)
            return position
        self._open_value(position, "")
        return position

    def _open_value(self, start: int, quote: str) -> None:
        attribute = self.state.attribute
        if attribute is not None:
            attribute.value_start = start
            attribute.quote = quote
        self.state = replace(self.state, mode=_Mode.VALUE)

    def _value(self, position: int, end: int) -> int:
        attribute = self.state.attribute
        assert attribute is not None
        if attribute.quote:
            stop = self.source.find(attribute.quote, position, end)
        else:
            found = _BARE_END.search(self.source, position, end)
            stop = found.start() if found else -1
        if stop < 0:
            return end
        attribute.value = self.source[attribute.value_start : stop]
        self.state = State(_Mode.TAG, self.state.element)
        return stop + len(attribute.quote)

    def _close_tag(self, end: int) -> None:
        element = self.state.element
        assert element is not None
        element.end = end
        if element.tag in _RAW and (element.tag != "script" or _JAVASCRIPT.search(element.get("type") or "")):
            self.state = State(_Mode.RAW, element, raw=element.tag)
        else:
            self.state = State()

    def _raw(self, position: int, end: int) -> int:
        closing = _CLOSING[self.state.raw].search(self.source, position, end)
        stop = closing.start() if closing else end
        if self.state.raw == "script":
            self._script(position, stop)
        if closing:
            self.state = State()
        return stop

    def _script(self, position: int, end: int) -> None:
        inside = self.state.script
        while position < end:
            found = (_STRING_END[inside] if inside else _SCRIPT_TOKEN).search(self.source, position, end)
            if found is None:
                break
            position = found.end()
            if not inside:
                inside = found[0]
            elif not found[0].startswith("\\"):
                inside = ""
        self.state = replace(self.state, script=inside)


_STEPS = {
    _Mode.DATA: Tokeniser._data,  # noqa: SLF001 - a table of this class's own steps
    _Mode.TAG: Tokeniser._tag,  # noqa: SLF001
    _Mode.VALUE_START: Tokeniser._value_start,  # noqa: SLF001
    _Mode.VALUE: Tokeniser._value,  # noqa: SLF001
    _Mode.RAW: Tokeniser._raw,  # noqa: SLF001
    _Mode.COMMENT: Tokeniser._comment,  # noqa: SLF001
}


def _in_attribute(element: Element, attribute: Attribute) -> Place:
    return Place(
        _attribute_context(attribute), element.tag, attribute.name, attribute.quote, attribute.value_start
    )


def _attribute_context(attribute: Attribute) -> HTMLContext:
    name = attribute.name
    if re.match(r"on[a-z]{3,}$", name):
        return HTMLContext.EVENT_HANDLER
    if name == "style":
        return HTMLContext.STYLE
    if not attribute.quote:
        return HTMLContext.UNQUOTED_ATTRIBUTE
    return HTMLContext.URL if name in URL_ATTRIBUTES else HTMLContext.QUOTED_ATTRIBUTE


def _in_raw(state: State) -> Place:
    if state.raw == "style":
        return Place(HTMLContext.STYLE, "style")
    if state.raw != "script":
        return Place(HTMLContext.RCDATA, state.raw)
    quoted = len(state.script) == 1
    context = (
        HTMLContext.SCRIPT_STRING if quoted else HTMLContext.COMMENT if state.script else HTMLContext.SCRIPT
    )
    return Place(context, "script", quote=state.script if quoted else "")
