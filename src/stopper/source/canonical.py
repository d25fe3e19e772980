"""The one name of a library's thing that goes by several."""

from __future__ import annotations

from functools import lru_cache

SAME = {
    "flask.current_app": "flask.Flask()",
    "flask.globals.current_app": "flask.Flask()",
    "quart.current_app": "flask.Flask()",
    "flask_restful.request": "flask.request",
    "flask_openapi3.OpenAPI": "flask.Flask",
    "apiflask.APIFlask": "flask.Flask",
    "apiflask.APIBlueprint": "flask.Blueprint",
    "flask_restx.request": "flask.request",
    "os.getenv": "os.environ.get",
    "werkzeug.security.safe_join": "werkzeug.utils.safe_join",
    "werkzeug.contrib.fixers.ProxyFix": "werkzeug.middleware.proxy_fix.ProxyFix",
}
"""Names under which one thing is also known."""

_FLASK = ("app", "blueprints", "globals", "helpers", "json", "sessions", "templating", "wrappers", "ctx", "config")  # fmt: skip
HOMES = {f"flask.{home}.": "flask." for home in _FLASK} | {
    "flask.ext.": "flask_",
    "flaskext.": "flask_",
    "sqlalchemy.sql.expression.": "sqlalchemy.",
    "sqlalchemy.sql.": "sqlalchemy.",
}
"""Modules whose members are better known by a shorter name."""

_KEPT = ("flask.json.loads", "flask.json.dumps", "flask.json.provider")


@lru_cache(maxsize=20_000)
def canonical(name: str) -> str:
    """Return the best known of the names under which one library object goes."""
    if name.startswith(_KEPT):
        return name
    for home, short in HOMES.items():
        if name.startswith(home):
            name = short + name[len(home) :]
            break
    head = name.partition("(")[0]
    while head:
        if head in SAME:
            return SAME[head] + name[len(head) :]
        shorter = head.rpartition(".")[0]
        if not shorter:
            break
        head = shorter
    return name
