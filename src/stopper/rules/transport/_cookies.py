"""What a call of ``set_cookie`` is about."""

from __future__ import annotations

import re

from stopper.rules._posture import constant
from stopper.source.code import Call

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
