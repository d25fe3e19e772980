"""Converters: what the parts of a URL can hold that route a request, by the converter that the rule names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from stopper.source.module import Kind
from stopper.source.names import Ref
from stopper.source.project import Project
from stopper.source.values import evaluate
from stopper.taint.characters import harmless, matched, one_segment
from stopper.taint.domain import ALL, CLEAN, Taint, Value

_CONVERTERS = "flask.Flask().url_map.converters"
_PATTERN = re.compile(r"<([a-zA-Z_]\w*)\(([\"'])([^<>]*?)\2\):([a-zA-Z_]\w*)>")
"""A part of a rule whose converter is given a text: ``<regex("[a-z]+"):name>``."""
_TYPED = frozenset(("int", "float", "uuid", "any"))


def given(project: Project, parameters: dict[str, str], rule: str) -> dict[str, Value]:
    """Return what a view is given of the URL, by the name of each part: numbers and words of a list are clean."""
    own = own_converters(project)
    told = {name: pattern for converter, _, pattern, name in _PATTERN.findall(rule) if converter in own}
    found: dict[str, Value] = {}
    for name, converter in parameters.items():
        kinds, marks = frozenset[str](), frozenset[str]()
        if converter in own:
            kinds, marks = (
                _let_through(told[name]) if name in told and converter in _told(project) else own[converter]
            )
        elif converter != "path":
            marks = frozenset(("segment",))
        clean = converter in _TYPED or ALL in kinds
        found[name] = CLEAN if clean else Value((Taint(f"the URL's <{name}>", clean=kinds, marks=marks),))
    return found


def own_converters(project: Project) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Return the project's own converters by name, worked out when first asked for."""
    return project.cached("taint.converters", lambda: _own(project))


def _told(project: Project) -> frozenset[str]:
    """Return the project's own converters that match what the rule tells them, worked out when first asked for."""
    return project.cached("taint.converters told", lambda: frozenset(_taking(project)))


def _taking(project: Project) -> Iterator[str]:
    for key, ref in _made(project):
        bindings = ref.scope.attributes.get("regex", []) if ref is not None and ref.scope is not None else []
        if len(bindings) == 1 and isinstance(bindings[0].value, ast.Name):
            yield key


def _own(project: Project) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Return the project's own converters by name: the kinds that what they match cannot harm, and the marks it gets."""
    return {key: _matched(project, ref) for key, ref in _made(project)}


def _made(project: Project) -> list[tuple[str, Ref | None]]:
    """Return the classes of the project's own converters by name."""
    names = project.code.names
    stores = [(store.key, store.value) for store in project.code.stores(_CONVERTERS)]
    for call in project.code.calls(f"{_CONVERTERS}.update"):
        stores += call.keywords.items()
    return [(key, names.resolve(value.node, value.scope)) for key, value in stores]


def _matched(project: Project, ref: Ref | None) -> tuple[frozenset[str], frozenset[str]]:
    segment = frozenset(("segment",))
    if ref is None or ref.scope is None or ref.scope.kind is not Kind.CLASS:
        return frozenset(), segment
    member = project.code.names.member(ref.scope, "regex")
    if member is None or member[1].value is None:
        return frozenset(), segment
    pattern = evaluate(member[1].value, member[0], project.code.names)
    return _let_through(pattern.constant) if isinstance(pattern.constant, str) else (frozenset(), segment)


def _let_through(pattern: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the kinds that what a pattern matches cannot harm, and the marks it gets."""
    segment = frozenset(("segment",))
    characters = matched(pattern, "fullmatch")
    if characters is None:
        return frozenset(), segment
    return harmless(characters), segment if one_segment(characters) else frozenset()
