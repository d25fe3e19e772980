"""What renderings showed at each place of the templates: where data did harm, and where nothing but constants came out."""

from __future__ import annotations

from stopper.finding import Location
from stopper.records import dataclass, field
from stopper.source.project import Project
from stopper.source.template import Output, Template


@dataclass(slots=True, eq=False)
class Pages:
    """The places of all templates, as the renderings left them."""

    rendered: dict[int, Template] = field(default_factory=dict)
    """The templates that some code renders by a name that is known, with all that they include."""
    harms: set[Location] = field(default_factory=set)
    open: set[Location] = field(default_factory=set)
    """Where something came out of which nothing is known."""
    constant: set[Location] = field(default_factory=set)

    def seen(self, template: Template) -> None:
        """Remember that a template is rendered."""
        self.rendered[id(template)] = template

    def harmed(self, output: Output) -> None:
        """Remember that data did harm at a place."""
        self.harms.add(output.location)

    def shown(self, output: Output, *, fixed: bool) -> None:
        """Remember that something without data of a client came out at a place."""
        (self.constant if fixed else self.open).add(output.location)

    def harmless(self, output: Output) -> bool:
        """Tell whether every rendering showed nothing but constants at a place."""
        place = output.location
        return place in self.constant and place not in self.open and place not in self.harms


def pages_of(project: Project) -> Pages:
    """Return what the renderings of a project showed; filled while its flows are worked out."""
    return project.cached("taint.pages", Pages)
