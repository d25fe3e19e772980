"""What a call of ``set_cookie`` is about."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Location
from stopper.regex import regex
from stopper.rules._posture import constant
from stopper.source.choices import choices
from stopper.source.code import Call, Expr
from stopper.source.files import Role
from stopper.source.module import Scope
from stopper.source.project import Project

FLAGS = ("secure", "httponly", "samesite")
_SETTING = regex(r"""config(?:\[|\.get\()["'](?P<key>[A-Z][A-Z0-9_]+)["'][\])]$""")
_BY_HAND = re.compile(
    r"""["']set-cookie["']\]?\s*[:,=]\s*f?(?P<quote>["'])(?P<cookie>[\w-]+=[^\n]*?)(?P=quote)""",
    re.IGNORECASE,
)
_FOR_SCRIPTS = re.compile(r"csrf|xsrf", re.IGNORECASE)


def is_response(call: Call) -> bool:
    """Tell whether a call may be a response's: a function of that name, and a jar that takes a whole cookie, are others."""
    named = call.argument(0, "key")
    alone = len(call.arguments) == 1 and not call.keywords and not call.spread
    return named is not None and call.receiver is not None and not (alone and not named.value.known)


def read_by_scripts(call: Call) -> bool:
    """Tell whether a cookie holds a token against forged requests, which scripts have to read and send back."""
    named = call.argument(0, "key")
    words = f"{constant(named)} {named.source if named is not None else ''}"
    return _FOR_SCRIPTS.search(words) is not None


def takes_away(call: Call) -> bool:
    """Tell whether a call takes a cookie away: it is over as soon as it is set."""
    return any(end and end.value.constant == 0 for end in (call.argument(2, "max_age"), call.argument(3, "expires")))  # fmt: skip


def written_by_hand(project: Project) -> Iterator[tuple[Location, str]]:
    """Yield each cookie that application code writes into the header itself, whole within one text."""
    for module in project.modules:
        text = module.text.content
        if module.role is Role.APP and ("Set-Cookie" in text or "set-cookie" in text):
            for found in _BY_HAND.finditer(text):
                yield module.text.location(module.path, *found.span()), found["cookie"]


def missing_flags(call: Call, project: Project) -> list[str]:
    """Return the flags that a call leaves out or turns off; none when it cannot be known which it gives."""
    spreads = [options.value.constant for options in call.spread]
    if not all(isinstance(one, dict) for one in spreads):
        return []
    spread = {key: value for one in spreads for key, value in one.items()}
    given = {flag: call.argument(None, flag) for flag in FLAGS}
    return [flag for flag, value in given.items() if _off(value, spread.get(flag), project, call.scope)]


def _off(flag: Expr | None, spread: object, project: Project, scope: Scope) -> bool:
    """Tell whether a flag is given as something false: at the call, by all who call, in what is spread, or in the setting it is read from."""
    if flag is None:
        return _is_false(spread)
    setting = _SETTING.search(flag.source)
    kept = project.settings.in_production(setting["key"]) if setting else choices(project.code, flag, scope)
    return bool(kept) and all(one.value.known and _is_false(one.value.constant) for one in kept)


def _is_false(value: object) -> bool:
    return not value or str(value).lower() == "none"
