"""Whether a project counts wrong logins itself: what a view calls refuses who has tried too often."""

from __future__ import annotations

import re

from stopper.regex import regex
from stopper.rules._posture import own_modules
from stopper.rules._prose import code_of
from stopper.source.module import Kind
from stopper.source.project import Project
from stopper.source.routes import Route

_REFUSES = regex(
    r"\braise\s+[\w.]*(?:too_?many|throttle|locked|lock_?out|rate_?limit|attempts)\w*|\babort\(\s*(?:HTTPStatus\.)?(?:429|TOO_MANY)",
    re.IGNORECASE,
)
_CALLED = regex(r"(?<!def )\b(\w{4,})\(")
_COMMON = frozenset(
    ("filter", "first", "update", "delete", "save", "execute", "commit", "append", "format", "join", "items", "render_template", "redirect", "get_json")
)  # fmt: skip
"""Names of so many methods that a call of one says nothing of where it leads."""
_VERIFIER = "verify_password"
"""What the function is called that a library's basic authentication asks."""
MAX_STEPS = 6
"""How far the calls of a view are followed."""
MAX_NAMESAKES = 12
"""How many functions of one name may be meant by a call."""


def locks(project: Project, route: Route) -> bool:
    """Tell whether what a view or its guard calls, or what that calls, refuses who has tried too often."""
    if not project.cached("limits.refuses", lambda: _refuses(project)):
        return False
    named = functions(project)
    reached = [code_of(one) for one in (route.view, *route.handlers.values()) if one is not None]
    guards = [_VERIFIER if "." in guard else guard for guard in route.guarded_by]
    reached += [text for guard in guards for text in named.get(guard, ())]
    seen: set[str] = set()
    for _ in range(MAX_STEPS):
        if any(_REFUSES.search(text) for text in reached):
            return True
        called = {name for text in reached for name in _CALLED.findall(text)} - seen - _COMMON
        seen |= called
        reached = [
            text for name in sorted(called) if len(named.get(name, ())) <= MAX_NAMESAKES for text in named.get(name, ())
        ]  # fmt: skip
    return False


def _refuses(project: Project) -> bool:
    """Tell whether anything in the application refuses who has tried too often."""
    return any(_REFUSES.search(module.text.content) for module in own_modules(project))


def functions(project: Project) -> dict[str, list[str]]:
    """Return the texts of the application's functions by their names, worked out when first asked for."""
    return project.cached("limits.functions", lambda: _named(project))


def _named(project: Project) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for module in own_modules(project):
        for scope in module.scopes:
            if scope.kind is Kind.FUNCTION and scope.name != "<lambda>":
                found.setdefault(scope.name, []).append(code_of(scope))
    return found
