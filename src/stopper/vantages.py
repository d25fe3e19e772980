"""The vantages beside the source: boot the app, ask the live site, let the rules look, and merge what they say with the source's findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from stopper.errors import UnseenError
from stopper.finding import Area, Cleared, Finding, Skipped, few
from stopper.merge import merge
from stopper.records import dataclass
from stopper.report import Note, SiteScore
from stopper.rule import Rule
from stopper.source.causes import cause
from stopper.source.project import Project
from stopper.stages import asked

if TYPE_CHECKING:
    from stopper.app.boot import Boot
    from stopper.app.booted import Booted
    from stopper.wire.site import Site
    from stopper.wire.survey import Plan

_APP_AREAS = (Area.SECRETS, Area.HEADERS, Area.TRANSPORT)
"""What cannot be called closed when the app was to be booted and was not."""
_SITE_AREAS = (Area.HEADERS, Area.TRANSPORT)
"""What cannot be called closed when the site was to be asked and did not answer."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What to look at beside the source."""

    app: Boot | None = None
    """How to boot the app; None leaves it alone."""
    site: Plan | None = None
    """What to ask the live site; None leaves it alone."""


SOURCE_ONLY = Looks()
"""Look at nothing beside the source."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What all vantages together say."""

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[Note, ...] = ()
    site: SiteScore | None = None

    def with_skipped(self, one: Skipped) -> Seen:
        """Return the same with one more thing that could not be looked at."""
        return replace(self, skipped=(*self.skipped, one))


def look(looks: Looks, rules: Sequence[Rule], project: Project, findings: Iterable[Finding]) -> Seen:
    """Return the source's findings with what the other vantages add, confirm and answer."""
    seen = Seen(tuple(findings))
    booted: Booted | None = None
    if looks.app is not None:
        from stopper.app.boot import boot

        try:
            booted = boot(looks.app)
            seen = _at_app(seen, looks.app.app, booted, rules, project)
        except UnseenError as error:
            seen = seen.with_skipped(Skipped(f"app {looks.app.app}", str(error), _APP_AREAS))
    if looks.site is not None:
        seen = _at_site(seen, _with_routes(looks.site, booted), rules, project)
    return seen


def _at_app(seen: Seen, name: str, booted: Booted, rules: Sequence[Rule], project: Project) -> Seen:
    said, skipped = _asked(rules, lambda rule: rule.app(booted), "the app")
    if not booted.production:
        said = [item for item in said if isinstance(item, Finding)]
    merged = merge(seen.findings, said, lambda subject: cause(project, subject), name)
    notes = (*seen.notes, *merged.notes, *_unseen_routes(project, booted))
    return Seen(merged.findings, (*seen.skipped, *skipped, *_not_asked(booted)), notes)


def _with_routes(plan: Plan, booted: Booted | None) -> Plan:
    """Add the pages that the booted app knows to those that the site's links lead to."""
    if booted is None:
        return plan
    known = [one.rule for one in booted.rules if "GET" in one.methods and not one.arguments]
    return replace(plan, paths=tuple(dict.fromkeys((*plan.paths, *known))))


def _at_site(seen: Seen, plan: Plan, rules: Sequence[Rule], project: Project) -> Seen:
    from stopper.wire.survey import survey

    site = survey(plan)
    if not site.pages:
        why = site.unanswered[0].error if site.unanswered else "no answer"
        return seen.with_skipped(Skipped(f"site {plan.url}", why, _SITE_AREAS))
    said, skipped = _asked(rules, lambda rule: rule.wire(site), "the site")
    merged = merge(seen.findings, said, lambda subject: cause(project, subject), plan.url)
    sent = Note(
        f"{plan.url} was asked {site.requests} times in {site.seconds:.1f} s; {len(site.pages)} pages were read"
    )
    skips = (*seen.skipped, *skipped, *_unanswered(site))
    return Seen(merged.findings, skips, (*seen.notes, *merged.notes, sent), _scored(plan.url, site))


def _scored(url: str, site: Site) -> SiteScore | None:
    from stopper.wire.observatory import score

    said = score(site)
    if said is None:
        return None
    return SiteScore(
        url,
        said.points,
        said.letter,
        tuple((one.name, one.result, one.modifier, one.rule) for one in said.tests),
    )


def _asked(
    rules: Iterable[Rule], hook: Callable[[Rule], Iterable[Finding | Cleared | Skipped]], where: str
) -> tuple[list[Finding | Cleared], list[Skipped]]:
    """Return what all rules say, one after the other."""
    said: list[Finding | Cleared] = []
    skipped: list[Skipped] = []
    for rule in rules:
        items, unseen = asked(rule, partial(hook, rule), f" on {where}")
        said += items
        skipped += unseen
    return said, skipped


def _unanswered(site: Site) -> Iterator[Skipped]:
    """Say which questions had no answer; plain HTTP that nobody listens to is an answer of its own."""
    for reason in sorted({one.error for one in site.unanswered if one.purpose != "plain"}):
        asked = [f"{one.method} {one.url}" for one in site.unanswered if one.error == reason]
        yield Skipped(few(asked, 1), reason)


def _not_asked(booted: Booted) -> Iterator[Skipped]:
    if not booted.production:
        yield Skipped(
            "the booted app's settings",
            "it boots in debug or testing mode: what is right there may be wrong in production",
        )
    if booted.stopped:
        yield Skipped("some of the booted app's answers", few(booted.stopped, 1))


def _unseen_routes(project: Project, booted: Booted) -> Iterator[Note]:
    """Say which routes of the app the source did not show: rules about routes have not looked at them."""
    known = {route.rule for route in project.routes.routes}
    missed = sorted(
        {one.rule for one in booted.rules if one.rule not in known and not one.endpoint.endswith("static")}
    )
    if missed:
        yield Note(f"the booted app has routes that the source does not show: {few(missed, 5)}")
