"""A template must not write a value as HTML that nobody has cleaned.

Jinja escapes every value in an HTML template, so that a name like ``<script>`` shows as text. ``|safe``
switches that off for one value. If a user can write any of it, now or through the database, the user's script
runs in the browser of everyone who opens the page, with their session.

Leave the filter out where the value is text. Where it has to be HTML, clean it in the view with a sanitiser
and pass the clean value.

Bad::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/search")
    def search():
        return render_template("search.html", query=request.args.get("q", ""))
    # file: templates/search.html
    <p>Results for {{ query|safe }}</p>

Good::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/search")
    def search():
        return render_template("search.html", query=request.args.get("q", ""))
    # file: templates/search.html
    <p>Results for {{ query }}</p>

References:
    - CWE-79
    - ASVS 5.0 V1.2.1
    - https://flask.palletsprojects.com/en/stable/templating/#controlling-autoescaping
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.fix import Fix
from stopper.rule import Rule
from stopper.rules._span import span_of
from stopper.rules.xss._places import Judge, Judged
from stopper.source.markup import HTMLContext
from stopper.source.project import Project
from stopper.source.template import Output

_SAFE = re.compile(r"\s*\|\s*safe\b")
_INERT = {HTMLContext.RCDATA, HTMLContext.ATTRIBUTE_NAME}


class TemplateSafeFilter(Rule):
    """Every ``|safe`` in an HTML template, but for values that are constant, sanitised or made by the app."""

    area = Area.XSS
    severity = Severity.HIGH
    cwe = (79,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each value that is written unescaped and not known to be clean."""
        judge = Judge(project)
        for template, output in project.templates.outputs():
            flow = judge.flow(output)
            marked = flow.kind == "page" if flow is not None else _marked(output)
            if not output.autoescaped or not marked:
                continue
            judged = judge(output, template)
            if judged is not None:
                yield self._report(output, judged)

    def _report(self, output: Output, judged: Judged) -> Finding:
        name = judged.name or output.expression
        where = (
            f" in {output.place.tag}"
            if output.context not in {HTMLContext.TEXT, *_INERT} and output.place.tag
            else ""
        )
        if judged.sure and not _marked(output):
            message = f"{name}, which a client sends, comes here marked as HTML, and is written into the page{where}."
        elif judged.sure:
            message = f"|safe writes {name}, which a client sends, into the page{where} as HTML."
        else:
            message = (
                f"|safe writes {name} into the page{where} as HTML. Whether a user can write it is not "
                "seen here: "
                "look where it is made, and clean it there or leave the filter out."
            )
        return judged.found(
            self,
            output.location,
            message,
            confidence=judged.confidence(Confidence.LOW),
            remedy="{{ " + _SAFE.sub("", output.expression) + " }}",
            context=f"{output.template} {output.expression}",
        )

    def fix(self, finding: Finding, project: Project) -> Fix | None:
        """Take the filter out."""
        span = span_of(finding, project)
        if span is None:
            return None
        edits = tuple(span.edit(found.start(), found.end(), "") for found in _SAFE.finditer(span.text))
        return Fix("Take |safe out, so that the value is escaped", edits) if edits else None


def _marked(output: Output) -> bool:
    return any("safe" in part.filters for part in output.parts)
