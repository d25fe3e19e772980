"""Know the URLs that Flask-Admin and Flask-AppBuilder give to a view, those that its author never wrote included.

The tables follow Flask-Admin 2.2 and Flask-AppBuilder 5.3, compared with the ``url_map`` of booted apps.
"""

from __future__ import annotations

from typing import Any

from stopper.finding import Location
from stopper.source.routes_libraries import exposed, text_of
from stopper.source.routes_objects import Class, External, Instance, Node, RawRule

_GET, _POST, _FORM = ("GET",), ("POST",), ("GET", "POST")

Table = tuple[tuple[str, tuple[str, ...], str], ...]
"""Rule below the view's base, methods, and the method that answers."""

_ADMIN_MODEL: Table = (
    ("/", _GET, "index_view"), ("/new/", _FORM, "create_view"), ("/edit/", _FORM, "edit_view"),
    ("/details/", _GET, "details_view"), ("/delete/", _POST, "delete_view"), ("/action/", _POST, "action_view"),
    ("/export/<export_type>/", _GET, "export"), ("/ajax/lookup/", _GET, "ajax_lookup"),
    ("/ajax/update/", _POST, "ajax_update"),
)  # fmt: skip
_ADMIN_FILES: Table = (
    ("/", _GET, "index_view"), ("/b/<path:path>", _GET, "index_view"), ("/old_index", _GET, "index"),
    ("/old_b/<path:path>", _GET, "index"), ("/action/", _POST, "action_view"), ("/delete/", _POST, "delete"),
    ("/download/<path:path>", _GET, "download"), ("/edit/", _FORM, "edit"), ("/mkdir/", _FORM, "mkdir"),
    ("/mkdir/<path:path>", _FORM, "mkdir"), ("/rename/", _FORM, "rename"), ("/upload/", _FORM, "upload"),
    ("/upload/<path:path>", _FORM, "upload"),
)  # fmt: skip
_BUILDER_MODEL: Table = (
    ("/list/", _GET, "list"), ("/show/<pk>", _GET, "show"), ("/add", _FORM, "add"), ("/edit/<pk>", _FORM, "edit"),
    ("/delete/<pk>", _FORM, "delete"), ("/download/<string:filename>", _GET, "download"),
    ("/action/<string:name>/<pk>", _FORM, "action"), ("/action_post", _POST, "action_post"),
)  # fmt: skip
_BUILDER_REST: Table = (
    ("/", _GET, "get_list"), ("/", _POST, "post"), ("/<int:pk>", _GET, "get"), ("/<pk>", ("DELETE",), "delete"),
    ("/<pk>", ("PUT",), "put"), ("/_info", _GET, "info"),
)  # fmt: skip
_TABLES: tuple[tuple[str, str, Table], ...] = (
    ("flask_admin", "ModelView", _ADMIN_MODEL),
    ("flask_admin", "FileAdmin", _ADMIN_FILES),
    ("flask_appbuilder", "ModelView", _BUILDER_MODEL),
    ("flask_appbuilder", "ModelRestApi", _BUILDER_REST),
)


def admin_rules(view: Any, node: Node, kwargs: dict[str, Any], where: Location) -> list[RawRule]:
    """Return the rules of a view that is added to an ``Admin`` or an ``AppBuilder``."""
    if not isinstance(view, Instance | Class | External):
        return []
    table = next((table for library, kind, table in _TABLES if _derives(view, library, kind)), ())
    cls = view.cls if isinstance(view, Instance) else view if isinstance(view, Class) else None
    if cls is None and not table:
        return []
    place = _in_builder if node.library == "flask_appbuilder" else _in_admin
    base, name = place(view, cls, node, kwargs)
    own = exposed(cls, base, name, where) if cls is not None else []
    taken = {rule.endpoint for rule in own}
    given = [
        RawRule(base.rstrip("/") + rule, methods, f"{name}.{attr}", None, where)
        for rule, methods, attr in table
        if f"{name}.{attr}" not in taken
    ]
    return own + given


def index_rules(node: Node, index: Any, where: Location) -> list[RawRule]:
    """Return the rules of an admin's front page, and take over the URL that it gives to the whole admin."""
    given = index.attrs.get("__given__", {}) if isinstance(index, Instance) else {}
    given = index.kwargs if isinstance(index, External) else given
    base = node.prefix or text_of(given.get("url")) or "/admin"
    node.attrs["base"], node.prefix = base, ""
    own = exposed(index.cls, base, "admin", where) if isinstance(index, Instance) else []
    if any(rule.endpoint == "admin.index" for rule in own):
        return own
    return [*own, RawRule(f"{base.rstrip('/')}/", _GET, "admin.index", None, where)]


def _derives(view: Instance | Class | External, library: str, kind: str) -> bool:
    """Tell whether a view is an object or a class derived from a class of a library."""
    if isinstance(view, External):
        names = [view.dotted]
    else:
        names = (view.cls if isinstance(view, Instance) else view).external()
    return any(name.startswith(library) and name.endswith(kind) for name in names)


def _in_admin(
    view: Instance | Class | External, cls: Class | None, node: Node, kwargs: dict[str, Any]
) -> tuple[str, str]:
    """Return the base URL and the endpoint of a view of Flask-Admin."""
    attrs = view.attrs if isinstance(view, Instance) else {}
    args, words = _call_of(view)
    given = {**words, **attrs, **kwargs}
    kind = cls.node.name if cls is not None else getattr(view, "dotted", "").rpartition(".")[2]
    model = args[0] if args else words.get("model")
    named = model.node.name if isinstance(model, Class) else kind
    name = text_of(given.get("endpoint")) or named.lower()
    root = text_of(node.attrs.get("base")) or "/admin"
    url = text_of(given.get("url")) or name
    return (url if url.startswith("/") else f"{root.rstrip('/')}/{url}"), name


def _in_builder(
    view: Instance | Class | External, cls: Class | None, node: Node, kwargs: dict[str, Any]
) -> tuple[str, str]:
    """Return the base URL and the endpoint of a view of Flask-AppBuilder."""
    del node, kwargs
    if cls is None:
        return "/", getattr(view, "dotted", "").rpartition(".")[2]
    name = cls.node.name
    base = text_of(cls.find("route_base"))
    if base:
        return base, name
    if any(one.endswith("Api") for one in cls.external() if one.startswith("flask_appbuilder")):
        version = text_of(cls.find("version")) or "v1"
        return f"/api/{version}/{text_of(cls.find('resource_name')) or name.lower()}", name
    return f"/{name.lower()}", name


def _call_of(view: Instance | Class | External) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what the view was made with."""
    if isinstance(view, External):
        return view.args, view.kwargs
    if isinstance(view, Instance):
        return view.attrs.get("__args__", ()), view.attrs.get("__given__", {})
    return (), {}
