"""Converters: what the parts of a URL can hold that route a request, by the converter that the rule names."""

from __future__ import annotations

from stopper.source.module import Kind
from stopper.source.names import Ref
from stopper.source.project import Project
from stopper.source.values import evaluate
from stopper.taint.characters import harmless, matched, one_segment
from stopper.taint.domain import ALL, CLEAN, Taint, Value

_CONVERTERS = "flask.Flask().url_map.converters"
_TYPED = frozenset(("int", "float", "uuid", "any"))


def given(project: Project, parameters: dict[str, str]) -> dict[str, Value]:
    """Return what a view is given of the URL, by the name of each part: numbers and words of a list are clean."""
    own = own_converters(project)
    found: dict[str, Value] = {}
    for name, converter in parameters.items():
        kinds, marks = frozenset[str](), frozenset[str]()
        if converter in own:
            kinds, marks = own[converter]
        elif converter != "path":
            marks = frozenset(("segment",))
        clean = converter in _TYPED or ALL in kinds
        found[name] = CLEAN if clean else Value((Taint(f"the URL's <{name}>", clean=kinds, marks=marks),))
    return found


def own_converters(project: Project) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Return the project's own converters by name, worked out when first asked for."""
    return project.cached("taint.converters", lambda: _own(project))


def _own(project: Project) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Return the project's own converters by name: the kinds that what they match cannot harm, and the marks it gets."""
    names = project.code.names
    stores = [(store.key, store.value) for store in project.code.stores(_CONVERTERS)]
    for call in project.code.calls(f"{_CONVERTERS}.update"):
        stores += call.keywords.items()
    return {key: _matched(project, names.resolve(value.node, value.scope)) for key, value in stores}


def _matched(project: Project, ref: Ref | None) -> tuple[frozenset[str], frozenset[str]]:
    segment = frozenset(("segment",))
    if ref is None or ref.scope is None or ref.scope.kind is not Kind.CLASS:
        return frozenset(), segment
    member = project.code.names.member(ref.scope, "regex")
    if member is None or member[1].value is None:
        return frozenset(), segment
    pattern = evaluate(member[1].value, member[0], project.code.names)
    characters = matched(pattern.constant, "fullmatch") if isinstance(pattern.constant, str) else None
    if characters is None:
        return frozenset(), segment
    return harmless(characters), segment if one_segment(characters) else frozenset()
