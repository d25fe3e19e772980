"""Boot an app and write what it is to a file, as JSON. Runs in the project's own interpreter; needs nothing but Flask.

Started as a script: ``python child.py APP ANSWER NETWORK REQUESTS``. It must not import anything of Stopper.
"""

from __future__ import annotations

import inspect
import io
import json
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TEMPLATE_NAMES = (
    "page.html",
    "page.htm",
    "page.xml",
    "page.svg",
    "page.txt",
    "page.j2",
    "page.html.j2",
    "page.jinja",
    None,
)
NETWORK = frozenset(
    ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg")
)
"""The audit events (PEP 578) with which a program reaches out."""


def refuse_network() -> None:
    """Let no socket out of this process from now on."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        del arguments
        if event in NETWORK:
            raise PermissionError(
                f"Stopper lets nothing reach the network while it looks ({event}); --allow-network lets it"
            )

    sys.addaudithook(hook)


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value as JSON can hold it: text of what it cannot, containers down to three levels."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if depth < 3 and isinstance(value, list | tuple | set | frozenset):
        return [plain(one, depth + 1) for one in list(value)[:200]]
    if depth < 3 and isinstance(value, dict):
        return {str(key): plain(one, depth + 1) for key, one in list(value.items())[:200]}
    total = getattr(value, "total_seconds", None)
    return total() if callable(total) else f"<{type(value).__module__}.{type(value).__qualname__}>"


def place_of(function: Any) -> dict[str, Any]:
    """Return the name, file and first line of a function, below its decorators."""
    view = getattr(function, "view_class", None) or inspect.unwrap(function)
    view = getattr(view, "func", view)
    code = getattr(view, "__code__", None)
    place: dict[str, Any] = {
        "name": getattr(view, "__qualname__", repr(view)),
        "module": getattr(view, "__module__", ""),
    }
    try:
        place["file"] = code.co_filename if code is not None else inspect.getsourcefile(view)
        place["line"] = code.co_firstlineno if code is not None else inspect.getsourcelines(view)[1]
    except (OSError, TypeError):
        place.update(file=None, line=0)
    return place


def rules_of(app: Any) -> Iterator[dict[str, Any]]:
    """Yield every rule of the app's url_map with its view."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions.get(rule.endpoint)
        yield {
            "rule": rule.rule,
            "methods": sorted(rule.methods or ()),
            "endpoint": rule.endpoint,
            "arguments": sorted(rule.arguments),
            "view": place_of(view) if view is not None else None,
        }


def hooks_of(app: Any) -> Iterator[dict[str, Any]]:
    """Yield the functions that run around each request."""
    for kind in ("before_request_funcs", "after_request_funcs", "teardown_request_funcs"):
        for blueprint, functions in getattr(app, kind).items():
            for function in functions:
                yield {
                    "kind": kind.removesuffix("_funcs"),
                    "blueprint": blueprint or "",
                    **place_of(function),
                }


def extensions_of(app: Any) -> dict[str, dict[str, Any]]:
    """Return what stands in ``app.extensions``: the class of each, and the plain values that it keeps."""
    found = {}
    for name, extension in app.extensions.items():
        state = getattr(extension, "__dict__", {})
        values = {
            key: plain(value)
            for key, value in state.items()
            if isinstance(value, bool | int | float | str | None)
        }
        found[str(name)] = {
            "class": f"{type(extension).__module__}.{type(extension).__qualname__}",
            "state": values,
        }
    return found


def autoescape_of(app: Any) -> dict[str, bool]:
    """Return for which template names the app's Jinja environment escapes."""
    setting = app.jinja_env.autoescape
    return {str(name): bool(setting(name) if callable(setting) else setting) for name in TEMPLATE_NAMES}


def answers_of(app: Any, most: int) -> Iterator[dict[str, Any]]:
    """Yield the answers to a GET of each rule that needs no arguments, of a page that is not there, and of a method not allowed."""
    client = app.test_client(use_cookies=False)
    host = (app.config.get("TRUSTED_HOSTS") or [app.config.get("SERVER_NAME") or "localhost"])[0].lstrip(".")
    rules = [
        rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments
    ]
    own = [("GET", rule.rule, rule.endpoint) for rule in rules if not rule.subdomain and not rule.host]
    asked = [*own[:most], ("GET", "/stopper-asks-for-what-is-not-there", "")]
    asked.append(("TRACE", asked[0][1], ""))
    for method, path, endpoint in asked:
        told = {"method": method, "path": path, "endpoint": endpoint}
        try:
            answer = client.open(path, method=method, base_url=f"https://{host}")
            headers = [[name, value] for name, value in answer.headers]
            body = answer.get_data()[:20_000].decode("utf-8", "replace")
            yield {**told, "status": answer.status_code, "headers": headers, "body": body, "error": ""}
            answer.close()
        except Exception as error:  # noqa: BLE001 - a view that raises is one of the answers
            said = f"{type(error).__name__}: {error}"
            yield {**told, "status": 0, "headers": [], "body": "", "error": said[:500]}


def described(app: Any, requests: int) -> dict[str, Any]:
    """Return everything that is told of an app."""
    import importlib.metadata

    return {
        "python": sys.version.split()[0],
        "flask": importlib.metadata.version("flask"),
        "name": app.name,
        "root": app.root_path,
        "debug": bool(app.debug),
        "testing": bool(app.testing),
        "config": {str(key): plain(value) for key, value in app.config.items()},
        "rules": list(rules_of(app)),
        "hooks": list(hooks_of(app)),
        "extensions": extensions_of(app),
        "session_interface": f"{type(app.session_interface).__module__}.{type(app.session_interface).__qualname__}",
        "middleware": type(app.wsgi_app).__name__,
        "autoescape": autoescape_of(app),
        "filters": sorted(str(name) for name in app.jinja_env.filters),
        "answers": list(answers_of(app, requests)) if requests else [],
    }


def main(arguments: list[str]) -> int:
    """Boot the app that the first argument names, as ``flask --app`` does, and write what it is to the second."""
    name, answer, network, requests = arguments
    sys.path.insert(0, str(Path.cwd()))
    sys.stdout = sys.stderr = io.StringIO()
    if network != "yes":
        refuse_network()
    try:
        from flask.cli import ScriptInfo

        told = described(ScriptInfo(app_import_path=name, set_debug_flag=False).load_app(), int(requests))
    except BaseException:  # noqa: BLE001 - SystemExit too: whatever ends the boot is told
        told = {"error": traceback.format_exc()}
    Path(answer).write_text(json.dumps(told), encoding="utf-8")
    return 0


if __name__ == "__main__":
    # Threads and servers that the app has started must not keep the process alive.
    os._exit(main(sys.argv[1:]))
