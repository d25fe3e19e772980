"""A link to another site that opens a new tab should say ``rel="noopener"``.

Without it, the page that opens can change the address of the tab it was opened from: browsers older than 2021
let it, newer ones behave as if ``noopener`` were written. So this matters as far as old browsers do.

Bad::

    from flask import Flask, render_template

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html")
    # file: templates/index.html
    <a href="https://example.org/" target="_blank">Elsewhere</a>

Good::

    from flask import Flask, render_template

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html")
    # file: templates/index.html
    <a href="https://example.org/" target="_blank" rel="noopener">Elsewhere</a>

References:
    - CWE-1022
    - https://developer.mozilla.org/en-US/docs/Web/HTML/Reference/Attributes/rel/noopener
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.fix import Fix, Safety
from stopper.rule import Rule
from stopper.rules._span import span_of
from stopper.source.project import Project


class TargetBlankWithoutRel(Rule):
    """Every link with ``target=_blank`` to another site without ``noopener`` or ``noreferrer``."""

    area = Area.XSS
    severity = Severity.INFO
    cwe = (1022,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each such link."""
        for template in project.templates.html():
            for tag in template.tags("a", "area"):
                rel = (tag.get("rel") or "").lower()
                href = (tag.get("href") or "").strip()
                if (tag.get("target") or "").lower() != "_blank" or "noopener" in rel or "noreferrer" in rel:
                    continue
                if "{" in rel or not href.lower().startswith(("http://", "https://", "//")):
                    continue
                yield self.found(
                    tag.location,
                    f"The link to {href} opens a new tab without rel=noopener; old browsers let that page "
                    "change the tab it came from.",
                    confidence=Confidence.LOW,
                    remedy='rel="noopener"',
                    context=f"{template.path} {href}",
                )

    def fix(self, finding: Finding, project: Project) -> Fix | None:
        """Add the attribute to the end of the tag."""
        span = span_of(finding, project)
        if (
            span is None
            or not span.text.endswith(">")
            or span.text.endswith("/>")
            or " rel=" in span.text.lower()
        ):
            return None
        end = len(span.text) - 1
        return Fix('Add rel="noopener"', (span.edit(end, end, ' rel="noopener"'),), Safety.SAFE)
