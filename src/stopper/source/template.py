"""One Jinja template as facts: its expressions, elements, forms, and what it extends and includes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Location, Skipped
from stopper.records import dataclass, field
from stopper.source.expressions import Part
from stopper.source.files import Role, Text
from stopper.source.markup import HTMLContext, Place, State

_BRACES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Output:
    """One ``{{ expression }}``."""

    expression: str
    """The text between the braces, stripped."""
    parts: tuple[Part, ...]
    """The values it can come out as; a loop variable or a ``set`` is followed to what it was bound to."""
    place: Place
    location: Location
    """Braces included."""
    inner: Location
    """The expression alone."""
    autoescaped: bool
    """Whether Jinja escapes here; ``|safe`` aside, which stands in ``filters``."""
    prefix: str = ""
    """What stands before the expression in the same attribute value."""
    template: str = ""
    """The template's path."""

    @property
    def context(self) -> HTMLContext:
        """Return where in the page it stands."""
        return self.place.context

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """Return the variables and attribute paths that the value comes from."""
        return tuple(dict.fromkeys(part.path for part in self.parts if part.path))

    @property
    def filters(self) -> tuple[str, ...]:
        """Return the filters of the value, or of the first one where there are several."""
        return next((part.filters for part in self.parts if not part.constant), ())

    @property
    def constant(self) -> bool:
        """Tell whether nothing but literals can come out."""
        return all(part.constant for part in self.parts)

    @property
    def leads(self) -> bool:
        """Tell whether the expression stands first in its attribute value, and so decides a URL's scheme."""
        return not _BRACES.sub("", self.prefix).strip() and "{{" not in self.prefix


@dataclass(frozen=True, slots=True)
class Statement:
    """One ``{% statement %}``."""

    word: str
    """The first word: ``for``, ``endfor``."""
    rest: str
    """What follows it, as written."""
    location: Location


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro and its parameters."""

    name: str
    parameters: tuple[str, ...]
    location: Location


@dataclass(frozen=True, slots=True)
class Autoescape:
    """An ``{% autoescape %}`` block."""

    value: str
    """The expression as written: ``false``."""
    location: Location


@dataclass(frozen=True, slots=True)
class Form:
    """A form, and whether it carries a CSRF token."""

    location: Location
    """The start tag."""
    method: str
    """In lower case; "get" when nothing is said; what an expression says is kept as written."""
    action: str
    token: bool
    """An expression or a field in it carries a token."""
    delegates: tuple[str, ...]
    """Macros, includes and blocks in it, which may write the token."""


@dataclass(frozen=True, slots=True)
class Tag:
    """An element that rules ask for, its attributes as the template writes them."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    location: Location

    def get(self, name: str) -> str | None:
        """Return an attribute's value, or None where there is none."""
        return next((value for key, value in self.attributes if key == name), None)


@dataclass(eq=False)
class Template:
    """One template, read."""

    path: str
    """The file, relative to the target; for an inline template the module that holds it."""
    name: str
    """As ``render_template`` names it, relative to its template folder; "" for an inline one."""
    text: Text = field(repr=False)
    html: bool
    """Whether it makes HTML; a plain text mail does not."""
    autoescape: bool
    """Whether Jinja escapes in it unless a block says otherwise."""
    role: Role = Role.APP
    inline: bool = False
    extends: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    called: Location | None = None
    """The call that makes an inline template."""
    program: list[Output | Statement] = field(default_factory=list, repr=False)
    """Every expression and statement, in the order of the text."""
    outputs: list[Output] = field(default_factory=list)
    elements: list[Tag] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    macros: list[Macro] = field(default_factory=list)
    autoescapes: list[Autoescape] = field(default_factory=list)
    blocks: dict[str, State] = field(default_factory=dict)
    """Each block's name, and where in the page it stands."""
    sets: dict[str, tuple[Part, ...]] = field(default_factory=dict)
    """The names that ``{% set %}`` binds, and what to."""
    locals: frozenset[str] = frozenset()
    """Every name that the template binds itself."""
    problems: list[Skipped] = field(default_factory=list)

    def tags(self, *names: str) -> Iterator[Tag]:
        """Yield the start tags with one of these names, in their order."""
        return (tag for tag in self.elements if tag.tag in names)

    @property
    def scripts(self) -> list[Tag]:
        """Return the script elements."""
        return list(self.tags("script"))

    @property
    def handlers(self) -> list[Tag]:
        """Return the elements with an inline event handler."""
        return [tag for tag in self.elements if any(name.startswith("on") for name, _ in tag.attributes)]

    @property
    def outermost(self) -> bool:
        """Tell whether the template extends no other."""
        return not self.extends
