"""Join rules with the prefixes and names of the blueprints and APIs that hold them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stopper.finding import Location
from stopper.records import dataclass, field
from stopper.source.routes_objects import Class, ClassView, Mount, Node, RawHook, RawRule, view_of

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Placed:
    """A rule with its full URL and endpoint."""

    rule: str
    endpoint: str
    raw: RawRule
    view: Any
    app: Node | None
    chain: tuple[Node, ...]
    """The nodes from the app down to the one that holds the rule."""
    registered: Location | None


@dataclass(slots=True)
class _Place:
    app: Node | None
    prefix: str | None = None
    names: tuple[str, ...] = ()
    chain: tuple[Node, ...] = ()
    registered: Location | None = None
    hooks: list[RawHook] = field(default_factory=list)


def flatten(nodes: list[Node]) -> Iterator[Placed]:
    """Yield every rule of every app, then those of nodes that nothing registers."""
    for node in nodes:
        if node.kind == "app":
            yield from _rules(node, _Place(node, chain=(node,)))
    for node in nodes:
        if node.kind != "app" and not node.mounted:
            names = (node.name,) if node.kind == "blueprint" else ()
            yield from _rules(node, _Place(None, node.prefix, names, (node,)))


def _rules(node: Node, place: _Place) -> Iterator[Placed]:
    for raw in node.rules:
        name = ".".join((*place.names, raw.endpoint))
        view = raw.view if raw.view is not None else _bound(place.chain, raw.endpoint, name)
        rule = raw.rule if raw.own_class is not None else _joined(place.prefix, raw.rule)
        yield Placed(rule, name, raw, view, place.app, place.chain, place.registered)
    if len(place.chain) > MAX_DEPTH:
        return
    for mount in node.mounts:
        if mount.child not in place.chain:
            yield from _rules(mount.child, _below(place, mount))


def _below(place: _Place, mount: Mount) -> _Place:
    child = mount.child
    own = mount.prefix if mount.prefix is not None else child.prefix
    prefix = place.prefix
    if own is not None:
        prefix = own if prefix is None else prefix.rstrip("/") + "/" + own.lstrip("/") if own else prefix
    names = (*place.names, mount.name or child.name) if child.kind == "blueprint" else place.names
    return _Place(place.app, prefix, names, (*place.chain, child), place.registered or mount.location)


def _joined(prefix: str | None, rule: str) -> str:
    if prefix is None:
        return rule if rule.startswith("/") else f"/{rule}"
    joined = "/".join((prefix.rstrip("/"), rule.lstrip("/"))) if rule else prefix
    return joined if joined.startswith("/") else f"/{joined}"


def _bound(chain: tuple[Node, ...], *endpoints: str) -> Any:
    found = (node.views[name] for node in chain for name in endpoints if name in node.views)
    return next(found, None)


def methods_of(raw: RawRule, view: Any) -> tuple[str, ...]:
    """Return the methods a rule answers, as declared: HEAD and OPTIONS only where the project names them."""
    if raw.methods is not None:
        return raw.methods
    bare = view_of(view)
    if isinstance(bare, ClassView) and isinstance(bare.cls, Class):
        given = bare.cls.find("methods")
        if isinstance(given, list | tuple | set) and all(isinstance(one, str) for one in given):
            return tuple(sorted({str(one).upper() for one in given}))
        return tuple(sorted(handlers(bare.cls))) or ("GET",)
    given = getattr(bare, "attrs", {}).get("methods")
    if isinstance(given, list | tuple | set):
        return tuple(sorted({str(one).upper() for one in given}))
    return ("GET",)


def handlers(cls: Class) -> dict[str, Any]:
    """Return the methods of a class view by the verb they answer."""
    found = ((verb, cls.find(verb.lower())) for verb in VERBS)
    return {verb: value for verb, value in found if value is not None}
