"""Where a function of the project sends the origin that asks back as one that may read, with cookies, unlooked at."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Location
from stopper.regex import regex
from stopper.source.files import Role
from stopper.source.module import Kind, Module
from stopper.source.project import Project

_HEADER = "Access-Control-Allow-Origin"
_ALLOWED = regex(rf"""["']{_HEADER}["']\]?\s*[=,:]\s*(?P<value>[^\n]+)""")
_CREDENTIALS = regex(r"""Access-Control-Allow-Credentials["']\]?\s*[=,:]\s*["']?true""", re.IGNORECASE)
_ASKING = regex(
    r"""request\.(?:origin\b|(?:headers|environ)(?:\.get\(|\[)\s*["'](?:HTTP_)?origin["'])""", re.IGNORECASE
)


_TESTS = (
    r"\b{name}\s+(?:not\s+)?in\b", r"\b{name}\s*[!=]=", r"""\b{name}\.endswith\((?!\s*["'][\w-])""", r"\w\({name}\)", r",\s*{name}\)",
    r"\b{name}\.startswith\((?!\W*https?\b\W*\))",
)  # fmt: skip
"""How a function looks at an origin; that it begins with a scheme says nothing, nor that it ends in a name without a dot before it."""


def reflected(project: Project) -> Iterator[Location]:
    """Yield the places in application code, each once."""
    for module in project.modules:
        text = module.text.content
        if module.role is Role.APP and _HEADER in text and _CREDENTIALS.search(text):
            yield from dict.fromkeys(_places(module))


def _places(module: Module) -> Iterator[Location]:
    for scope in module.scopes:
        text = module.source(scope.node) if scope.kind is Kind.FUNCTION else ""
        start = module.text.content.find(text) if _HEADER in text and _CREDENTIALS.search(text) else -1
        for found in _ALLOWED.finditer(text) if start >= 0 else ():
            if _is_any(found["value"], text):
                yield module.text.location(module.path, start + found.start(), start + found.end())


def _is_any(value: str, text: str) -> bool:
    """Tell whether a value is the origin that asks, and no test in the function is about it."""
    if _ASKING.search(value):
        return True
    name = re.match(r"[A-Za-z_]\w*(?=\W*$)", value)
    if name is None:
        return False
    taken = any(_ASKING.search(line) for line in re.findall(rf"(?m)^\s*{name[0]}\s*=(?!=)[^\n]*", text))
    tested = "|".join(test.format(name=name[0]) for test in _TESTS)
    return taken and not any(
        found for found in re.finditer(tested, text) if _HEADER not in _line(text, found.start())
    )


def _line(text: str, at: int) -> str:
    """Return the line of a text that holds a place."""
    return text[text.rfind("\n", 0, at) + 1 : text.find("\n", at)]
