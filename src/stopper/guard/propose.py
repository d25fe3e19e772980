"""Propose the narrowest content security policy for an app: from what browsers reported, and from what its templates load."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from jinja2 import Environment, TemplateError

from stopper.guard.nonce import NOT_HTML, Tag, tags
from stopper.guard.violations import Violation

LOADS: Final = {
    "img": "img-src",
    "iframe": "frame-src",
    "frame": "frame-src",
    "form": "form-action",
    "audio": "media-src",
    "video": "media-src",
    "source": "media-src",
    "track": "media-src",
    "object": "object-src",
    "embed": "object-src",
}
"""The directive that a tag's URL comes under."""

TRIED: Final = {
    "frame-src": ("iframe", "frame"),
    "media-src": ("audio", "video", "source"),
    "worker-src": (),
    "manifest-src": (),
}
"""Directives that can be closed where no tag needs them; scripts may, so it is tried in a policy that only reports."""

URL: Final = re.compile(r"\s(?:src|href|action|data|poster|srcset)\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
ICON: Final = re.compile(r"\srel\s*=\s*[\"']?[^\"'>]*\bicon\b", re.IGNORECASE)
ELEMENTS: Final = {"script-src-elem": "script-src", "style-src-elem": "style-src"}


@dataclass
class Proposal:
    """A policy to write, and what a policy cannot mend."""

    sources: dict[str, set[str]] = field(default_factory=dict)
    """Sources to add, by directive."""
    remarks: set[str] = field(default_factory=set)
    """What should be changed in the app instead."""
    closed: tuple[str, ...] = ()
    """Directives that nothing in the templates needs: to be tried with 'none'."""

    def add(self, directive: str, source: str) -> None:
        """Add a source to a directive."""
        self.sources.setdefault(directive, set()).add(source)


def propose(environment: Environment, violations: Iterable[Violation]) -> Proposal:
    """Return what to write for an app."""
    made = Proposal()
    found = list(_tags(environment))
    for _, tag in found:
        _of_tag(made, tag)
    for violation in violations:
        _of_violation(made, violation)
    names = {tag.name for _, tag in found}
    made.closed = tuple(
        directive
        for directive, needed in TRIED.items()
        if names.isdisjoint(needed) and directive not in made.sources
    )
    return made


def stored(path: Path) -> Iterator[Violation]:
    """Yield the violations of a file that `STOPPER_CSP_STORE` named; broken lines are passed over."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            said = json.loads(line)
            yield Violation(
                *(
                    str(said.get(name, ""))
                    for name in ("directive", "blocked", "document", "source", "disposition")
                )
            )
        except (ValueError, AttributeError):
            continue


def _tags(environment: Environment) -> Iterator[tuple[str, Tag]]:
    """Yield the tags of every template with its name."""
    if environment.loader is None:
        return
    for name in environment.list_templates(filter_func=lambda one: not NOT_HTML.search(one)):
        try:
            source, _, _ = environment.loader.get_source(environment, name)
            yield from ((name, tag) for tag in tags(environment.lexer.tokenize(source, name)))
        except (TemplateError, OSError, UnicodeError):
            continue


def _of_tag(made: Proposal, tag: Tag) -> None:
    """Add what a tag loads from other origins; scripts and style sheets have the nonce."""
    directive = LOADS.get(tag.name)
    if tag.name == "link" and ICON.search(tag.text):
        directive = "img-src"
    if directive is None:
        return
    for match in URL.finditer(tag.text):
        source = _origin(match.group(1))
        if source and "\0" not in source:
            made.add(directive, source)


def _origin(url: str) -> str:
    """Return the origin of a URL as a source; nothing for one of the app's own."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.netloc:
        return f"{parts.scheme or 'https'}://{parts.netloc}"
    return f"{parts.scheme}:" if parts.scheme in {"data", "blob"} else ""


def _of_violation(made: Proposal, violation: Violation) -> None:
    """Add what a browser reported, or say what to change instead."""
    directive = ELEMENTS.get(violation.directive, violation.directive)
    where = f"{violation.document or 'a page'}{f' ({violation.source})' if violation.source else ''}"
    if directive == "script-src":
        told = (
            "evaluates text as code: use a build of the library that does not"
            if violation.blocked == "eval"
            else (
                f'has a script without a nonce ({violation.blocked}): put it into a template, or write nonce="{{{{ csp_nonce() }}}}" on its tag'
            )
        )
        made.remarks.add(f"{where} {told}")
    elif violation.blocked == "inline":
        what = {"script-src-attr": "a handler such as onclick", "style-src-attr": "a style attribute"}.get(
            directive, "a style without a nonce"
        )
        made.remarks.add(f"{where} has {what}: move it into a script or a style sheet")
    elif violation.blocked and directive:
        made.add(directive, violation.blocked)
