"""The Jinja templates of a project: files and inline strings, and what each expression in them is.

Read with Jinja's own lexer and expression parser. Statements are told apart by their first word, so that a
tag of an extension nobody here knows hides nothing. Not followed: changed delimiters and line statements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from stopper.finding import Location, Skipped
from stopper.records import dataclass, field
from stopper.regex import regex
from stopper.source.files import Nearby, Role, SourceFile, Text, Tree, folders_above
from stopper.source.markup import State
from stopper.source.template import Output, Template
from stopper.source.template_reader import Reader, extended

if TYPE_CHECKING:
    from stopper.source.code import Call, Code, Expr

AUTOESCAPED = (".html", ".htm", ".xml", ".xhtml", ".svg")
"""The endings for which Flask switches autoescape on; it looks at the case."""

_READ = (
    "html",
    "htm",
    "xhtml",
    "xml",
    "svg",
    "txt",
    "j2",
    "jinja",
    "jinja2",
    "tmpl",
    "tpl",
    "md",
    "mjml",
    "js",
    "css",
)
_ANYWHERE = (".html", ".htm", ".xhtml", ".j2", ".jinja", ".jinja2")
_STATEMENT = re.compile(
    r"\{%[-+]?\s*(?:extends|include|block|macro|import|from|set|for|if|call|with|trans|autoescape)\b"
)
_FOREIGN = regex(r"\{%\s*load\s+\w|(?:^|\W)ng-app\b")
_HTML = re.compile(
    r"<(?:!doctype|html|body|head|div|p|a|span|table|t[rdh]|script|h[1-6]|ul|li|br|form|b|i|strong)\b",
    re.IGNORECASE,
)
_NOT_FLASK = re.compile(r"(?:^|/)(?:roles|playbooks|ansible|charts|helm|puppet|salt)(?:/|$)")

_LOADERS = ("jinja2.FileSystemLoader", "jinja2.PackageLoader")
_INLINE = {
    "flask.render_template_string": ("source", True),
    "flask.stream_template_string": ("source", True),
    "flask.Flask().jinja_env.from_string": ("source", True),
    "jinja2.Template": ("source", False),
    "jinja2.Environment().from_string": ("source", False),
}
"""The calls that take a template as text: the argument's keyword, and whether its output is escaped."""


@dataclass(eq=False)
class Templates:
    """Every template of a project."""

    all: tuple[Template, ...]
    skipped: tuple[Skipped, ...] = ()
    _families: dict[int, list[Template]] = field(default_factory=dict, repr=False)
    _nearby: dict[str, Nearby[Template]] = field(default_factory=dict, repr=False)

    @cached_property
    def by_name(self) -> dict[str, list[Template]]:
        """The templates by the name that ``render_template`` uses; two blueprints may have the same name."""
        named: dict[str, list[Template]] = {}
        for template in self.all:
            if template.name:
                named.setdefault(template.name, []).append(template)
        return named

    @cached_property
    def by_path(self) -> dict[str, Template]:
        """The template files by their path."""
        return {template.path: template for template in self.all if not template.inline}

    def html(self) -> Iterator[Template]:
        """Yield the templates of the app itself that make HTML: not those of tests, docs and migrations."""
        return (template for template in self.all if template.html and template.role is Role.APP)

    def outputs(self) -> Iterator[tuple[Template, Output]]:
        """Yield each expression that these templates write into a page, with its template."""
        return ((template, output) for template in self.html() for output in template.outputs)

    def family(self, template: Template) -> list[Template]:
        """Return a template with all that it extends, includes and imports, each once, itself first."""
        known = self._families.get(id(template))
        if known is None:
            found: dict[int, Template] = {id(template): template}
            waiting = [template]
            for one in waiting:
                for name in (*one.extends, *one.includes, *one.imports):
                    fresh = [other for other in self.named(name, one.path) if id(other) not in found]
                    found.update((id(other), other) for other in fresh)
                    waiting += fresh
            known = self._families[id(template)] = list(found.values())
        return known

    def named(self, name: str, near: str) -> list[Template]:
        """Return the templates of a name; of more than a few, which then belong to several applications, those nearest to a path."""
        return self._of(name).meant(near)

    def nearest(self, name: str, near: str) -> list[Template]:
        """Return the templates of a name whose paths have the most folders in common with a path."""
        return self._of(name).nearest(near)

    def _of(self, name: str) -> Nearby[Template]:
        found = self._nearby.get(name)
        if found is None:
            found = self._nearby[name] = Nearby((one.path, one) for one in self.by_name.get(name, []))
        return found


