"""Know the classes of the route extensions, and the URLs they give to the methods of a class."""

from __future__ import annotations

import re
from typing import Any

from stopper.finding import Location
from stopper.records import dataclass
from stopper.source.routes_objects import Class, Function, Node, RawRule

MADE: dict[tuple[str, str], tuple[str, str]] = {
    ("flask", "Flask"): ("app", "flask"),
    ("flask", "Blueprint"): ("blueprint", "flask"),
    ("flask_api", "FlaskAPI"): ("app", "flask"),
    ("apiflask", "APIFlask"): ("app", "flask"),
    ("apiflask", "APIBlueprint"): ("blueprint", "flask"),
    ("flask_openapi3", "OpenAPI"): ("app", "flask"),
    ("flask_openapi3", "APIBlueprint"): ("blueprint", "flask"),
    ("flask_smorest", "Blueprint"): ("blueprint", "flask_smorest"),
    ("flask_smorest", "Api"): ("api", "flask_smorest"),
    ("flask_restful", "Api"): ("api", "flask_restful"),
    ("flask_restx", "Api"): ("api", "flask_restx"),
    ("flask_restx", "Namespace"): ("namespace", "flask_restx"),
    ("flask_restplus", "Api"): ("api", "flask_restx"),
    ("flask_restplus", "Namespace"): ("namespace", "flask_restx"),
    ("flask_admin", "Admin"): ("admin", "flask_admin"),
    ("flask_appbuilder", "AppBuilder"): ("admin", "flask_appbuilder"),
}
"""(package, class) to (kind of node, library)."""

_VERBS = {"get": "GET", "put": "PUT", "post": "POST", "delete": "DELETE", "patch": "PATCH", "index": "GET"}


@dataclass(eq=False, slots=True, repr=False)
class Exposed:
    """Stand for ``@expose(...)`` or a ``@route(...)`` on a method of a view class."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def rule(self) -> str:
        """Return the URL as written, "/" where there is none."""
        value = self.args[0] if self.args else self.kwargs.get("url", self.kwargs.get("rule", "/"))
        return value if isinstance(value, str) else "/"

    def methods(self) -> tuple[str, ...]:
        """Return the methods as written, GET where there are none."""
        value = self.kwargs.get("methods", self.args[1] if len(self.args) > 1 else None)
        given = value if isinstance(value, list | tuple | set) else ("GET",)
        return tuple(sorted(str(method).upper() for method in given))


def namespace_of(dotted: str) -> tuple[str, str] | None:
    """Return the key in ``MADE`` for a dotted name: ``flask.blueprints.Blueprint`` is ``flask.Blueprint``."""
    first, _, last = dotted.partition(".")[0], "", dotted.rpartition(".")[2]
    return (first, last) if (first, last) in MADE else None


def default_endpoint(node: Node, name: str) -> str:
    """Return the endpoint that a library gives a class without one."""
    if node.library == "flask_restful":
        return name.lower()
    if node.library == "flask_restx":
        dashed = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()
        return f"{node.name}_{dashed}" if node.kind == "namespace" else dashed
    return name


def exposed(cls: Class, base: str, name: str, where: Location) -> list[RawRule]:
    """Return the rules of the methods of a view class that are marked with ``@expose`` or ``@route``."""
    rules: list[RawRule] = []
    seen: set[str] = set()
    for part in cls.line():
        for attr, value in part.attrs.items():
            if not isinstance(value, Function) or attr in seen:
                continue
            seen.add(attr)
            rules.extend(
                RawRule(
                    _join(base, mark.rule()), mark.methods(), f"{name}.{attr}", value, where, own_class=cls
                )
                for mark in value.attrs.get("__exposed__", ())
            )
    return rules


def class_routes(cls: Class, kwargs: dict[str, Any], where: Location) -> list[RawRule]:
    """Return the rules of a Flask-Classful view: verbs and ``index`` at its base, other methods below it."""
    base = kwargs.get("route_base", cls.find("route_base"))
    name = re.sub(r"View$", "", cls.node.name).lower()
    root = _join(text_of(kwargs.get("route_prefix", cls.find("route_prefix"))) or "/", text_of(base) or name)
    rules: list[RawRule] = []
    for attr, value in ((attr, value) for part in cls.line() for attr, value in part.attrs.items()):
        if not isinstance(value, Function) or attr.startswith("_"):
            continue
        marks = value.attrs.get("__exposed__", ())
        found = [(mark.rule(), mark.methods()) for mark in marks] or [_by_name(attr, value)]
        endpoint = f"{cls.node.name}:{attr}"
        rules.extend(
            RawRule(_join(root, rule), methods, endpoint, value, where, own_class=cls)
            for rule, methods in found
        )
    return rules


def _by_name(attr: str, value: Function) -> tuple[str, tuple[str, ...]]:
    rest = "".join(f"<{arg.arg}>/" for arg in value.node.args.args[1:])
    return (f"/{rest}", (_VERBS[attr],)) if attr in _VERBS else (f"/{attr}/{rest}", ("GET",))


def _join(base: str, rule: str) -> str:
    return (
        "/"
        + "/".join(part for part in (base.strip("/"), rule.lstrip("/")) if part)
        + ("/" if rule == "/" and base != "/" else "")
    )


def text_of(value: Any) -> str:
    """Return a value that is a string, "" for any other."""
    return value if isinstance(value, str) else ""
