"""What renderings showed at each place of the templates: where data did harm, and where nothing but constants came out."""

from __future__ import annotations

from stopper.finding import Location
from stopper.records import dataclass, field
from stopper.source.project import Project
from stopper.source.template import Output, Template

Place = tuple[Location, str]
"""What came out at a place of a template, in one of these words."""
HARM = "harm"
"""Data of a client did harm."""
OPEN = "open"
"""Something came out of which nothing is known."""
CONSTANT = "constant"
"""Nothing but a constant came out, or data that does no harm there."""


@dataclass(slots=True, eq=False)
class Pages:
    """The places of all templates, as the renderings left them."""

    rendered: set[int] = field(default_factory=set)
    """The templates that some code renders by a name that is known, with all that they include; by identity."""
    places: set[Place] = field(default_factory=set)
    """What came out where."""

    def seen(self, template: Template) -> None:
        """Remember that a template is rendered."""
        self.rendered.add(id(template))

    def harmless(self, output: Output) -> bool:
        """Tell whether every rendering showed nothing but constants at a place."""
        at = output.location
        return (at, CONSTANT) in self.places and not {(at, OPEN), (at, HARM)} & self.places


def pages_of(project: Project) -> Pages:
    """Return what the renderings of a project showed; filled while its flows are worked out."""
    return project.cached("taint.pages", Pages)
