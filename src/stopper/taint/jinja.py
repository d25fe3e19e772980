"""What a Jinja expression comes out as, with what is known of the variables it reads.

Approximated: a filter that neither Jinja nor the project defines gives what it is given; a method of a value is as Python's;
a test that is no comparison with constants decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Protocol

from jinja2 import nodes

from stopper.finding import Location
from stopper.records import dataclass, field
from stopper.source.names import RefKind
from stopper.source.template import Template
from stopper.taint.constants import constant
from stopper.taint.contexts import JSON, MARKUP, QUOTED
from stopper.taint.domain import ANY, CLEAN, EACH, KEYS, Taint, Value, joined, merged, together
from stopper.taint.ir import AccessPath, Call
from stopper.taint.libraries import result
from stopper.taint.models import Models
from stopper.taint.stage import Stage
from stopper.taint.strings import joined_text, loaded

PROXIES = {
    "request": "flask.request",
    "g": "flask.g",
    "session": "flask.session",
    "config": "flask.Flask().config",
}
"""What Flask gives to every template, by its full name."""

MAX_APART = 10
"""How many elements a loop takes one by one."""
SPREAD = "**"
"""The variable that stands for what ``**values`` may hold under any name."""

_PART = "the URL's <"
_NUMBERS = frozenset("int float length count round abs filesizeformat wordcount bool random sum".split())
_ESCAPES = frozenset(("e", "escape", "forceescape", "xmlattr", "urlize"))
_ELEMENTS = frozenset(("first", "last", "random", "min", "max"))
_SAME = frozenset("list sort reverse unique select reject selectattr rejectattr batch slice pprint".split())
_TRANSLATIONS = frozenset(("_", "gettext", "ngettext", "pgettext", "npgettext"))
_TYPES = frozenset(("number", "integer", "float", "boolean", "none", "undefined"))
_CLEANERS = ("clean", "sanitize", "sanitise", "bleach", "nh3", "purify", "escape")

SETTLED = Value(shape="text", fields=(("text", constant("")),))
"""A value that can hold nothing harmful: a number, or one of a few constants."""


class Host(Protocol):
    """What the engine does for a rendering."""

    def follow(self, scope: Any, args: tuple[Value, ...], keywords: dict[str, Value], at: Location) -> Value:
        """Return what a function of the project gives for these arguments."""

    def shared(self, key: str) -> Value:
        """Return what the project keeps under a key: ``flask.g.user``."""

    def member(self, value: Value, name: str, at: Location) -> Value | None:
        """Return an attribute of an object of the project; None where its class has none."""

    def method(
        self, value: Value, name: str, args: tuple[Value, ...], keywords: dict[str, Value], at: Location
    ) -> Value | None:
        """Return what a method of an object of the project gives; None where its class has none."""


@dataclass(frozen=True, eq=False)
class Macro:
    """A macro, with the variables it was defined among."""

    name: str
    parameters: tuple[str, ...]
    defaults: Mapping[str, nodes.Expr]
    body: tuple[Any, ...]
    frame: Frame
    location: Location


@dataclass(slots=True)
class Frame:
    """The variables at a point of a template."""

    template: Template
    values: dict[str, Value] = field(default_factory=dict)
    macros: dict[str, Macro | dict[str, Macro]] = field(default_factory=dict)
    """Macros by the name they are called by; a dict for an imported template."""
    settled: frozenset[str] = frozenset()
    """The expressions that a test around this point has settled."""
    caller: Callable[[tuple[Value, ...]], None] | None = None
    """What ``caller()`` runs."""
    super: Callable[[], None] | None = None
    """What ``super()`` runs."""
    call: Callable[[Macro, tuple[Value, ...], dict[str, Value], nodes.Call], None] | None = None
    """What a call of a macro runs."""

    def inner(self, **values: Value) -> Frame:
        """Return a frame inside this one; what is set there does not come out."""
        return self.holding({**self.values, **values}, dict(self.macros), self.settled)

    def holding(
        self, values: dict[str, Value], macros: dict[str, Macro | dict[str, Macro]], settled: frozenset[str]
    ) -> Frame:
        """Return a frame of the same template with these variables, macros and settled expressions."""
        return Frame(self.template, values, macros, settled, self.caller, self.super, self.call)


class Expressions:
    """Evaluate the expressions of templates."""

    def __init__(self, stage: Stage, models: Models, host: Host) -> None:
        """Take what is known of all templates, the models, and who follows the project's functions."""
        self.stage = stage
        self.models = models
        self.host = host
        self.at = Location("")

    def value(self, node: nodes.Node | None, frame: Frame) -> Value:
        """Return what is known of an expression's value."""
        if node is None:
            return CLEAN
        if frame.settled and written(node) in frame.settled:
            return SETTLED
        method = _TABLE.get(type(node))
        return method(self, node, frame) if method is not None else CLEAN

    def truth(self, node: nodes.Node | None, frame: Frame) -> bool | None:
        """Return which way a test goes; None when that is not known."""
        if isinstance(node, nodes.Not):
            inner = self.truth(node.node, frame)
            return None if inner is None else not inner
        if isinstance(node, nodes.And | nodes.Or):
            both = (self.truth(node.left, frame), self.truth(node.right, frame))
            decides = isinstance(node, nodes.Or)
            return decides if decides in both else (None if None in both else not decides)
        if isinstance(node, nodes.Test) and node.name in ("defined", "undefined"):
            known = isinstance(node.node, nodes.Name) and node.node.name in frame.values
            return node.name == "defined" if known else None
        found = self.value(node, frame)
        return bool(found.constant) if found.known else None

    def _name(self, node: nodes.Name, frame: Frame) -> Value:
        if node.name in frame.values:
            return frame.values[node.name]
        if node.name in PROXIES:
            return self._source(PROXIES[node.name])
        return loaded(frame.values[SPREAD], f"[{node.name!r}]") if SPREAD in frame.values else CLEAN

    def _source(self, name: str) -> Value:
        """Return what the request holds under a name, or what the project keeps there."""
        for entry in self.models.find("source", name):
            label = entry.label.format(last=name.removesuffix("()").rpartition(".")[2])
            taint = Taint(label, entry.kind or "request", marks=frozenset(entry.marks))
            return Value((taint.hop(self.at, f"{label} is read"),))
        return self.host.shared(name)

    def dotted(self, node: nodes.Node, frame: Frame) -> str:
        """Return the full name of a thing of Flask that is read, "" for all else."""
        if isinstance(node, nodes.Name):
            return "" if node.name in frame.values else PROXIES.get(node.name, "")
        if isinstance(node, nodes.Getattr):
            owner = self.dotted(node.node, frame)
            return f"{owner}.{node.attr}" if owner else ""
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            owner = self.dotted(node.node, frame)
            return f"{owner}.{node.arg.value}" if owner in ("flask.g", "flask.session") else ""
        if isinstance(node, nodes.Call):
            owner = self.dotted(node.node, frame)
            return f"{owner}()" if owner else ""
        return ""

    def _member(self, node: nodes.Getattr | nodes.Getitem, frame: Frame) -> Value:
        name = self.dotted(node, frame)
        source = self._source(name) if name else CLEAN
        if source.every() or source.known or source.choices or source.fields or source.classes:
            return source
        if isinstance(node, nodes.Getattr):
            return self._attribute(self.value(node.node, frame), node.attr)
        if isinstance(node.arg, nodes.Const):
            return member(self.value(node.node, frame), node.arg.value)
        key = self.value(node.arg, frame)
        return member(self.value(node.node, frame), key.constant if key.known else None)

    def _attribute(self, base: Value, name: str) -> Value:
        if base.name and base.field(f".{name}") is None:
            source = self._source(f"{base.name}.{name}")
            if source.every():
                return source
        if base.classes and base.field(f".{name}") is None:
            found = self.host.member(base, name, self.at)
            if found is not None:
                return found
        return member(base, name)

    def _call(self, node: nodes.Call, frame: Frame) -> Value:
        args = tuple(self.value(arg, frame) for arg in node.args)
        keywords = {item.key: self.value(item.value, frame) for item in node.kwargs}
        if self._inside(node, args, keywords, frame):
            return CLEAN
        name = self.dotted(node, frame)
        if name:
            source = self._source(name)
            if source.every():
                return source
        if isinstance(node.node, nodes.Getattr):
            return self._method(node.node, args, keywords, frame)
        return self._function(getattr(node.node, "name", ""), args, keywords, frame)

    def _inside(
        self, node: nodes.Call, args: tuple[Value, ...], keywords: dict[str, Value], frame: Frame
    ) -> bool:
        """Run what is a macro, ``caller()`` or ``super()``; what they write is judged where it stands."""
        name = getattr(node.node, "name", "")
        if name == "caller" and frame.caller is not None:
            frame.caller(args)
            return True
        if name == "super" and frame.super is not None:
            frame.super()
            return True
        macro: Any = frame.macros.get(name)
        if isinstance(node.node, nodes.Getattr) and isinstance(node.node.node, nodes.Name):
            module = frame.macros.get(node.node.node.name)
            macro = module.get(node.node.attr) if isinstance(module, dict) else None
        if not isinstance(macro, Macro) or frame.call is None:
            return False
        frame.call(macro, args, keywords, node)
        return True

    def _method(
        self, node: nodes.Getattr, args: tuple[Value, ...], keywords: dict[str, Value], frame: Frame
    ) -> Value:
        receiver = self.value(node.node, frame)
        if node.attr in ("items", "values", "keys") and receiver.shape == "dict":
            return _entries(receiver, node.attr)
        found = self.host.method(receiver, node.attr, args, keywords, self.at) if receiver.classes else None
        if found is not None:
            return found
        name = self.dotted(node.node, frame)
        if name in ("flask.g", "flask.session") and args and isinstance(args[0].constant, str):
            return self._source(f"{name}.{args[0].constant}")
        called = self._made(f"{name}.{node.attr}" if name else "", node.attr, len(args), AccessPath("%"))
        return result(self.models, called, receiver, args, keywords)

    def _made(self, name: str, last: str, count: int, receiver: AccessPath | None) -> Call:
        args = tuple(AccessPath(f"%{index}") for index in range(count))
        return Call(AccessPath("%"), name, last, receiver, args, at=self.at)

    def _function(
        self, name: str, args: tuple[Value, ...], keywords: dict[str, Value], frame: Frame
    ) -> Value:
        if name in frame.values:
            return CLEAN
        if name in _TRANSLATIONS:
            texts = merged(*(value.every() for value in args))
            held = [taint.cleaned(("html",)) for value in keywords.values() for taint in value.every()]
            return Value(merged(texts, held))
        if name in ("dict", "namespace"):
            fields = tuple(sorted((f"[{key!r}]", value) for key, value in keywords.items()))
            return Value(shape="dict", fields=fields)
        if name == "get_flashed_messages":
            return _flashed(self.host.shared("flask.flash"), keywords)
        return self._applied(self.stage.globals.get(name), name, args, keywords)

    def _applied(self, ref: Any, name: str, args: tuple[Value, ...], keywords: dict[str, Value]) -> Value:
        if ref is None:
            return CLEAN
        if ref.kind is RefKind.FUNCTION and ref.scope is not None:
            return self.host.follow(ref.scope, args, keywords, self.at)
        return result(self.models, self._made(ref.name, name, len(args), None), CLEAN, args, keywords)

    def _filter(self, node: nodes.Filter, frame: Frame) -> Value:
        value = self.value(node.node, frame)
        args = tuple(self.value(arg, frame) for arg in node.args)
        keywords = {str(item.key): self.value(item.value, frame) for item in node.kwargs}
        return self.filtered(node.name, value, args, keywords)

    def filtered(self, name: str, value: Value, args: tuple[Value, ...], keywords: dict[str, Value]) -> Value:
        """Return what a filter makes of a value."""
        own = self.stage.filter(name)
        if own is not None:
            return self._applied(own, name, (value, *args), keywords)
        if name == "map":
            return self._mapped(value, args, keywords)
        if name in ("default", "d"):
            return joined(value, args[0]) if args else value
        if name == "attr":
            return member(value, args[0].constant) if args and args[0].known else value
        if name in _ELEMENTS:
            return together(elements(value))
        if name in ("join", "format", "replace", "groupby", "dictsort", "items"):
            return _flat((value, *args)) if name != "items" else _entries(value, "items")
        return value if name in _SAME else self._text(name, value)

    def _text(self, name: str, value: Value) -> Value:
        """Return what a filter of text gives."""
        taints = value.every()
        if not taints:
            return Value(shape="text", fields=(("text", value),)) if fixed(value) else CLEAN
        if name in _NUMBERS:
            return SETTLED
        if name == "urlencode":
            twice = (QUOTED, "quoted-twice")
            held = (
                one.marked(*(twice if QUOTED in one.marks else (QUOTED,))).cleaned(("html",))
                for one in taints
            )
            return Value(tuple(held))
        if name == "safe":
            return Value(tuple(taint.marked(MARKUP).hop(self.at, "marked |safe") for taint in taints))
        if name in _ESCAPES:
            apart = value.shape == "dict" and not value.taints and value.field(KEYS) is None
            kinds = ("html", "page-attribute") if name == "xmlattr" and apart else ("html",)
            return Value(tuple(taint.cleaned(kinds).hop(self.at, f"through |{name}") for taint in taints))
        if name == "tojson":
            return Value(tuple(taint.cleaned(("html",)).marked(JSON) for taint in taints))
        if name == "striptags":
            near = "|striptags takes tags out and puts entities back, so that it holds no quote and no second layer"
            return Value(tuple(replace(taint, near=taint.near or near) for taint in taints))
        if any(word in name.lower() for word in _CLEANERS):
            return CLEAN
        return Value(tuple(taint.hop(self.at, f"through |{name}") for taint in taints))

    def _mapped(self, value: Value, args: tuple[Value, ...], keywords: dict[str, Value]) -> Value:
        attribute = keywords.get("attribute")
        every = elements(value)
        if attribute is not None and attribute.known:
            found = [member(one, attribute.constant) for one in every]
        elif args and isinstance(args[0].constant, str):
            found = [self.filtered(args[0].constant, one, args[1:], {}) for one in every]
        else:
            found = every
        return Value(shape="list", fields=((ANY, together(found)),))

    def _choice(self, node: nodes.CondExpr, frame: Frame) -> Value:
        known = self.truth(node.test, frame)
        then = frame.holding(frame.values, frame.macros, frame.settled | settled(node.test, truth=True))
        if known is not None:
            return self.value(node.expr1, then) if known else self.value(node.expr2, frame)
        return joined(self.value(node.expr1, then), self.value(node.expr2, frame))

    def _either(self, node: nodes.Or | nodes.And, frame: Frame) -> Value:
        left, right = self.value(node.left, frame), self.value(node.right, frame)
        if left.known:
            return left if bool(left.constant) == isinstance(node, nodes.Or) else right
        return joined(left, right)

    def _joined(self, node: nodes.Concat | nodes.Add | nodes.Mod, frame: Frame) -> Value:
        parts = node.nodes if isinstance(node, nodes.Concat) else [node.left, node.right]
        values = [self.value(part, frame) for part in parts]
        if not all(value.known for value in values) and not any(value.every() for value in values):
            return CLEAN
        texts = [constant(str(value.constant)) if value.known else value for value in values]
        return joined_text(texts, (), self.at)

    def _compare(self, node: nodes.Compare, frame: Frame) -> Value:
        left = self.value(node.expr, frame)
        if len(node.ops) != 1 or not left.known:
            return CLEAN
        right = self.value(node.ops[0].expr, frame)
        if not right.known or node.ops[0].op not in ("eq", "ne"):
            return CLEAN
        return Value(constant=bool(left.constant == right.constant) == (node.ops[0].op == "eq"))

    def _sequence(self, node: nodes.List | nodes.Tuple, frame: Frame) -> Value:
        found = [(f"[{index}]", self.value(item, frame)) for index, item in enumerate(node.items)]
        return Value(shape="list", fields=tuple(sorted(found)))

    def _dict(self, node: nodes.Dict, frame: Frame) -> Value:
        found = {
            f"[{pair.key.value!r}]" if isinstance(pair.key, nodes.Const) else ANY: self.value(
                pair.value, frame
            )
            for pair in node.items
        }
        return Value(shape="dict", fields=tuple(sorted(found.items())))

    def _constant(self, node: nodes.Const, _frame: Frame) -> Value:
        return constant(node.value)

    def _not(self, node: nodes.Not, frame: Frame) -> Value:
        known = self.truth(node.node, frame)
        return CLEAN if known is None else Value(constant=not known)


