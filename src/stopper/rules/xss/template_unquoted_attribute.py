"""A template must put quotes around an attribute's value that holds an expression.

Escaping turns ``<``, ``>``, ``&`` and both quotes into entities, but leaves spaces alone. Without quotes a
space ends the value, so ``x onmouseover=alert(1)`` becomes an attribute of its own and runs.

Bad::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html", name=request.args.get("name"))
    # file: templates/index.html
    <input name=name value={{ name }}>

Good::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html", name=request.args.get("name"))
    # file: templates/index.html
    <input name=name value="{{ name }}">

References:
    - CWE-79
    - CWE-83
    - ASVS 5.0 V1.2.1
    - https://flask.palletsprojects.com/en/stable/web-security/#cross-site-scripting-xss
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.fix import Fix, Safety
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._span import span_of
from stopper.rules._when import fits_places
from stopper.rules.xss._places import Judge, as_json
from stopper.source.escaping import holds_no_text
from stopper.source.markup import HTMLContext
from stopper.source.project import Project

_SKIPPED = frozenset(("e", "escape", "tojson", "striptags"))


@closed_by("xss", when=fits_places, whole=True)
class TemplateUnquotedAttribute(Rule):
    """Every expression in an attribute value without quotes, but for numbers and constants."""

    area = Area.XSS
    severity = Severity.MEDIUM
    cwe = (79, 83)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each unquoted expression."""
        judge = Judge(project)
        for template, output in project.templates.outputs():
            inside = output.context is HTMLContext.ATTRIBUTE_NAME
            if not (inside or output.context is HTMLContext.UNQUOTED_ATTRIBUTE):
                continue
            judged = judge(output, template, skip=_SKIPPED)
            if (
                judged is None
                or (judged.flow is None and holds_no_text(output))
                or (inside and judged.flow is None)
                or as_json(output)
            ):
                continue
            written = output.place.attribute or "data-value"
            where = f"The tag {output.place.tag}" if inside else f"{written}="
            yield judged.found(
                self,
                output.location,
                f"{where} has no quotes around {{{{ {output.expression} }}}}: a space in the value "
                "starts a new attribute, such as an event handler.",
                confidence=judged.confidence(Confidence.MEDIUM),
                remedy=f'{written}="{{{{ {output.expression} }}}}"',
                context=f"{template.path} {written} {output.expression}",
            )

    def fix(self, finding: Finding, project: Project) -> Fix | None:
        """Put double quotes around the value, where the expression is the whole of it."""
        span = span_of(finding, project)
        if span is None or '"' in span.text or not span.content[: span.start].rstrip().endswith("="):
            return None
        if span.content[span.end : span.end + 1] not in (">", " ", "\t", "\n", "\r", ""):
            return None
        end = len(span.text)
        edits = (span.edit(0, 0, '"'), span.edit(end, end, '"'))
        return Fix("Put quotes around the attribute's value", edits, Safety.SAFE)
