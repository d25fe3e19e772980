"""What the rules on templates ask of each place: the flow that reaches it, or else what is known of its value."""

from __future__ import annotations

from stopper.finding import Confidence, Finding, Location, RouteRef, Step
from stopper.records import dataclass
from stopper.rule import Rule
from stopper.source.escaping import Kind, Origin, origins_of
from stopper.source.project import Project
from stopper.source.template import Output, Template
from stopper.taint.flow import Flow
from stopper.taint.shows import shows_of


@dataclass(frozen=True, slots=True)
class Judged:
    """A value that is not known to be harmless where a template writes it."""

    origin: Origin
    flow: Flow | None = None

    @property
    def sure(self) -> bool:
        """Tell whether a client writes the value."""
        return self.origin.kind is Kind.USER

    @property
    def name(self) -> str:
        """Return what the value is read from, and that it lay somewhere since, where it did."""
        stored = self.flow is not None and "stored" in self.flow.marks
        return f"{self.origin.name} of an earlier request" if stored else self.origin.name

    def confidence(self, otherwise: Confidence) -> Confidence:
        """Return how sure it is: as the flow says, high for the request's own words, else ``otherwise``."""
        if self.flow is not None:
            return self.flow.confidence
        return Confidence.HIGH if self.sure else otherwise

    def found(
        self, rule: Rule, place: Location, message: str, *, confidence: Confidence, remedy: str, context: str
    ) -> Finding:
        """Return what a rule reports at a place, with what the flow adds: its way, its route, and why a guard on the way does not count."""
        near = self.flow.near_miss if self.flow is not None else ""
        return rule.found(
            place,
            f"{message} {near}".rstrip(),
            confidence=confidence,
            remedy=remedy,
            context=context,
            flow=self.steps,
            route=self.route,
            related=self.related,
        )

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the way of the value, from its source to the page."""
        return self.flow.steps if self.flow is not None else ()

    @property
    def route(self) -> RouteRef | None:
        """Return the route whose view passes the value."""
        return self.flow.route if self.flow is not None else None

    @property
    def related(self) -> tuple[Location, ...]:
        """Return where the view passes the value."""
        if self.flow is not None:
            return tuple(dict.fromkeys(step.location for step in self.flow.steps[:1]))
        return (self.origin.location,) if self.origin.location else ()


class Judge:
    """Judge the places of a project's templates: first by the flows, then by what the templates show alone."""

    def __init__(self, project: Project) -> None:
        """Take the project whose templates are looked at."""
        self.origins = origins_of(project)
        self.shows = shows_of(project)

    def flow(self, output: Output) -> Flow | None:
        """Return the flow that reaches a place."""
        return self.shows.flows.get(output.location)

    def __call__(
        self, output: Output, template: Template, *, skip: frozenset[str] = frozenset()
    ) -> Judged | None:
        """Return what is known of the value at a place; None where it does no harm.

        Args:
            output: The place.
            template: The template that it is in.
            skip: The filters that do not make a value harmless there.
        """
        shown = self.shows.at(output, template)
        if shown.flow is not None:
            return Judged(Origin(Kind.USER, shown.flow.source), shown.flow)
        if shown.harmless:
            return None
        origin = self.origins.of(output, template, skip=skip)
        followed = shown.rendered and origin.kind is Kind.USER and origin.location is not None
        return None if origin.kind is Kind.CLEAN or followed else Judged(origin)


def as_json(output: Output) -> bool:
    """Tell whether a value is written by ``|tojson``."""
    endings = (("tojson",), ("tojson", "forceescape"))
    return any(part.filters[-len(ending) :] == ending for part in output.parts for ending in endings)
