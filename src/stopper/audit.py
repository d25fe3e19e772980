"""The run: a target becomes facts, rules ask them, and what they say becomes a report.

A rule that raises is recorded as skipped, with its name, and the run goes on.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from stopper import stages
from stopper.cache import NO_CACHE, Cache, listed
from stopper.config import Config
from stopper.errors import NotFlaskError
from stopper.finding import Finding, RouteRef, Skipped
from stopper.memory import uninterrupted
from stopper.report import Note, Report, RuleInfo, Stats, assemble
from stopper.rule import Rule, discover, modules
from stopper.source import ignores
from stopper.source.credentials import redact
from stopper.source.files import SourceFile, Tree
from stopper.source.project import Options, Project
from stopper.vantages import SOURCE_ONLY, Looks, look

_PROGRAMS = (".py", ".pyw", ".html", ".htm", ".j2", ".jinja", ".jinja2")
_DATA = (".toml", ".cfg", ".ini", ".env", ".yml", ".yaml", ".conf", ".txt")
_NAMES = ("Dockerfile", "Procfile", ".env", ".flaskenv", "Caddyfile")
_SMALL = 200_000

Progress = Callable[[str, int, int], None]
"""Is told what is being done, how many steps are done, and how many there are."""


def audit(
    target: Path,
    config: Config | None = None,
    progress: Progress | None = None,
    looks: Looks = SOURCE_ONLY,
    cache: Cache = NO_CACHE,
) -> Report:
    """Look at the source of a project with every rule that the configuration wants.

    Args:
        target: The folder of the project, or one file.
        config: What to look at; the defaults when it is not given.
        progress: Called before each step, for long looks.
        looks: What to look at beside the source.
        cache: Where what commits hold is remembered.

    Raises:
        TargetError: There is nothing at ``target``.
        NotFlaskError: Nothing under ``target`` uses Flask.
        ConfigError: The baseline cannot be read.
    """
    config = config or Config()
    return audit_tree(listed(target, config), target, config, progress, looks, cache)[0]


@uninterrupted
def audit_tree(
    tree: Tree,
    target: Path,
    config: Config,
    progress: Progress | None = None,
    looks: Looks = SOURCE_ONLY,
    cache: Cache = NO_CACHE,
) -> tuple[Report, tuple[str, ...]]:
    """Return the report on files that were listed, and the paths outside of them that were looked at: see ``audit``."""
    started = time.perf_counter()
    tell = progress or (lambda *_: None)
    tell("reading the project", 0, 1)
    project = Project(tree, _options(config))
    rules = [rule for rule in discover() if config.wants(rule.slug, rule.area)]
    with stages.begun(project, rules, cache):
        report = _report(project, rules, target, config, tell, looks, started)
        return report, project.asides


def _report(
    project: Project,
    rules: list[Rule],
    target: Path,
    config: Config,
    tell: Progress,
    looks: Looks,
    started: float,
) -> Report:
    if looks.site is None or project.uses_flask:
        _demand_flask(project, target)
    findings, skipped = stages.ask(rules, project, tell) if project.uses_flask else ([], [])
    seen = look(looks, rules, project, findings)
    findings = _numbered(_completed(finding, project) for finding in seen.findings)
    kept, suppressed, notes = _sift(findings, project, config, {rule.slug for rule in rules})
    named = {finding.rule for finding in kept}
    return assemble(
        target=str(target),
        findings=kept,
        skipped=[*_facts_skipped(project), *skipped, *seen.skipped],
        stats=_stats(project, time.perf_counter() - started),
        rules={rule.slug: _info(rule) for rule in rules if rule.slug in named},
        suppressed=suppressed,
        notes=[*notes, *seen.notes],
        asked=tuple({rule.area for rule in rules}),
        site=seen.site,
    )


def _options(config: Config) -> Options:
    return Options(config.advisories, config.online, config.second_order)


def _demand_flask(project: Project, target: Path) -> None:
    if project.uses_flask:
        return
    unread = "; ".join(f"{one.what}: {one.reason}" for one in project.code.skipped[:3])
    hint = f" ({unread})" if unread else ""
    raise NotFlaskError(
        f"nothing under {str(target)!r} imports Flask{hint}; name the folder that holds the Flask project: stopper audit PATH"
    )


def _facts_skipped(project: Project) -> Iterable[Skipped]:
    yield from project.skipped
    yield from project.history_skipped


def _completed(finding: Finding, project: Project) -> Finding:
    """Add the line of code and the route that reaches it."""
    line = project.line(finding.location)
    code = finding.code or redact(line).strip()
    indent = len(line) - len(line.lstrip()) if code == line.strip() else -1
    flow = tuple(replace(step, code=redact(step.code)) for step in finding.flow)
    return replace(
        finding, code=code, indent=indent, flow=flow, route=finding.route or _route(finding, project)
    )


def _route(finding: Finding, project: Project) -> RouteRef | None:
    if not finding.location.path.endswith((".py", ".pyw")):
        return None
    route = project.routes.at(finding.location.path, finding.location.line)
    return RouteRef(route.rule, tuple(route.methods), route.endpoint) if route else None


def _numbered(findings: Iterable[Finding]) -> list[Finding]:
    """Give each finding its fingerprint: rule, path, context and code; equal ones are told apart by their order."""
    seen: Counter[str] = Counter()
    result = []
    for finding in sorted(findings, key=lambda one: (one.location, one.rule, one.message)):
        parts = (finding.rule, finding.location.path, finding.context, " ".join(finding.code.split()))
        digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:20]
        seen[digest] += 1
        nth = seen[digest]
        result.append(replace(finding, fingerprint=digest if nth == 1 else f"{digest}-{nth}"))
    return result


def _sift(
    findings: list[Finding], project: Project, config: Config, ran: set[str]
) -> tuple[list[Finding], int, list[Note]]:
    """Leave out what a comment, a path in the configuration, the threshold or the baseline keeps out of the report."""
    sure = [finding for finding in findings if finding.confidence.at_least(config.min_confidence)]
    texts = {file.path: file.text.content for file in project.tree.files if _may_ignore(file)}
    sifted = ignores.sift(findings, texts, ran=ran, known=set(modules()))
    notes = [Note(one.message, one.location) for one in sifted.complaints]
    unanswered = set(map(id, sifted.kept))
    kept = [one for one in sure if id(one) in unanswered and not config.ignores(one.location.path, one.rule)]
    if config.baseline is not None:
        from stopper.baseline import Baseline

        kept = list(Baseline.load(config.baseline).sift(kept).new)
    return kept, len(sure) - len(kept), notes


def _may_ignore(file: SourceFile) -> bool:
    """Tell whether a file can hold a comment that people write for Stopper."""
    if file.path.endswith(_PROGRAMS):
        return True
    return file.size < _SMALL and (file.name in _NAMES or file.path.endswith(_DATA))


def _stats(project: Project, seconds: float) -> Stats:
    return Stats(
        files=len(project.tree.files),
        lines=project.lines,
        templates=len(project.templates.all),
        routes=len(project.routes.routes),
        seconds=round(seconds, 3),
    )


def _info(rule: Rule) -> RuleInfo:
    page = rule.page
    good = page.good[0].source if page.good else ""
    return RuleInfo(page.title, page.why, rule.area, rule.severity, rule.cwe, good, page.references)
