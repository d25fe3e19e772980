"""What every place of every template shows, for rules: the flow that reaches it, or that nothing but constants do."""

from __future__ import annotations

from stopper.finding import Confidence, Location, Step
from stopper.records import dataclass, field
from stopper.source.files import Role
from stopper.source.project import Project
from stopper.source.template import Output, Template
from stopper.taint.contexts import PLACES, Harm
from stopper.taint.domain import CLEAN, Taint, Value
from stopper.taint.flow import Flow
from stopper.taint.flows import every
from stopper.taint.models import load
from stopper.taint.pages import Pages, pages_of
from stopper.taint.rendering import Rendering
from stopper.taint.stage import stage_of


@dataclass(frozen=True, slots=True)
class Shown:
    """What comes out at one place of a template."""

    flow: Flow | None
    """The way of a client's data to this place, where it does harm."""
    harmless: bool
    """Whether all that comes out is constant, or was made harmless for this place."""
    rendered: bool
    """Whether some code renders the template by a name that is known."""


@dataclass(slots=True)
class Shows:
    """The places of a project's templates."""

    pages: Pages
    flows: dict[Location, Flow] = field(default_factory=dict)
    _family: set[int] = field(default_factory=set)

    def at(self, output: Output, template: Template) -> Shown:
        """Return what comes out at a place."""
        return Shown(
            self.flows.get(output.location), self.pages.harmless(output), id(template) in self.pages.rendered
        )


def shows_of(project: Project) -> Shows:
    """Return what the templates of a project show, worked out when first asked for."""
    return project.cached("taint.shows", lambda: _work_out(project))


def _work_out(project: Project) -> Shows:
    found = every(project).by_kind
    shows = Shows(pages_of(project))
    for kind in sorted(PLACES):
        for flow in found.get(kind, []):
            before = shows.flows.get(flow.sink)
            if before is None or flow.confidence.rank > before.confidence.rank:
                shows.flows[flow.sink] = flow
    _unrendered(project, shows)
    return shows


def _unrendered(project: Project, shows: Shows) -> None:
    """Follow the templates that no code names, for what they read of the request themselves."""
    stage, models = stage_of(project), load()
    for template in project.templates.all:
        if template.role is not Role.APP or id(template) in shows.pages.rendered or template.inline:
            continue
        if "request." in template.text.content and stage.matters(template):
            alone = _Alone(project, shows)
            Rendering(stage, models, alone, alone).run(template, {})


@dataclass(frozen=True, slots=True)
class _Alone:
    """What a rendering tells that no view asked for."""

    project: Project
    shows: Shows

    def follow(
        self, scope: object, args: tuple[Value, ...], keywords: dict[str, Value], at: Location
    ) -> Value:
        """Return that nothing is known."""
        del scope, args, keywords, at
        return CLEAN

    def shared(self, key: str) -> Value:
        """Return that nothing is known."""
        del key
        return CLEAN

    def member(self, value: Value, name: str, at: Location) -> Value | None:
        """Return that nothing is known."""
        del value, name, at
        return None

    def method(
        self, value: Value, name: str, args: tuple[Value, ...], keywords: dict[str, Value], at: Location
    ) -> Value | None:
        """Return that nothing is known."""
        del value, name, args, keywords, at
        return None

    def harmed(self, taint: Taint, harm: Harm, output: Output) -> None:
        """Keep the flow."""
        hops = [*((at, note) for at, note in taint.trace), (output.location, f"reaches {harm.sink}")]
        steps = [
            Step(at, note, self.project.line(at).strip()) for at, note in hops if isinstance(at, Location)
        ]
        place = output.location
        flow = Flow(
            harm.kind, taint.source, tuple(steps), place, place, harm.sink, Confidence(harm.confidence), taint.near,
            place.path, "",
        )  # fmt: skip
        self.shows.flows.setdefault(place, flow)

    def shown(self, output: Output, *, fixed: bool) -> None:
        """Forget it: nothing is known of what the view would pass."""
