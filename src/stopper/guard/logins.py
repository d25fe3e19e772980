"""Recognise what is for signing in: by its path, its name, and the password that is posted to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from flask import Request

from stopper.guard.route import Route

PASSWORDS: Final = frozenset(
    (
        "password passwd pwd pass passphrase passcode password1 current_password old_password new_password "
        "user_password pin otp totp otp_code mfa_code"
    ).split()
)
"""Names of form fields and JSON keys that hold a password or a code, in lower case with underscores."""

LOGIN: Final = frozenset(
    "login logon signin authenticate auth session sessions token otp totp mfa 2fa verify unlock".split()
)
"""Words in a path or an endpoint that stand for signing in: guesses fail there, so that a lockout can count them."""

SENSITIVE: Final = LOGIN | frozenset(
    "register signup forgot reset recover recovery password invite resend".split()
)
"""Words in a path or an endpoint that stand for what is to be posted to rarely."""

_WORD: Final = re.compile(r"[a-z0-9]+")
_JOINED: Final = re.compile(r"\b(log|sign)[-_ ]?(in|on|up)\b")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PREFIX: Final = re.compile(r"[-.\[]")
_VARIABLE: Final = re.compile(r"<[^>]*>")


class Logins:
    """The endpoints that were sent a password, learned while the app runs."""

    def __init__(self) -> None:
        self.endpoints: frozenset[str] = frozenset()

    def learn(self, endpoint: str) -> None:
        """Remember an endpoint."""
        self.endpoints |= {endpoint}


def words_of(route: Route) -> frozenset[str]:
    """Return the words in the last fixed part of each of a route's paths, and in the last part of its endpoint."""
    texts = [route.endpoint.rpartition(".")[2]]
    for rule in route.rules:
        fixed = [part for part in _VARIABLE.sub("", rule).split("/") if part]
        texts += fixed[-1:]
    found: set[str] = set()
    for text in texts:
        spaced = _CAMEL.sub(" ", text).lower().replace("_", " ")
        found.update(_WORD.findall(_JOINED.sub(r"\1\2", spaced)))
    return frozenset(found)


def is_login(route: Route) -> bool:
    """Tell whether a route is for signing in, going by its names."""
    return "POST" in route.methods and bool(words_of(route) & LOGIN)


def is_sensitive(route: Route) -> bool:
    """Tell whether a route is for signing in, registering, or resetting a password, going by its names."""
    return "POST" in route.methods and bool(words_of(route) & SENSITIVE)


def holds_password(names: Iterable[object]) -> bool:
    """Tell whether one of the names of posted fields is a password's."""
    return any(not PASSWORDS.isdisjoint(readings(name)) for name in names)


def readings(name: object) -> tuple[str, str]:
    """Return a field's name in lower case with underscores: whole, and without the prefix of its form (`login-user`, `form[user]`)."""
    low = str(name)[:64].lower().rstrip("]")
    return low.replace("-", "_"), _PREFIX.split(low)[-1]


def posted(request: Request) -> Mapping[str, object]:
    """Return the fields that the view has read from a request's body already; reads nothing itself."""
    seen = request.__dict__
    form = seen.get("form")
    if form:
        return form  # type: ignore[no-any-return]
    for parsed in seen.get("_cached_json", ()):
        if isinstance(parsed, dict):
            return parsed
    return {}
