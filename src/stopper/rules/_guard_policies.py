"""The content security policies that a project gives to Stopper's csp guard: the strict one, with directives replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stopper.finding import Location
from stopper.policy import STRICT_CSP
from stopper.records import dataclass
from stopper.rules._guarded import Stand, guarding
from stopper.rules._posture import own_calls
from stopper.source.causes import GUARD_CLASSES
from stopper.source.project import Project
from stopper.source.values import UNKNOWN

_OPEN = frozenset(("'unsafe-inline'", "'none'"))
"""With one of these among its sources a directive gets no nonce."""


@dataclass(frozen=True)
class Given:
    """The policy of an app or of a view."""

    location: Location
    """Where its directives are written."""
    directives: dict[object, object]
    """All of them, those of the strict policy included; a value may be UNKNOWN."""
    nonce: bool
    """Whether the guard puts a nonce into script-src."""


def given_policies(project: Project) -> Iterator[Given]:
    """Yield the policies that are not the strict one, where the guard sends them."""
    guards = guarding(project)
    if guards.stand("csp") not in {Stand.ENFORCED, Stand.UNKNOWN}:
        return
    said = guards.said("csp_policy")
    of_app = said.value if said is not None and isinstance(said.value, dict) else {}
    if said is not None and said.place is not None and of_app:
        yield _replaced(said.place, of_app)
    for call in own_calls(project, *(f"{one}().csp" for one in GUARD_CLASSES)):
        first = call.argument(0, "policy")
        listed = first.value.in_production() if first is not None else {}
        spoken = {name: one.value.in_production() for name, one in call.keywords.items() if name != "policy"}
        if isinstance(listed, dict) and not call.has_star:
            yield _replaced(call.location, {**of_app, **listed, **spoken})


def _replaced(place: Location, said: Mapping[Any, Any]) -> Given:
    """Return the strict policy with directives replaced, None taking one out."""
    directives: dict[Any, Any] = dict(STRICT_CSP)
    for key, value in said.items():
        name = str(key).replace("_", "-").lower()
        directives[UNKNOWN if key is UNKNOWN else name] = value
        if value is None or value is False:
            directives.pop(name, None)
    scripts = directives.get("script-src", ())
    words = scripts.split() if isinstance(scripts, str) else scripts
    nonce = (
        isinstance(words, list | tuple) and "script-src" in directives and not _OPEN & set(map(str, words))
    )
    return Given(place, directives, nonce)
