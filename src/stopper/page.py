"""Read a rule's docstring as its page: title, why, examples, references.

The same text is the documentation, the test and what `stopper explain` prints, so it is read in one place.
Sections come in a fixed order and two of them, `Bad::` and `Good::`, may come more than once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc
from textwrap import dedent

from stopper.records import dataclass

__all__ = ["Example", "Page", "parse"]

_DEFAULT_FILE = "app.py"
_SECTION = re.compile(r"^(?:(?P<example>Bad|Good)::|(?P<references>References):)\s*$")
_HEADINGS = ("Bad", "Good", "References")
_FILE = re.compile(r"^\s*(?:#|<!--|\{#|//)\s*file:\s*(?P<name>[^\s#}]+?)\s*(?:-->|#\})?\s*$")
_BULLET = re.compile(r"^\s*[-*]\s+(?P<text>.+)$")


@dataclass(frozen=True)
class Example:
    """Hold one small project, written out in a docstring."""

    files: dict[str, str]
    """The text of each file by its path. What stands before the first `# file:` line is `app.py`."""
    source: str
    """The block as it stands on the page, dedented."""


@dataclass(frozen=True)
class Page:
    """Hold what a rule's module docstring says, section by section."""

    title: str
    """One sentence: what an app must not do."""
    why: str
    """Why it matters, in paragraphs."""
    bad: tuple[Example, ...]
    """Projects in which the rule must find something."""
    good: tuple[Example, ...]
    """Projects in which the rule must find nothing, in the order of `bad`."""
    references: tuple[str, ...]
    """CWE numbers, ASVS requirements and links, one an entry."""


def parse(doc: str | None) -> Page:
    """Return the page that a module docstring holds; what is missing stays empty."""
    prose: list[str] = []
    examples: dict[str, list[Example]] = {"Bad": [], "Good": []}
    references: tuple[str, ...] = ()
    for heading, lines in _sections(cleandoc(doc or "")):
        if heading == "References":
            references += _references(lines)
        elif heading:
            examples[heading].append(_example(lines))
        else:
            prose = lines
    title, _, why = "\n".join(prose).strip().partition("\n\n")
    return Page(
        " ".join(title.split()), why.strip(), tuple(examples["Bad"]), tuple(examples["Good"]), references
    )


def _sections(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each heading with its lines; the prose before the first heading has the empty heading."""
    heading, lines = "", list[str]()
    for line in text.splitlines():
        match = _SECTION.match(line) if line.startswith(_HEADINGS) else None
        if match is None:
            lines.append(line)
            continue
        yield heading, lines
        heading, lines = match["example"] or match["references"], []
    yield heading, lines


def _example(lines: list[str]) -> Example:
    """Return the project that the lines of one literal block hold."""
    source = dedent("\n".join(lines)).strip("\n") + "\n"
    files: dict[str, list[str]] = {}
    current = files.setdefault(_DEFAULT_FILE, [])
    for line in source.splitlines():
        match = _FILE.match(line) if "file:" in line else None
        if match is None:
            current.append(line)
        else:
            current = files.setdefault(match["name"], [])
    texts = {name: "\n".join(body).strip("\n") + "\n" for name, body in files.items()}
    if len(texts) > 1 and not texts[_DEFAULT_FILE].strip():
        del texts[_DEFAULT_FILE]
    return Example(texts, source)


def _references(lines: list[str]) -> tuple[str, ...]:
    """Return the entries of the bulleted list, continuation lines joined to theirs."""
    entries: list[str] = []
    for line in lines:
        bullet = _BULLET.match(line)
        if bullet is not None:
            entries.append(bullet["text"].strip())
        elif line.strip() and entries:
            entries[-1] = f"{entries[-1]} {line.strip()}"
    return tuple(entries)
