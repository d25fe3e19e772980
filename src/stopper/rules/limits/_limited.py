"""What limits how often something is asked already: on a route, or everywhere."""

from __future__ import annotations

import re

from stopper.rules._posture import LIMITER, constant, own_calls
from stopper.source.project import Project

_LIMITS = re.compile(r"limit|throttle|ratelimit|lockout|slow_?down", re.IGNORECASE)


def limited(decorators: tuple[str, ...]) -> bool:
    """Tell whether a decorator's name speaks of a limit."""
    return any(_LIMITS.search(name) for name in decorators)


def limited_everywhere(project: Project) -> bool:
    """Tell whether the app has default limits, a limit on whole blueprints, a limiting hook or a security extension's lock."""
    for call in own_calls(project, *LIMITER):
        defaults = call.argument(None, "default_limits") or call.argument(None, "application_limits")
        if defaults is not None and constant(defaults) != []:
            return True
    if project.settings.is_set("RATELIMIT_DEFAULT") or project.settings.is_set("RATELIMIT_APPLICATION"):
        return True
    if any(call.decorates is None for call in own_calls(project, "flask_limiter.Limiter().limit")):
        return True
    hooks = project.routes.hooks
    if any(hook.kind == "before_request" and _LIMITS.search(hook.view.name) for hook in hooks):
        return True
    return any(
        "limit_req" in file.text.content for file in project.tree.named("*.conf", "nginx*", "Caddyfile")
    )
