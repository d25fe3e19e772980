"""A template must put single quotes around an attribute that holds ``|tojson``.

``|tojson`` writes double quotes and marks its result as safe. It escapes ``<``, ``>``, ``&`` and ``'``, but
not ``"``: in an attribute with double quotes, or none, the first string in the value ends the attribute, and
what follows becomes attributes of its own.

Bad::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html", name=request.args.get("name"))
    # file: templates/index.html
    <div data-name="{{ name|tojson }}"></div>

Good::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html", name=request.args.get("name"))
    # file: templates/index.html
    <div data-name='{{ name|tojson }}'></div>

References:
    - CWE-79
    - CWE-83
    - ASVS 5.0 V1.2.1
    - https://jinja.palletsprojects.com/en/stable/templates/#jinja-filters.tojson
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.fix import Fix, Safety
from stopper.rule import Rule
from stopper.rules._span import span_of
from stopper.rules.xss._places import Judge
from stopper.source.project import Project


class TemplateTojsonInAttribute(Rule):
    """Every ``|tojson`` as the last filter in an attribute that is not in single quotes."""

    area = Area.XSS
    severity = Severity.MEDIUM
    cwe = (79, 83)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each one; values that are certainly no text are left out."""
        judge = Judge(project)
        for template, output in project.templates.outputs():
            place = output.place
            if place.value_start < 0 or place.quote == "'":
                continue
            if not any(part.filters[-1:] == ("tojson",) for part in output.parts):
                continue
            judged = judge(output, template, skip=frozenset(("tojson",)))
            if judged is None:
                continue
            yield judged.found(
                self,
                output.location,
                f"|tojson writes double quotes, and {place.attribute} is "
                f"{'in double quotes' if place.quote else 'without quotes'}: a string in "
                f"{judged.name or 'the value'} ends the attribute.",
                confidence=judged.confidence(Confidence.MEDIUM),
                remedy=f"{place.attribute}='{{{{ {output.expression} }}}}'",
                context=f"{template.path} {place.attribute} {output.expression}",
            )

    def fix(self, finding: Finding, project: Project) -> Fix | None:
        """Change the double quotes to single ones, where the expression is the whole value."""
        span = span_of(finding, project)
        if span is None or "'" in span.text:
            return None
        if span.content[span.start - 1 : span.start] != '"' or span.content[span.end : span.end + 1] != '"':
            return None
        end = len(span.text)
        edits = (span.edit(-1, 0, "'"), span.edit(end, end + 1, "'"))
        return Fix("Put single quotes around the attribute's value", edits, Safety.SAFE)
