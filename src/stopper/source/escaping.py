"""Where a template's values come from, and what has been done to them: the user's, clean, or not known."""

from __future__ import annotations

import enum
import re
from functools import cached_property
from typing import TYPE_CHECKING

from stopper.finding import Location
from stopper.records import dataclass
from stopper.source.passed import REQUEST_PARTS, Known, judge

if TYPE_CHECKING:
    from stopper.source.code import Code, Expr
    from stopper.source.expressions import Part
    from stopper.source.project import Project
    from stopper.source.template import Output, Template
    from stopper.source.templates import Templates

HARMLESS_FILTERS = frozenset(
    (
        "int",
        "float",
        "length",
        "count",
        "round",
        "filesizeformat",
        "wordcount",
        "abs",
        "bool",
        "tojson",
        "xmlattr",
    )
)
"""Filters whose result holds no markup of the value."""

ESCAPING_FILTERS = frozenset(("e", "escape", "forceescape", "urlencode", "tojson", "htmlsafe_json_dumps"))
"""Filters that escape the value for HTML text and quoted attributes."""

_CLEANS = re.compile(r"clean|saniti[sz]e|bleach|nh3|escape|purify|safe_html|csrf", re.IGNORECASE)
_FORMATS = re.compile(
    r"(?:^|_)(?:date|time|datetime|timeago|ago|money|currency|number|bytes|size)|(?:date|time)(?:format|$)"
)
_TRUSTED_ROOTS = frozenset(
    ("config", "loop", "super", "caller", "self", "url_for", "csrf_token", "range", "cycler", "lipsum")
)
_TRUSTED_CALLS = re.compile(
    r"(?:^|\.)(?:url_for|static_url|asset_url|\w*_url_for|csrf_token|hidden_tag|csp_nonce|get_locale|moment|"
    r"fromNow|include_moment|include_jquery|load_css|load_js|static_file|strftime|isoformat|now|"
    r"today|render_css|render_js)$"
)
_TRANSLATIONS = frozenset(("_", "gettext", "ngettext", "pgettext", "npgettext", "lazy_gettext", "ugettext"))
_CONFIGURED = re.compile(r"(?:^|_)(?:config|settings?|app_settings)(?:_|$)", re.IGNORECASE)
_NO_TEXT = re.compile(
    r"(?:^|_)(?:id|pk|page|index|count|size|width|height|length|total|number|limit|year|port|"
    r"percent|percentage|bits)$|"
    r"[a-z](?:Id|Length|Count|Size|Width|Height)$|^(?:is|has|can|num)_"
)
_NAMES_THING = re.compile(r"(?:^|_)(?:identifier|ident|uuid|guid|slug|uid)$", re.IGNORECASE)
_FORM_DATA = re.compile(r"^(?:\w*form)\.\w+\.(?:data|raw_data|object_data)$", re.IGNORECASE)
_SANITISERS = (
    "bleach.clean", "bleach.Cleaner().clean", "nh3.clean", "nh3.Cleaner().clean", "nh3.clean_text",
    "markupsafe.escape", "markupsafe.Markup.escape", "flask.escape", "html.escape",
    "lxml.html.clean.clean_html", "lxml_html_clean.clean_html",
    "lxml.html.clean.Cleaner().clean_html", "lxml_html_clean.Cleaner().clean_html",
    "html_sanitizer.Sanitizer().sanitize",
)  # fmt: skip
_SCREENED = frozenset(f"{name}()" for name in _SANITISERS)


class Kind(enum.StrEnum):
    """What is known of a value."""

    USER = "user"
    """The request holds it: whoever sends the request writes it."""
    CLEAN = "clean"
    """Constant, sanitised, or made by the application."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from."""

    kind: Kind
    name: str = ""
    """What it is read from: ``post.body``, ``request.args.get``."""
    location: Location | None = None
    """Where the view passes it."""


_CLEAN = Origin(Kind.CLEAN)


def holds_no_text(output: Output) -> bool:
    """Tell whether a value's names say that it is a number or a flag: ``post.id``, ``is_admin``."""
    return bool(output.names) and all(_NO_TEXT.search(path[-1]) for path in output.names)


def names_a_thing(output: Output) -> bool:
    """Tell whether a value's names say that the application gave it to tell things apart: ``plugin.identifier``."""
    return bool(output.names) and all(_NAMES_THING.search(path[-1]) for path in output.names)


