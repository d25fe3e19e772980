"""A page must not load anything over ``http://``.

What travels unencrypted can be read and changed on the way. Browsers block scripts, styles and frames that a
page over HTTPS loads so, which breaks the page; over HTTP they run whatever arrives. A form that submits over
HTTP shows its fields to the network.

Bad::

    from flask import Flask, render_template

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html")
    # file: templates/index.html
    <script src="http://cdn.example.org/lib.js"></script>

Good::

    from flask import Flask, render_template

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html")
    # file: templates/index.html
    <script src="https://cdn.example.org/lib.js"></script>

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html

    <script src="http://cdn.example/a.js"></script>

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html

    <script src="https://cdn.example/a.js"></script>

References:
    - CWE-319
    - ASVS 5.0 V12.2.1
    - https://developer.mozilla.org/en-US/docs/Web/Security/Mixed_content
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Confidence, Finding, Severity, Vantage
from stopper.fix import Fix
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._span import span_of
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.wire.site import Site

_ACTIVE = {
    "script": "src",
    "link": "href",
    "iframe": "src",
    "frame": "src",
    "object": "data",
    "embed": "src",
    "form": "action",
}
_PASSIVE = {"img": "src", "audio": "src", "video": "src", "source": "src", "input": "src"}
_LOADED = ("stylesheet", "preload", "modulepreload", "icon", "manifest")
_LOCAL = regex(
    r"http://(?:localhost|127\.|0\.0\.0\.0|\[::1\]|[\w-]+[:/]|[\w-]+$|[\w.-]+\.(?:local|test|onion)\b)",
    re.IGNORECASE,
)


class MixedContent(Rule):
    """Every element that loads from, or submits to, an ``http://`` address; local ones are left out."""

    area = Area.TRANSPORT
    severity = Severity.MEDIUM
    cwe = (319,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each element."""
        for template in project.templates.html():
            for tag in template.elements:
                address = (tag.get(_ACTIVE.get(tag.tag) or _PASSIVE.get(tag.tag, "")) or "").strip()
                if not address.lower().startswith("http://") or _LOCAL.match(address):
                    continue
                if tag.tag == "link" and not any(word in (tag.get("rel") or "").lower() for word in _LOADED):
                    continue
                active = tag.tag in _ACTIVE
                what = "submits to" if tag.tag == "form" else "loads"
                yield self.found(
                    tag.location,
                    f"<{tag.tag}> {what} {address} without encryption.",
                    confidence=Confidence.HIGH if active else Confidence.MEDIUM,
                    remedy=f"https://{address[7:]}",
                    context=f"{template.path} {tag.tag} {address}",
                )

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report what https pages load or submit without encryption."""
        from stopper.wire.page import read  # late: only a live site has pages

        for page in site.pages:
            if not page.is_html or not page.url.startswith("https:"):
                continue
            found = read(page.body)
            loaded = [
                *(script.src for script in found.scripts),
                *found.styles,
                *found.loads,
                *(form.action for form in found.forms),
            ]
            for address in sorted({one for one in loaded if one.lower().startswith("http://")}):
                yield self.seen(
                    f"path:{page.path}", f"{page.url} loads {address} without encryption", vantage=Vantage.WIRE, context=f"{page.path} {address}",
                    remedy=f"https://{address[7:]}",
                )  # fmt: skip

    def fix(self, finding: Finding, project: Project) -> Fix | None:
        """Write https; whether the host answers there is for a person to see."""
        span = span_of(finding, project)
        if span is None or span.text.count("http://") != 1:
            return None
        at = span.text.index("http://") + len("http")
        return Fix("Load it over https", (span.edit(at, at, "s"),))
