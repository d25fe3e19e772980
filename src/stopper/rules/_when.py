"""When a guard of Stopper that is in force closes a finding as it is set: what its settings take away, and what it leaves to the app."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from stopper.finding import Finding
from stopper.policy import UPLOAD_BYTES
from stopper.regex import regex
from stopper.rules._guarded import Guarding
from stopper.rules._posture import own_calls
from stopper.source.causes import GUARD_CLASSES
from stopper.source.values import UNKNOWN

if TYPE_CHECKING:
    from stopper.app.booted import Booted

_CREDENTIAL: Final = regex(r"sess|auth|remember|token|login|jwt|(^|[_-])sid$", re.IGNORECASE)
"""The names of cookies that the guard keeps from scripts."""


def _unless_none(value: object) -> bool | None:
    """Tell whether a bound is not taken away; None where that is not known."""
    return None if value is UNKNOWN else value is not None


def fits_places(guards: Guarding, finding: Finding) -> bool | None:
    """Tell whether the xss guard makes values harmless for the place in which a template writes them."""
    del finding
    contexts = guards.setting("xss_contexts", default=True)
    return None if contexts is UNKNOWN else bool(contexts)


def limits_logins(guards: Guarding, finding: Finding) -> bool | None:
    """Tell whether the guard's own limit on logins is not taken away."""
    del finding
    return _unless_none(guards.setting("limits_login", default="10 per minute"))


def bounds_body(guards: Guarding, finding: Finding) -> bool | None:
    """Tell whether the guard's own bound on bodies is not taken away."""
    del finding
    return _unless_none(guards.setting("body_bytes", default=UPLOAD_BYTES))


def counts_proxies(guards: Guarding, finding: Finding) -> bool | None:
    """Tell whether the guard knows how many proxies there are, and takes their headers from everybody else."""
    del finding
    return _unless_none(guards.setting("proxies", default=None))


def needs_no_token(guards: Guarding, finding: Finding) -> bool:
    """Tell whether nothing beside the guard asks forms for a token of its own."""
    del finding
    return not guards.project.code.uses("flask_seasurf")


def renews_session(guards: Guarding, finding: Finding) -> bool:
    """Tell whether the guard renews the session: Flask's own, and any other where Flask-Login logs in."""
    project = guards.project
    return "login_user" in project.line(finding.location) or not project.code.uses("flask_session")


def sets_same_site(guards: Guarding, finding: Finding) -> bool:
    """Tell whether the app says nothing of its own about SameSite; the guard leaves what it says."""
    del finding
    settings = guards.project.settings.in_production("SESSION_COOKIE_SAMESITE")
    return all(one.value.in_production() is None for one in settings)


def says_no_same_site(booted: Booted) -> bool:
    """Tell whether the booted app says nothing of its own about SameSite."""
    return booted.config.get("SESSION_COOKIE_SAMESITE") is None


def keeps_session_from_scripts(guards: Guarding, finding: Finding) -> bool:
    """Tell whether the guard knows the session's cookie by its name, and is not told to leave it to scripts."""
    del finding
    settings = guards.project.settings.in_production("SESSION_COOKIE_NAME")
    names = [one.value.in_production() for one in settings] or ["session"]
    return all(_CREDENTIAL.search(str(name)) for name in names) and not guards.setting("script_cookies", ())


def completes_cookie(guards: Guarding, finding: Finding) -> bool:
    """Tell whether the guard adds what a cookie lacks: not what a script is to read, and no other SameSite where the app says None."""
    call = guards.project.code.call_at(finding.location)
    said = call.argument(None, "samesite") if call is not None else None
    none = said is not None and isinstance(said.value.constant, str)
    return not none and not ("httponly" in finding.message and guards.setting("script_cookies", ()))


def looks_at_uploads(guards: Guarding, finding: Finding) -> bool | None:
    """Tell whether the view says which files it accepts, so that the guard looks at them first; None where another view does."""
    project = guards.project
    marked = [call.decorates for call in own_calls(project, *(f"{one}().upload" for one in GUARD_CLASSES))]
    route = project.routes.at(finding.location.path, finding.location.line)
    if route is not None and any(view is route.view for view in marked):
        return True
    return None if marked else False


def escapes_all_the_same(guards: Guarding, finding: Finding) -> bool:
    """Tell whether escaping is switched off before the guard takes the app's environment over, in the lines right above it."""
    if "jinja_" not in finding.context:
        return False
    place = finding.location
    for call in guards.installed.calls:
        if call.location.path == place.path and place.line < call.location.line:
            lines = call.module.text.content.splitlines()[place.line : call.location.line]
            return not any(line.lstrip().startswith(("def ", "class ", "async def ")) for line in lines)
    return False
