"""A template must not let a user's value choose a link's scheme.

Escaping keeps a value inside its attribute, but ``javascript:alert(1)`` needs no special character: as the
whole of an ``href``, ``src``, ``action`` or ``formaction`` it runs when the link is followed or the frame
loads.

Start the address with constant text or ``url_for``, or let the view pass only addresses that start with
``https://``.

Bad::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html", name=request.args.get("name"))
    # file: templates/index.html
    <a href="{{ name }}">Website</a>

Good::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html", name=request.args.get("name"))
    # file: templates/index.html
    <a href="https://{{ name }}">Website</a>

References:
    - CWE-79
    - CWE-83
    - ASVS 5.0 V1.2.2
    - https://flask.palletsprojects.com/en/stable/web-security/#cross-site-scripting-xss
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._when import fits_places
from stopper.rules.xss._places import Judge, Judged
from stopper.source.project import Project

_RUNS = {"href", "src", "action", "formaction", "data", "xlink:href"}
_NEVER_RUNS = {"img", "link", "source", "video", "audio", "input", "image"}
_MADE_BY_APP = ("url", "uri", "link", "href", "endpoint", "src", "path", "static", "logo", "next", "prev")


@closed_by("xss", when=fits_places, whole=True)
class TemplateJavascriptUrl(Rule):
    """Every expression that stands first in an attribute that can run a ``javascript:`` address."""

    area = Area.XSS
    severity = Severity.MEDIUM
    cwe = (79, 83)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each value that decides over the scheme of a link, form or frame."""
        judge = Judge(project)
        for template, output in project.templates.outputs():
            place = output.place
            if place.attribute not in _RUNS or place.tag in _NEVER_RUNS or not output.leads:
                continue
            if place.attribute == "data" and place.tag != "object":
                continue
            judged = judge(output, template, skip=_SKIPPED)
            loads = place.tag == "script"
            if judged is None or not _counts(judged) or (loads and judged.flow is None):
                continue
            doubt = (
                ""
                if judged.sure
                else " It is safe if only the application makes it, or if its scheme is checked."
            )
            yield judged.found(
                self,
                output.location,
                f"{judged.name or output.expression} is the whole start of {place.attribute}: it "
                f"{'says which script is loaded' if loads else 'can begin with javascript: and run as a script'}.{doubt}",
                confidence=judged.confidence(Confidence.LOW) if _whole(judged.name) else Confidence.LOW,
                remedy=f'{place.attribute}="{{{{ url_for(...) }}}}", or an address of which the view '
                "has checked that it starts with https://",
                context=f"{template.path} {place.attribute} {output.expression}",
            )


def _counts(judged: Judged) -> bool:
    """Tell whether a value may hold another scheme; one that a flow brings as HTML is another rule's."""
    if judged.flow is not None:
        return judged.flow.kind == "page-url"
    return judged.sure or not _seems_own(judged.name)


_SKIPPED = frozenset(("e", "escape", "forceescape", "striptags", "tojson", "xmlattr"))


def _seems_own(name: str) -> bool:
    """Tell whether an address seems to be made by the application itself, as a pager's links are."""
    *owner, last = name.lower().split(".")
    if any(
        part in {"config", "settings", "pagination", "pager", "app", "site", "nav", "menu"} for part in owner
    ):
        return True
    return not owner and last.endswith(_MADE_BY_APP)


def _whole(name: str) -> bool:
    """Tell whether the request's value can have any scheme: its own path and URL cannot."""
    return not any(
        part in name.split(".") for part in ("path", "full_path", "url", "base_url", "url_root", "host_url")
    )