@lru_cache(maxsize=4096)
def written(node: nodes.Node) -> str:
    """Return a text that two expressions share when they are the same."""
    return repr(node)


@lru_cache(maxsize=4096)
def settled(test: nodes.Node | None, *, truth: bool) -> frozenset[str]:
    """Return the expressions that can only be one of a few constants where a test came out as ``truth``."""
    if isinstance(test, nodes.Not):
        return settled(test.node, truth=not truth)
    if isinstance(test, nodes.And | nodes.Or):
        if isinstance(test, nodes.And) is not truth:
            return frozenset()
        return settled(test.left, truth=truth) | settled(test.right, truth=truth)
    if isinstance(test, nodes.Test):
        return frozenset((written(test.node),)) if truth and test.name in _TYPES else frozenset()
    if not isinstance(test, nodes.Compare) or len(test.ops) != 1:
        return frozenset()
    other = test.ops[0]
    positive = {"eq": True, "in": True, "ne": False, "notin": False}.get(other.op)
    fixed = isinstance(other.expr, nodes.Const) or (
        isinstance(other.expr, nodes.List | nodes.Tuple)
        and all(isinstance(item, nodes.Const) for item in other.expr.items)
    )
    inside = other.op in ("in", "notin") and isinstance(other.expr, nodes.Const)
    return frozenset((written(test.expr),)) if positive is truth and fixed and not inside else frozenset()


