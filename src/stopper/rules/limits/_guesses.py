"""Whether a view takes anything that somebody could guess."""

from __future__ import annotations

import re

from stopper.regex import regex
from stopper.rules._prose import code_of
from stopper.rules.limits._locked import functions
from stopper.source.module import Bound, Kind
from stopper.source.names import Ref
from stopper.source.project import Project
from stopper.source.routes import Route

_READS = regex(r"\brequest\b|\w*form\b|\w*json\b|passw|credential|parse_args|\bpayload\b|\bbody\b|schema|\bargs\b", re.IGNORECASE)  # fmt: skip
_SENT_SECRET = regex(r"\brequest\.\w+(?:\[|\.get\()\s*[\"']\w*secret\w*[\"']")
_OWN_USER = re.compile(r"\bcurrent_user\b|\bg\.user\b|\bsession\.get_user\(")
_ENTERS = re.compile(r"\blogin_user\(|\bsession\[[^\]]*\]\s*=[^=]|set_cookie\(|create_\w*token\(")
_ASKS_WHO = re.compile(r"login|admin|auth|jwt|token|user|permission|role", re.IGNORECASE)
_FORGOT = re.compile(r"forgot|reset", re.IGNORECASE)
_PASSWORD = re.compile(r"passw(?:or)?d\.data\b|(?:\[|\.get\()[\"']\w*passw", re.IGNORECASE)
_BASIC = re.compile(r"(?:^|[._])(?:\w+_)?(?:http_?)?basic_?auth", re.IGNORECASE)
_ANSWERS = frozenset(("render_template", "jsonify", "redirect", "url_for", "make_response", "abort"))
_REGISTRARS = frozenset(("route", "get", "post", "put", "patch", "delete"))

_CHECKS_SIGNED = re.compile(
    r"\b\w*(verify|loads|unsign|decode)\w*\(\s*(token|hash|signature|signed)\b|\b\w*(signer|serializer)\.(loads|unsign)\(",
    re.IGNORECASE,
)
_ASKS_CODE = re.compile(r"(?<![a-z])(otp|totp|2fa|mfa|two_?factor)", re.IGNORECASE)
_CHECKS_PASSWORD = re.compile(
    r"(check|verify|authenticate)\w*password|\bauthenticate\(|otp|2fa|mfa|two_?factor", re.IGNORECASE
)


def guesses(project: Project, route: Route) -> bool:
    """Tell whether a route takes what one could guess: a password, or a code that opens something."""
    if route.view is None or _takes_signed_token(route):
        return False
    called = _called(project, route)
    text = "\n".join([code_of(route.view), *(code_of(ref.scope) for ref in called if ref and ref.scope)])
    if _ENTERS.search(text):
        return True
    if not _READS.search(text) and called and not _is_handed(route):
        return False
    if _SENT_SECRET.search(text):
        return False  # a code is compared with a secret that the same request brings
    guards = [name for name in route.guarded_by if name.rpartition(".")[2] not in _REGISTRARS]
    known = _OWN_USER.search(text) or any(_ASKS_WHO.search(name) for name in guards)
    return not known or "passw" in text.lower()


def danger(route: Route) -> str:
    """Return what may be done without end: to have mails sent, or to guess."""
    text = code_of(route.view) if route.view is not None else ""
    if _FORGOT.search(route.rule) and not _PASSWORD.search(text):
        return "sends mail to whoever is named, and nothing limits how often"
    return "takes passwords or codes, and nothing limits how many are tried"


def asks_basic(project: Project, route: Route) -> bool:
    """Tell whether a route is guarded by basic authentication, by a function of the project or a library's object."""
    named = [name for name in route.guarded_by if _BASIC.search(name)]
    return any("." in name or name in functions(project) for name in named)


def _is_handed(route: Route) -> bool:
    """Tell whether a view is handed more than its URL, by a decorator."""
    known = {"self", "cls", *route.parameters}
    functions = (one for one in (route.view, *route.handlers.values()) if one and one.kind is Kind.FUNCTION)
    given = (
        name for one in functions for name, bound in one.bindings.items() if bound[0].how is Bound.PARAMETER
    )
    return not known.issuperset(given)


def _called(project: Project, route: Route) -> list[Ref | None]:
    """Return what a view calls, but for what makes an answer."""
    answering = [one for one in (route.view, *route.handlers.values()) if one is not None]
    inside = {id(scope) for scope in answering}
    table = answering[0].module.calls
    made = [one for last in table if last not in _ANSWERS for one in table[last] if id(one.scope) in inside]
    return [project.code.names.resolve(site.node.func, site.scope) for site in made if site.decorates is None]


def _takes_signed_token(route: Route) -> bool:
    """Tell whether a route asks for a signed token, and for no password or one-time code that one could guess."""
    text = route.view.module.source(route.view.node) if route.view is not None else ""
    if any("token" in name or "signature" in name for name in route.parameters):
        return _ASKS_CODE.search(text) is None
    return _CHECKS_SIGNED.search(text) is not None and _CHECKS_PASSWORD.search(text) is None
