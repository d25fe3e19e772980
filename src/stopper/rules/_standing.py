"""What a guard of Stopper does where a finding is, and how a finding tells of it."""

from __future__ import annotations

from dataclasses import replace

from stopper.finding import Confidence, Evidence, Finding, Vantage
from stopper.rules._exempt import exempt
from stopper.rules._guarded import Stand, guarding
from stopper.source.project import Project
from stopper.source.routes import Route


def standing(project: Project, guard: str, finding: Finding, *, whole: bool = False) -> Stand:
    """Return what a guard does where a finding is: for its app, and for its route unless it speaks of the ``whole`` app."""
    guards = guarding(project)
    if not guards.installed.calls and not guards.installed.unseen:
        return Stand.NONE
    route = None if whole else _route(project, finding)
    app = route.application if route is not None else finding.location
    stand = guards.stand(guard, app)
    return stand_at(project, guard, route, stand)


def stand_at(project: Project, guard: str, route: Route | None, stand: Stand) -> Stand:
    """Return what a guard does for a route, given what it does for the app."""
    if stand is not Stand.ENFORCED or route is None:
        return stand
    left = exempt(project, route, guard)
    if left is None:
        return Stand.UNKNOWN
    return Stand.EXEMPT if left else stand


def _route(project: Project, finding: Finding) -> Route | None:
    """Return the route that a finding names, else the one whose view holds it."""
    named = finding.route
    for route in project.routes.routes if named is not None else ():
        if named is not None and (route.endpoint, route.rule) == (named.endpoint, named.rule):
            return route
    return project.routes.at(finding.location.path, finding.location.line)


def told(finding: Finding, guard: str, stand: Stand) -> Finding:
    """Return a finding that says why the guard does not close it; of low confidence where that is not known."""
    says = {
        Stand.REPORTED: f"Stopper's {guard} guard only reports it",
        Stand.OFF: f"Stopper's {guard} guard is off",
        Stand.EXEMPT: f"this is exempt from Stopper's {guard} guard",
        Stand.UNKNOWN: f"whether Stopper's {guard} guard closes it cannot be read here, and its settings written as constants would settle it",
    }
    if stand not in says:
        return finding
    doubted = replace(finding, confidence=Confidence.LOW) if stand is Stand.UNKNOWN else finding
    return add(doubted, says[stand])


def add(finding: Finding, said: str) -> Finding:
    """Return a finding with something added to its message."""
    end = "." if finding.message.endswith(".") else ""
    message = f"{finding.message.removesuffix('.')}; {said}{end}"
    evidence = tuple(
        Evidence(Vantage.SOURCE, message, one.location) if one.message == finding.message else one
        for one in finding.evidence
    )
    return replace(finding, message=message, evidence=evidence)
