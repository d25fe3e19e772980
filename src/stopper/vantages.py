"""The vantages beside the source: boot the app when asked to, let the rules look at it, and merge what they say with the source's findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stopper.errors import UnseenError
from stopper.finding import Area, Cleared, Finding, Skipped
from stopper.merge import Merged, merge
from stopper.report import Note
from stopper.rule import Rule
from stopper.source.causes import cause
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.app.boot import Boot
    from stopper.app.booted import Booted

_APP_AREAS = (Area.SECRETS, Area.HEADERS, Area.TRANSPORT)
"""What cannot be called closed when the app was to be booted and was not."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What to look at beside the source."""

    app: Boot | None = None
    """How to boot the app; None leaves it alone."""


SOURCE_ONLY = Looks()
"""Look at nothing beside the source."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What all vantages together say."""

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[Note, ...] = ()


def look(looks: Looks, rules: Iterable[Rule], project: Project, findings: Iterable[Finding]) -> Seen:
    """Return the source's findings with what the other vantages add, confirm and answer."""
    if looks.app is None:
        return Seen(tuple(findings))
    from stopper.app.boot import boot

    try:
        booted = boot(looks.app)
    except UnseenError as error:
        return Seen(tuple(findings), (Skipped(f"app {looks.app.app}", str(error), _APP_AREAS),))
    said, skipped = _asked(rules, booted)
    merged: Merged = merge(findings, said, lambda subject: cause(project, subject), looks.app.app)
    return Seen(
        merged.findings, (*skipped, *_not_asked(booted)), (*merged.notes, *_unseen_routes(project, booted))
    )


def _asked(rules: Iterable[Rule], booted: Booted) -> tuple[list[Finding | Cleared], list[Skipped]]:
    """Return what each rule says of the app; a rule that raises is skipped, and what a development boot clears does not count."""
    said: list[Finding | Cleared] = []
    skipped: list[Skipped] = []
    for rule in rules:
        try:
            for item in rule.app(booted):
                if isinstance(item, Skipped):
                    skipped.append(item)
                elif booted.production or isinstance(item, Finding):
                    said.append(item)
        except Exception as error:  # noqa: BLE001 - one broken rule must not hide what the others see
            skipped.append(
                Skipped(
                    f"rule {rule.slug}",
                    f"the rule failed on the app: {type(error).__name__}: {error}; please report it",
                )
            )
    return said, skipped


def _not_asked(booted: Booted) -> Iterator[Skipped]:
    if not booted.production:
        yield Skipped(
            "the booted app's settings",
            "it boots in debug or testing mode: what is right there may be wrong in production",
        )
    if booted.stopped:
        more = f" and {len(booted.stopped) - 1} more" if len(booted.stopped) > 1 else ""
        yield Skipped("some of the booted app's answers", f"{booted.stopped[0]}{more}")


def _unseen_routes(project: Project, booted: Booted) -> Iterator[Note]:
    """Say which routes of the app the source did not show: rules about routes have not looked at them."""
    known = {route.rule for route in project.routes.routes}
    missed = sorted(
        {one.rule for one in booted.rules if one.rule not in known and not one.endpoint.endswith("static")}
    )
    if missed:
        listed = ", ".join(missed[:5]) + (f" and {len(missed) - 5} more" if len(missed) > 5 else "")
        yield Note(f"the booted app has routes that the source does not show: {listed}")
