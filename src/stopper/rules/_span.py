"""The characters of a template that a finding stands at, for the fixes that edit them."""

from __future__ import annotations

from stopper.finding import Finding
from stopper.fix import Edit
from stopper.records import dataclass
from stopper.source.project import Project


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a template's text."""

    path: str
    content: str
    """The text of the whole template."""
    start: int
    """Where the part begins in it."""
    end: int
    """Where it ends, exclusive."""

    @property
    def text(self) -> str:
        """Return the part."""
        return self.content[self.start : self.end]

    def edit(self, start: int, end: int, text: str) -> Edit:
        """Return an edit of some characters, counted from the beginning of the part; it may reach beyond it."""
        return Edit(self.path, self.start + start, self.start + end, text)


def span_of(finding: Finding, project: Project) -> Span | None:
    """Return what a finding stands at; None where that is no template, or where it ends is not known."""
    where = finding.location
    file = project.tree.by_path.get(where.path)
    if file is None or file.path not in project.templates.by_path or not where.end_column:
        return None
    start, end = (
        file.text.offset(where.line, where.column),
        file.text.offset(where.end_line, where.end_column),
    )
    return Span(file.path, file.text.content, start, end)
