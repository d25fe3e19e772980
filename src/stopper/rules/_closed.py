"""What a rule's findings are worth beside Stopper's guard: nothing where the guard closes them, less where it is a second line.

``@closed_by("csrf")`` on a rule: silent where that guard is in force; where it is off, only reports, or leaves the route alone, the finding
says so; where that cannot be read, the finding has low confidence. ``@held_by("sql")``: what the source does is still wrong, and the guard
only stops what comes of it, so the finding stays, one severity lower. Guards look at what the request under way brings: what an earlier
one left behind is held back by none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from stopper.finding import Cleared, Finding, Severity, Skipped
from stopper.rule import LEFT_BEHIND, Rule
from stopper.rules._guarded import Guarding, Stand, guarding
from stopper.rules._standing import add, standing, told
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.app.booted import Booted

Kind = TypeVar("Kind", bound=type[Rule])
Condition = Callable[[Guarding, Finding], bool | None]
"""Tells whether a guard that is in force, as it is set, closes a finding; None where that is not known."""

_LOWER: Final = {
    Severity.CRITICAL: Severity.HIGH,
    Severity.HIGH: Severity.MEDIUM,
    Severity.MEDIUM: Severity.LOW,
}


def closed_by(
    guard: str,
    *,
    when: Condition | None = None,
    in_app: Callable[[Booted], bool] | None = None,
    whole: bool = False,
) -> Callable[[Kind], Kind]:
    """Return a decorator of a rule whose findings a guard closes.

    Args:
        guard: The guard's name.
        when: Whether the guard, as it is set, closes a finding; always unless said.
        in_app: The same, asked of a booted app; only where ``when`` is not said is it always so.
        whole: Whether the findings speak of the whole app, and no route's exemption opens them again.
    """

    def judge(project: Project, finding: Finding) -> Iterator[Finding]:
        stand = standing(project, guard, finding, whole=whole)
        closes = when is None or when(guarding(project), finding)
        if stand is Stand.ENFORCED and closes:
            return
        yield told(finding, guard, Stand.UNKNOWN if stand is Stand.ENFORCED and closes is None else stand)

    def is_closed(booted: Booted) -> bool:
        return guard in booted.guards and (in_app(booted) if in_app is not None else when is None)

    def decorate(kind: Kind) -> Kind:
        return _judged_by(judge)(_cleared_by(guard, is_closed)(kind) if whole else kind)

    return decorate


def _cleared_by(guard: str, is_closed: Callable[[Booted], bool]) -> Callable[[Kind], Kind]:
    """Return a decorator that has a rule say of a booted app with the guard that it is right, whatever its settings are."""

    def decorate(kind: Kind) -> Kind:
        look = kind.app

        def app(self: Rule, booted: Booted) -> Iterator[Finding | Cleared | Skipped]:
            if is_closed(booted):
                yield self.cleared(f"Stopper's {guard} guard is in force in the booted app")
            else:
                yield from look(self, booted)

        app.__doc__ = look.__doc__
        kind.app = app  # type: ignore[method-assign]
        return kind

    return decorate


def held_by(guard: str) -> Callable[[Kind], Kind]:
    """Return a decorator of a rule whose findings stay where a guard stands behind them, one severity lower."""

    def judge(project: Project, finding: Finding) -> Iterator[Finding]:
        if LEFT_BEHIND in finding.message or standing(project, guard, finding) is not Stand.ENFORCED:
            yield finding
            return
        said = f"Stopper's {guard} guard holds it back at run time, as a second line: the source is still to be mended"
        severity = _LOWER.get(finding.severity, finding.severity)
        yield replace(add(finding, said), severity=severity)

    return _judged_by(judge)


def _judged_by(judge: Callable[[Project, Finding], Iterator[Finding]]) -> Callable[[Kind], Kind]:
    """Return a decorator that lets each finding of a rule's source hook be judged."""

    def decorate(kind: Kind) -> Kind:
        look = kind.source

        def source(self: Rule, project: Project) -> Iterator[Finding | Skipped]:
            for item in look(self, project):
                if isinstance(item, Finding):
                    yield from judge(project, item)
                else:
                    yield item

        source.__doc__ = look.__doc__
        kind.source = source  # type: ignore[method-assign]
        return kind

    return decorate