def member(value: Value, key: Any) -> Value:
    """Return an attribute or an item, as Jinja looks for either."""
    if key is None:
        return value.part(ANY)
    known = dict(value.fields)
    if f".{key}" in known:
        return known[f".{key}"]
    if isinstance(key, str) and "." in key:
        head, _, rest = key.partition(".")
        return member(member(value, head), rest)
    return loaded(value, f"[{key!r}]")


def elements(value: Value) -> list[Value]:
    """Return what a loop over a value binds its variable to, one after the other; a part of the URL gives single characters."""
    letters = tuple(taint for taint in value.taints if taint.source.startswith(_PART))
    if letters:
        value = replace(value, taints=tuple(taint for taint in value.taints if taint not in letters))
        if not value.taints and not value.fields:
            return [SETTLED]
    found = [part for _, part in value.items()] if value.closed and value.shape != "dict" else []
    if 0 < len(found) <= MAX_APART:
        return found
    return [value.part(EACH)]


def fixed(value: Value) -> bool:
    """Tell whether a value can only be what the code says: a constant, or a container of constants."""
    if value.every():
        return False
    if value.known or value.choices or value.shape == "text":
        return True
    items = value.items()
    return value.closed and bool(items) and all(fixed(part) for _, part in items)


def _flat(values: tuple[Value, ...]) -> Value:
    return Value(merged(*(value.every() for value in values)))