class Origins:
    """Trace the values of templates back to what the views pass."""

    def __init__(self, code: Code | None, templates: Templates) -> None:
        self.code = code
        self.templates = templates

    def of(self, output: Output, template: Template, *, skip: frozenset[str] = frozenset()) -> Origin:
        """Return the worst origin of what an expression can come out as; filters in ``skip`` do not clean."""
        found = [self._part(part, template, skip) for part in output.parts]
        order = (Kind.USER, Kind.UNKNOWN, Kind.CLEAN)
        return min(found, key=lambda origin: order.index(origin.kind), default=_CLEAN)

    def _part(self, part: Part, template: Template, skip: frozenset[str]) -> Origin:
        if part.constant or self._cleaned(part, skip):
            return _CLEAN
        name = part.dotted
        if part.root in _TRANSLATIONS and part.called:
            return self._arguments(part, template)
        if part.root in _TRUSTED_ROOTS or _TRUSTED_CALLS.search(name):
            return _CLEAN
        if part.root == "request" and part.path[1:2] and part.path[1] in REQUEST_PARTS:
            return Origin(Kind.USER, name)
        if _FORM_DATA.match(name):
            return Origin(Kind.USER, name)
        if _CONFIGURED.search(part.root) or self._is_constant_call(part, template):
            return _CLEAN
        if part.root in self.fixed and not part.called and part.root not in self._context(template):
            return _CLEAN
        if _is_widget(part) or "csrf" in name.lower() or name.endswith("nonce"):
            return _CLEAN
        if part.called and self._is_macro(part, template):
            return _CLEAN
        return Origin(Kind.UNKNOWN, name) if part.parameter else self._passed(part, template)

    def _cleaned(self, part: Part, skip: frozenset[str]) -> bool:
        names = (*part.filters, *((part.path[-1],) if part.called and part.path else ()))
        return any(
            name not in skip
            and (
                name in HARMLESS_FILTERS
                or name in ESCAPING_FILTERS
                or _CLEANS.search(name)
                or _FORMATS.search(name)
                or name in self.sanitising
            )
            for name in names
        )

    def _arguments(self, part: Part, template: Template) -> Origin:
        from stopper.source.expressions import Part as Read

        found = [self._part(Read(path), template, frozenset()) for path in part.arguments]
        return next((origin for origin in found if origin.kind is Kind.USER), _first_unknown(found))

    def _is_macro(self, part: Part, template: Template) -> bool:
        if any(
            macro.name == part.path[-1] for one in self.templates.family(template) for macro in one.macros
        ):
            return True
        return bool(template.imports) and len(part.path) > 1 and part.root not in self._context(template)

    def _is_constant_call(self, part: Part, template: Template) -> bool:
        """Tell whether a global function makes the value of constants: ``include_static("logo.svg")``."""
        return (
            part.called
            and len(part.path) == 1
            and not part.arguments
            and part.root not in self._context(template)
        )

    def _passed(self, part: Part, template: Template) -> Origin:
        passed = self._context(template).get(part.root, [])
        if not passed:
            return Origin(Kind.UNKNOWN, part.dotted)
        found = [_of_expression(expression, part, _SCREENED | self.sanitising) for expression in passed]
        user = next((origin for origin in found if origin.kind is Kind.USER), None)
        return user or _first_unknown(found)

    def _context(self, template: Template) -> dict[str, list[Expr]]:
        return self.contexts.get(id(template), {})

    @cached_property
    def contexts(self) -> dict[int, dict[str, list[Expr]]]:
        """What views pass, by template and name; what is extended and included sees it too."""
        found: dict[int, dict[str, list[Expr]]] = {}
        if self.code is None:
            return found
        for call in self.code.calls("flask.render_template", "flask.stream_template"):
            argument = call.argument(0, "template_name_or_list")
            name = argument.value.constant if argument is not None else None
            given = call.keywords
            templates = (
                self.templates.named(name, call.module.path) if isinstance(name, str) and given else []
            )
            for one in (one for template in templates for one in self.templates.family(template)):
                context = found.setdefault(id(one), {})
                for key, expression in given.items():
                    context.setdefault(key, []).append(expression)
        return found

    @cached_property
    def fixed(self) -> frozenset[str]:
        """The names that the application gives all templates once, when it is set up: ``jinja_env.globals["version"]``."""
        if self.code is None:
            return frozenset()
        stores = self.code.stores("flask.Flask().jinja_env.globals")
        return frozenset(
            store.key for store in stores if store.value.name not in ("flask.g", "flask.session")
        )

    @cached_property
    def sanitising(self) -> frozenset[str]:
        """The names of the project's functions that call a sanitiser: a filter of that name cleans."""
        if self.code is None:
            return frozenset()
        names = (call.function.rpartition(".")[2] for call in self.code.calls(*_SANITISERS))
        return frozenset(name for name in names if name)


def _of_expression(expression: Expr, part: Part, screened: frozenset[str]) -> Origin:
    known, name = judge(expression, screened)
    if known is Known.UNKNOWN or (known is Known.CLEAN and part.path[1:]):
        return Origin(Kind.UNKNOWN, part.dotted, expression.location)
    return Origin(Kind.USER, name, expression.location) if known is Known.USER else _CLEAN


def _first_unknown(origins: list[Origin]) -> Origin:
    return next((origin for origin in origins if origin.kind is not Kind.CLEAN), _CLEAN)


def _is_widget(part: Part) -> bool:
    """Tell whether a value is a form's field as HTML: ``form.title(class="a")``, ``form.title.label``."""
    if not part.path or not re.search(r"form$|^field$", part.root, re.IGNORECASE):
        return False
    return part.called or len(part.path) <= 2 or part.path[2] in {"label", "errors", "description"}


def origins_of(project: Project) -> Origins:
    """Return a project's origins, traced once."""
    return project.cached("template origins", lambda: Origins(project.code, project.templates))
