"""Say a report as SARIF 2.1.0, in the shape that GitHub code scanning reads.

GitHub takes the fix from ``help.markdown`` only, keeps ten tags, and refuses absolute locations; 25,000
results are the most it takes, worst first, so that what is cut is the least.
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from stopper import __version__
from stopper.finding import Confidence, Finding, Location, Severity, Step
from stopper.report import Report, RuleInfo

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MAX_RESULTS = 25_000

_SCORE = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
    Severity.INFO: "0.1",
}
_LEVEL = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_PRECISION = {Confidence.HIGH: "high", Confidence.MEDIUM: "medium", Confidence.LOW: "low"}


def render(report: Report) -> str:
    """Return the report as SARIF text."""
    return json.dumps(document(report), indent=2, ensure_ascii=True) + "\n"


def document(report: Report) -> dict[str, Any]:
    """Return the report as plain data."""
    shown = report.findings[:MAX_RESULTS]
    slugs = sorted({finding.rule for finding in shown})
    index = {slug: number for number, slug in enumerate(slugs)}
    driver = {
        "name": "Stopper",
        "semanticVersion": _semantic(__version__),
        "rules": [_rule(slug, report.rules.get(slug), shown) for slug in slugs],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The folder that was audited"}}},
        "invocations": [_invocation(report)],
        "results": [_result(finding, index[finding.rule]) for finding in shown],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _semantic(version: str) -> str:
    numbers = version.partition("+")[0].split(".")
    whole = len(numbers) >= 3 and all(part.isdigit() for part in numbers[:3])
    return ".".join(numbers[:3]) if whole else "0.0.0"


def _invocation(report: Report) -> dict[str, Any]:
    notes = [f"not looked at: {one.what}: {one.reason}" for one in report.skipped]
    notes += [f"{one.location}: {one.message}" if one.location else one.message for one in report.notes]
    return {
        "executionSuccessful": True,
        "toolExecutionNotifications": [{"level": "warning", "message": {"text": text}} for text in notes],
    }


def _rule(slug: str, known: RuleInfo | None, findings: tuple[Finding, ...]) -> dict[str, Any]:
    own = [finding for finding in findings if finding.rule == slug]
    info = known or RuleInfo(title=slug, area=own[0].area, severity=own[0].severity, cwe=own[0].cwe)
    worst = own[0].severity
    surest = max((finding.confidence for finding in own), key=lambda one: one.rank)
    tags = ["security", f"area/{info.area}", *(f"external/cwe/cwe-{number:03d}" for number in info.cwe)]
    return {
        "id": slug,
        "shortDescription": {"text": info.title or slug},
        "fullDescription": {"text": info.why or info.title or slug},
        "help": {"text": info.why or info.title or slug, "markdown": _markdown(slug, info)},
        "defaultConfiguration": {"level": _LEVEL[worst]},
        "properties": {
            "tags": tags[:10],
            "precision": _PRECISION[surest],
            "security-severity": _SCORE[worst],
            "problem.severity": {"note": "recommendation"}.get(_LEVEL[worst], _LEVEL[worst]),
        },
    }


def _markdown(slug: str, info: RuleInfo) -> str:
    parts = [f"**{info.title}**", info.why]
    if info.good:
        parts.append("Write instead:")
        parts.append(_fenced(info.good))
    parts.extend(f"- {reference}" for reference in info.references)
    parts.append(f"More: `stopper explain {slug}`")
    return "\n\n".join(part for part in parts if part)


def _fenced(code: str) -> str:
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}python\n{code.rstrip()}\n{fence}"


def _result(finding: Finding, index: int) -> dict[str, Any]:
    text = finding.message
    if finding.route is not None:
        text += f" Reached by {' '.join(finding.route.methods)} {finding.route.rule}."
    if finding.remedy:
        text += f"\nWrite instead:\n{finding.remedy}"
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVEL[finding.severity],
        "message": {"text": text},
        "locations": [_location(finding.location)],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{finding.fingerprint}:1",
            "stopper/v1": finding.fingerprint,
        },
        "properties": {"confidence": finding.confidence.value, "area": finding.area.value},
    }
    if finding.flow:
        result["codeFlows"] = [{"threadFlows": [{"locations": [_hop(step) for step in finding.flow]}]}]
    if finding.related:
        places = enumerate(finding.related, 1)
        result["relatedLocations"] = [_location(place, "belongs to it", number) for number, place in places]
    return result


def _hop(step: Step) -> dict[str, Any]:
    return {"location": _location(step.location, step.note)}


def _location(place: Location, note: str = "", number: int | None = None) -> dict[str, Any]:
    line = max(1, place.line)
    end_line = max(line, place.end_line)
    region = {"startLine": line, "startColumn": max(1, place.column), "endLine": end_line}
    least = region["startColumn"] + 1 if end_line == line else 1
    region["endColumn"] = max(least, place.end_column)
    artifact = {"uri": quote(place.path), "uriBaseId": "SRCROOT"}
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": artifact, "region": region}}
    if note:
        location["message"] = {"text": note}
    if number is not None:
        location["id"] = number
    return location