def _entries(value: Value, which: str) -> Value:
    """Return what ``items()``, ``values()`` or ``keys()`` of a dict give."""
    rows = []
    for name, part in value.items()[:MAX_APART]:
        key = constant(name[2:-2]) if name.startswith("['") else value.part(EACH)
        pair = Value(shape="tuple", fields=(("[0]", key), ("[1]", part)))
        rows.append({"items": pair, "values": part, "keys": key}[which])
    if value.closed and 0 < len(rows) < MAX_APART:
        return Value(shape="list", fields=tuple(sorted((f"[{at}]", row) for at, row in enumerate(rows))))
    other = value.part(ANY) if which == "values" else value.part(EACH)
    if which == "items":
        other = Value(shape="tuple", fields=(("[0]", value.part(EACH)), ("[1]", value.part(ANY))))
    return Value(shape="list", fields=((ANY, together([*rows, other])),))


def _flashed(messages: Value, keywords: dict[str, Value]) -> Value:
    given = keywords.get("with_categories")
    if given is None or not given.constant:
        return Value(shape="list", fields=((ANY, messages),))
    row = Value(shape="tuple", fields=(("[0]", CLEAN), ("[1]", messages)))
    return Value(shape="list", fields=((ANY, row),))


_TABLE: dict[type[nodes.Node], Callable[[Expressions, Any, Frame], Value]] = {
    nodes.Name: Expressions._name,  # noqa: SLF001 - a table of this class's own methods
    nodes.Const: Expressions._constant,  # noqa: SLF001
    nodes.Getattr: Expressions._member,  # noqa: SLF001
    nodes.Getitem: Expressions._member,  # noqa: SLF001
    nodes.Call: Expressions._call,  # noqa: SLF001
    nodes.Filter: Expressions._filter,  # noqa: SLF001
    nodes.CondExpr: Expressions._choice,  # noqa: SLF001
    nodes.Or: Expressions._either,  # noqa: SLF001
    nodes.And: Expressions._either,  # noqa: SLF001
    nodes.Concat: Expressions._joined,  # noqa: SLF001
    nodes.Add: Expressions._joined,  # noqa: SLF001
    nodes.Mod: Expressions._joined,  # noqa: SLF001
    nodes.Compare: Expressions._compare,  # noqa: SLF001
    nodes.Not: Expressions._not,  # noqa: SLF001
    nodes.List: Expressions._sequence,  # noqa: SLF001
    nodes.Tuple: Expressions._sequence,  # noqa: SLF001
    nodes.Dict: Expressions._dict,  # noqa: SLF001
}
