"""Which requests another site could forge, and which of them a project checks."""

from __future__ import annotations

import re

from stopper.rules._posture import own_modules
from stopper.rules._prose import code_of
from stopper.source.project import Project
from stopper.source.routes import Route

CSRF = re.compile(r"csrf|xsrf|sec-fetch-site|samesite_check", re.IGNORECASE)
_TOKEN = re.compile(r"jwt|token|api_?key|basic_?auth|hmac|signature|oauth", re.IGNORECASE)
_FOR_OTHERS = re.compile(
    r"hooks?\b|callback|saml|\bacs\b|oauth|\btoken\b|notification|\bipn\b", re.IGNORECASE
)
"""What is there for other machines and sites to call, which bring no cookie or something better."""
_JSON = re.compile(r"\.get_json\(\s*(?:silent=\w+\s*)?\)|\brequest\.json\b")
_OTHER_BODY = re.compile(r"force\s*=\s*True|\brequest\.(?:form|values|data|files|get_data|stream|args)\b")
_READS = re.compile(r"\bmethod\b|\bform\b|\w*json\b|\brequest\b|\bdata\b|\bfiles\b", re.IGNORECASE)
_SENDER = re.compile(r"\brequest\.(?:environ|remote_addr|access_route|user_agent|host)\b")


def is_checked(project: Project, route: Route) -> bool:
    """Tell whether a route needs no check, or its view, its decorators or its API make one."""
    assert route.view is not None
    text = code_of(route.view)
    named = " ".join((*route.decorators, *route.guarded_by))
    if CSRF.search(f"{text} {named}") or _TOKEN.search(named) or _FOR_OTHERS.search(route.rule):
        return True
    if "validate_on_submit" in text or ".validate()" in text:
        return True
    if _JSON.search(text) and not _OTHER_BODY.search(text):
        return True  # no other site can send this type without being asked first
    if is_same_as_get(route):
        return True
    return bool(route.handlers) and _api_checks(project)


def is_same_as_get(route: Route) -> bool:
    """Tell whether a view does for a GET what it does for a form, of which it reads nothing but who sends it."""
    text = code_of(route.view) if route.view is not None else ""
    return "GET" in route.methods and not _READS.search(_SENDER.sub("", text))


def checked_by_hook(project: Project) -> bool:
    """Tell whether a hook that runs before each request speaks of CSRF."""
    hooks = [hook for hook in project.routes.hooks if hook.kind == "before_request"]
    return any(CSRF.search(hook.view.module.source(hook.view.node)) for hook in hooks)


def _api_checks(project: Project) -> bool:
    """Tell whether every resource of an API gets a decorator that speaks of CSRF."""
    return project.cached("csrf of the API", lambda: _decorated(project))


def _decorated(project: Project) -> bool:
    for module in own_modules(project):
        for target, value, scope in module.stores:
            store = project.code.expr(target, scope)
            if store.identifier == "decorators" and CSRF.search(module.source(value)):
                return True
    calls = (*project.code.every_call("Api"), *project.code.calls("flask_restful.Api", "flask_restx.Api"))
    given = [call.argument(None, "decorators") for call in calls]
    return any(CSRF.search(one.source) for one in given if one is not None)
