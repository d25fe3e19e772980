"""Tell which library a name comes from that ``from library import *`` brings in.

Approximated: of the libraries only Flask's names are known; any other name comes from the one other library, if there is one.
"""

from __future__ import annotations

from collections.abc import Sequence

FLASK = frozenset(
    (
        "Blueprint", "Config", "Flask", "Markup", "Request", "Response", "abort", "after_this_request",
        "copy_current_request_context", "current_app", "escape", "flash", "g", "get_flashed_messages",
        "get_template_attribute", "has_app_context", "has_request_context", "json", "jsonify", "make_response",
        "redirect", "render_template", "render_template_string", "request", "safe_join", "send_file",
        "send_from_directory", "session", "stream_template", "stream_template_string", "stream_with_context",
        "url_for", "views",
    )
)  # fmt: skip
"""What ``from flask import *`` brings in, of all its releases."""


def starred_library(name: str, libraries: Sequence[str]) -> str:
    """Return the library that a name comes from which nothing else binds; "" where that cannot be known."""
    if name in FLASK and "flask" in libraries:
        return "flask"
    others = [library for library in libraries if library != "flask"]
    return others[0] if len(others) == 1 else ""
