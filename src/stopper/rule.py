"""What a rule is: one file under ``rules``, found by walking the package.

The file's docstring is the rule's page (``stopper.page``), its one class asks facts and reports findings. Slug, class, docs page
and test id follow from the file's name, so there is no list to keep.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Final

from stopper import rules
from stopper.errors import RuleError
from stopper.finding import (
    Area,
    Cleared,
    Confidence,
    Evidence,
    Finding,
    Location,
    RouteRef,
    Severity,
    Skipped,
    Step,
    Vantage,
)
from stopper.fix import Fix
from stopper.page import Page, parse

if TYPE_CHECKING:
    from stopper.app.booted import Booted
    from stopper.source.project import Project
    from stopper.taint.flow import Flow
    from stopper.wire.site import Site


LEFT_BEHIND: Final = "An earlier request left it behind."
"""What the message of a finding says of data that was stored on its way."""


class Rule:
    """One thing an app must not do. The hooks default to nothing; override those that can see it."""

    area: ClassVar[Area]
    severity: ClassVar[Severity]
    cwe: ClassVar[tuple[int, ...]] = ()

    def source(self, project: Project) -> Iterable[Finding | Skipped]:
        """Yield what is wrong in the source, and what could not be looked at."""
        del project
        return ()

    def app(self, booted: Booted) -> Iterable[Finding | Cleared | Skipped]:
        """Yield what is wrong in the booted application, and what is right there whatever the source says."""
        del booted
        return ()

    def wire(self, site: Site) -> Iterable[Finding | Cleared | Skipped]:
        """Yield what is wrong in the answers of a live site, and what is right there whatever the source says."""
        del site
        return ()

    def fix(self, finding: Finding, project: Project) -> Fix | None:
        """Return the edits that close a finding, or None when a person must write them."""
        del finding, project
        return None

    @property
    def slug(self) -> str:
        """Return the rule's name: that of its file, with hyphens."""
        return _slug(type(self).__module__)

    @property
    def page(self) -> Page:
        """Return what the file's docstring says."""
        return parse(inspect.getmodule(type(self)).__doc__)

    def found(
        self,
        location: Location,
        message: str,
        *,
        confidence: Confidence = Confidence.HIGH,
        severity: Severity | None = None,
        remedy: str = "",
        flow: tuple[Step, ...] = (),
        route: RouteRef | None = None,
        code: str = "",
        context: str = "",
        related: tuple[Location, ...] = (),
    ) -> Finding:
        """Return a finding of this rule.

        Args:
            location: The one primary place.
            message: One sentence: what is wrong here.
            confidence: How sure that is.
            severity: The rule's own when it is not given.
            remedy: The exact code to write instead.
            flow: From source to sink, for a taint finding.
            route: The route that reaches it; the audit looks it up when it is not given.
            code: The line as it may be shown; the audit takes it from the file when it is not given.
            context: What tells it from others of its rule in the file, line numbers aside.
            related: Other places that belong to it.
        """
        evidence = (Evidence(Vantage.SOURCE, message, location),)
        return Finding(
            self.slug, self.area, severity or self.severity, confidence, message, location, self.cwe, remedy, flow, route,
            evidence, code, context, related=related,
        )  # fmt: skip

    def seen(
        self,
        subject: str,
        message: str,
        *,
        vantage: Vantage = Vantage.APP,
        context: str = "",
        confidence: Confidence = Confidence.HIGH,
        severity: Severity | None = None,
        remedy: str = "",
    ) -> Finding:
        """Return a finding of the booted app or the live site.

        Args:
            subject: What it was seen at, as ``Finding.subject`` has it; the audit turns it into a line of source.
            message: One sentence: what is wrong there.
            vantage: Who saw it.
            context: That of the finding in the source which says the same; the name in the subject when it is not given.
            confidence: How sure that is.
            severity: The rule's own when it is not given.
            remedy: The exact code to write instead.
        """
        return Finding(
            self.slug, self.area, severity or self.severity, confidence, message, Location(""), self.cwe, remedy,
            evidence=(Evidence(vantage, message),), context=context or subject.partition(":")[2], subject=subject,
        )  # fmt: skip

    def cleared(self, message: str, *, context: str = "", vantage: Vantage = Vantage.APP) -> Cleared:
        """Return what answers the rule's findings in the source: all of them, or those of one context."""
        return Cleared(self.slug, context, Evidence(vantage, message))

    def found_flow(
        self,
        flow: Flow,
        message: str,
        *,
        remedy: str = "",
        severity: Severity | None = None,
        confidence: Confidence | None = None,
    ) -> Finding:
        """Return a finding where a reader of the flow should look first, with its steps."""
        text = f"{message} {LEFT_BEHIND}" if "stored" in flow.marks else message
        text = f"{text} {flow.near_miss}".rstrip()
        return self.found(
            flow.place, text, confidence=confidence or flow.confidence, severity=severity, remedy=remedy, flow=flow.steps,
            context=flow.function,
        )  # fmt: skip


@cache
def discover() -> tuple[Rule, ...]:
    """Return every rule of the package, in the order of their slugs.

    Raises:
        RuleError: A file under ``rules`` holds no rule, several, or one whose name is not the file's.
    """
    return tuple(_load(module) for _, module in sorted(modules().items()))


@cache
def modules() -> dict[str, str]:
    """Return the module of every rule by the rule's slug; none is imported for it."""
    found = pkgutil.walk_packages(rules.__path__, f"{rules.__name__}.")
    names = [one.name for one in found if not one.ispkg and "._" not in one.name]
    return {_slug(name): name for name in names}


def named(slug: str) -> Rule:
    """Return one rule, and import no other.

    Raises:
        KeyError: There is no such rule.
        RuleError: Its file holds no rule, several, or one whose name is not the file's.
    """
    return _load(modules()[slug])


def _slug(module: str) -> str:
    return module.rpartition(".")[2].replace("_", "-")


def _load(name: str) -> Rule:
    module = importlib.import_module(name)
    own = [
        item for item in vars(module).values()
        if inspect.isclass(item) and issubclass(item, Rule) and item.__module__ == name
    ]  # fmt: skip
    wanted = "".join(part.capitalize() for part in name.rpartition(".")[2].split("_"))
    if len(own) != 1 or own[0].__name__.lower() != wanted.lower():
        raise RuleError(
            f"{name} must hold exactly one rule, the class {wanted}; it holds {[cls.__name__ for cls in own]}"
        )
    return own[0]()
