"""Which of the demanded headers Stopper's guards send, and what a missing one is worth beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stopper.finding import Finding, Location
from stopper.policy import HEADERS
from stopper.rules._exempt import exempt
from stopper.rules._guarded import Guarding, Stand, guarding
from stopper.rules._standing import told
from stopper.source.files import Role
from stopper.source.project import Project
from stopper.source.routes import Route
from stopper.source.values import UNKNOWN

_SETTINGS: Final = {"x-frame-options": "frame_options", "referrer-policy": "referrer_policy"}
"""Headers that a setting of the guard leaves out where it is None."""


def sent(project: Project, app: Location) -> set[str]:
    """Return the headers, in lower case, that the guards in force set on every answer of an app."""
    guards = guarding(project)
    found = set(_set_by_headers(guards)) if guards.stand("headers", app) is Stand.ENFORCED else set()
    return found | ({"content-security-policy"} if guards.stand("csp", app) is Stand.ENFORCED else set())


def _set_by_headers(guards: Guarding) -> Iterator[str]:
    for name in map(str.lower, HEADERS):
        left_out = name in _SETTINGS and guards.setting(_SETTINGS[name], HEADERS) in (None, UNKNOWN)
        if name != "content-security-policy" and not left_out:
            yield name


def judged(project: Project, finding: Finding) -> Finding:
    """Return a finding about headers that are missing, with what the guards do that would set them."""
    guards = guarding(project)
    names = ["csp"] if "Content-Security-Policy" in finding.message else []
    names += ["headers"] if not names or "Referrer-Policy" in finding.message else []
    for guard in names:
        stand = guards.stand(guard, finding.location)
        if stand in {Stand.REPORTED, Stand.OFF, Stand.UNKNOWN}:
            return told(finding, guard, stand)
    return finding


def left_out(project: Project) -> Iterator[tuple[Route, str]]:
    """Yield the routes that are told to go without the headers which a guard in force sets elsewhere."""
    guards = guarding(project)
    for guard in ("headers", "csp") if guards.installed.calls else ():
        for route in project.routes.routes:
            own = project.role(route.location.path) is Role.APP
            if (
                own
                and guards.stand(guard, route.application) is Stand.ENFORCED
                and exempt(project, route, guard)
            ):
                yield route, guard


def hook_for(missing: list[str]) -> str:
    """Return the hook that sets the headers which are missing."""
    lines = "\n".join(f'    response.headers.setdefault("{name}", "{HEADERS[name]}")' for name in missing)
    return f"@app.after_request\ndef security_headers(response):\n{lines}\n    return response"