def read(tree: Tree, code: Code | None) -> Templates:
    """Read every template of the tree, and those that the code holds as strings."""
    folders = _folders(tree, code)
    pending = [one for file in tree.files if (one := _from_file(file, folders)) is not None]
    parents: dict[str, Template] = {}
    for template in pending:
        parents.setdefault(template.name, template)
    done: set[int] = set()
    for template in pending:
        _read_after_parents(template, parents, done)
    inline = list(_inline(code)) if code is not None else []
    for template, start in inline:
        Reader(template, {}, start).run()
    every = (*pending, *(template for template, _ in inline))
    return Templates(every, tuple(problem for template in every for problem in template.problems))


def _read_after_parents(template: Template, parents: dict[str, Template], done: set[int]) -> None:
    """Read what a template extends before itself, so that a block knows where in the page it will stand."""
    line = [template]
    for one in line:
        for name in extended(one.text.content):
            parent = parents.get(name)
            if parent is not None and parent not in line:
                line.append(parent)
    for one in reversed(line):
        if id(one) not in done:
            done.add(id(one))
            known: dict[str, State] = {}
            for other in reversed(line):
                known.update({key: state for key, state in other.blocks.items() if key not in known})
            Reader(one, known if one is not line[-1] else {}).run()


def _folders(tree: Tree, code: Code | None) -> frozenset[str]:
    """Return the template folders that the code names, relative to the target, each ending in a slash."""
    found: set[str] = set()
    there = {f"{folder}/" for file in tree.files for folder in folders_above(file.path) if folder}
    for call in _calls(code, ("flask.Flask", "flask.Blueprint", *_LOADERS)):
        value = _searched(call)
        if not value.strip("./"):
            continue
        base = call.module.path.rpartition("/")[0]
        above = base.rpartition("/")[0]
        for start in dict.fromkeys((base, above, "") if call.name.endswith("PackageLoader") else (base, "")):
            folder = _normal(f"{start}/{value}")
            if folder in there:
                found.add(folder)
                break
    return frozenset(found)


def _searched(call: Call) -> str:
    """Return the folder that a call names, "" where it is not constant."""
    if call.name.startswith("flask."):
        return _text(call.argument(None, "template_folder"))
    if call.name.endswith("FileSystemLoader"):
        return _text(call.argument(0, "searchpath"))
    package, inside = _text(call.argument(0, "package_name")), call.argument(1, "package_path")
    folder = _text(inside) if inside is not None else "templates"
    return f"{package.replace('.', '/')}/{folder}" if package and folder else ""


def _text(argument: Expr | None) -> str:
    value = argument.value.constant if argument is not None else None
    return value if isinstance(value, str) else ""


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts) + "/"


def _calls(code: Code | None, names: Iterable[str]) -> Iterator[Call]:
    return iter(()) if code is None else code.calls(*names)


def _from_file(file: SourceFile, folders: frozenset[str]) -> Template | None:
    ending = file.name.rpartition(".")[2].lower()
    if ending not in _READ or _NOT_FLASK.search(file.folder):
        return None
    name = _name(file.path, folders)
    if name is None and not file.name.endswith(_ANYWHERE):
        return None
    content = file.text.content
    if name is None and (_STATEMENT.search(content) is None or _FOREIGN.search(content)):
        return None
    if "{" not in content and "<" not in content:
        return None
    html = _is_html(file.name, content)
    return Template(file.path, name or file.name, file.text, html, file.name.endswith(AUTOESCAPED), file.role)


def _name(path: str, folders: frozenset[str]) -> str | None:
    for folder in folders_above(path) if folders else ():
        if f"{folder}/" in folders:
            return path[len(folder) + 1 :]
    for marker in ("templates/", "template/"):
        start = 0 if path.startswith(marker) else path.find("/" + marker) + 1
        if start or path.startswith(marker):
            return path[start + len(marker) :]
    return None


def _is_html(name: str, content: str) -> bool:
    lower = name.lower()
    if re.search(r"\.(?:x?html?|svg)(?:\.(?:j2|jinja2?|tmpl|tpl))?$", lower):
        return True
    return not lower.endswith((".js", ".css", ".md", ".xml")) and _HTML.search(content) is not None


def _inline(code: Code) -> Iterator[tuple[Template, Location]]:
    """Yield the templates in strings, with the place that a template's first character has in its module."""
    for call in _calls(code, _INLINE):
        keyword, escaped = _INLINE.get(call.name, ("source", True))
        argument = call.argument(0, keyword)
        value = argument.value.constant if argument is not None else None
        if argument is None or not isinstance(value, str):
            continue
        text = Text(value)
        html = _HTML.search(value) is not None or call.name.startswith("flask.")
        template = Template(
            call.module.path, "", text, html, escaped, call.module.role, inline=True, called=call.location
        )
        yield template, _start_in(argument.source, value, argument.location)


def _start_in(source: str, value: str, location: Location) -> Location:
    """Return where a string's first character stands, or its whole literal when escapes hide that."""
    opening = re.match(r"[bBrRuU]*(\"\"\"|'''|\"|')", source)
    if opening is None or not source.startswith(value, opening.end()):
        return location
    return Location(location.path, location.line, location.column + opening.end())
