"""Say a report as JSON, in the public and versioned form `stopper-report/1`.

The same report always gives the same bytes. Keys may be added within a version, none is removed or changes
its meaning. Paths are relative to the target; lines and columns count from 1.
"""

from __future__ import annotations

import json
from typing import Any

from stopper.finding import Evidence, Finding, Location, RouteRef, Step
from stopper.fix import Fix
from stopper.report import AreaState, Report, SiteScore

SCHEMA = "stopper-report/1"


def render(report: Report) -> str:
    """Return the report as JSON text."""
    return json.dumps(document(report), indent=2, ensure_ascii=True) + "\n"


def document(report: Report) -> dict[str, Any]:
    """Return the report as plain data."""
    stats = report.stats
    return {
        "schema": SCHEMA,
        "target": report.target,
        "areas": [_area(state) for state in report.areas],
        "grade": report.grade,
        "findings": [_finding(finding) for finding in report.findings],
        "skipped": [{"what": one.what, "reason": one.reason} for one in report.skipped],
        "suppressed": report.suppressed,
        "notes": [{"message": one.message, "location": _location(one.location)} for one in report.notes],
        "site": _site(report.site),
        "stats": {
            "files": stats.files,
            "lines": stats.lines,
            "templates": stats.templates,
            "routes": stats.routes,
            "seconds": round(stats.seconds, 3),
        },
    }


def _site(site: SiteScore | None) -> dict[str, Any] | None:
    if site is None:
        return None
    tests = [
        {"test": name, "result": result, "points": points, "rule": rule}
        for name, result, points, rule in site.tests
    ]
    return {"url": site.url, "letter": site.letter, "points": site.points, "tests": tests}


def _area(state: AreaState) -> dict[str, Any]:
    counts = {severity.value: number for severity, number in state.counts.items()}
    return {"area": state.area.value, "state": state.state, "counts": counts}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "area": finding.area.value,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "cwe": list(finding.cwe),
        "message": finding.message,
        "location": _location(finding.location),
        "remedy": finding.remedy,
        "flow": [_step(step) for step in finding.flow],
        "route": _route(finding.route),
        "evidence": [_evidence(one) for one in finding.evidence],
        "fingerprint": finding.fingerprint,
        "fix": _fix(finding.fix),
        "proof": finding.proof,
    }


def _location(place: Location | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
    }


def _step(step: Step) -> dict[str, Any]:
    place = step.location
    return {"path": place.path, "line": place.line, "column": place.column, "note": step.note}


def _route(route: RouteRef | None) -> dict[str, Any] | None:
    if route is None:
        return None
    return {"rule": route.rule, "methods": list(route.methods), "endpoint": route.endpoint}


def _evidence(one: Evidence) -> dict[str, Any]:
    return {"vantage": one.vantage.value, "message": one.message, "location": _location(one.location)}


def _fix(fix: Fix | None) -> dict[str, Any] | None:
    if fix is None:
        return None
    edits = [{"path": one.path, "start": one.start, "end": one.end, "text": one.text} for one in fix.edits]
    return {"title": fix.title, "safety": fix.safety.value, "edits": edits}
