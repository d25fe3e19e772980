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
from stopper.fix import Edit, Fix, Safety
from stopper.rule import Rule
from stopper.source.escaping import Kind, holds_no_text, origins_of
from stopper.source.markup import HTMLContext
from stopper.source.project import Project


class TemplateUnquotedAttribute(Rule):
    """Every expression in an attribute value without quotes, but for numbers and constants."""

    area = Area.XSS
    severity = Severity.MEDIUM
    cwe = (79, 83)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each unquoted expression."""
        origins = origins_of(project)
        for template in project.templates.html():
            for output in template.outputs:
                if output.context is not HTMLContext.UNQUOTED_ATTRIBUTE:
                    continue
                origin = origins.of(output, template, skip=frozenset(("e", "escape", "tojson", "striptags")))
                if origin.kind is Kind.CLEAN or holds_no_text(output):
                    continue
                written = output.place.attribute
                yield self.found(
                    output.location,
                    f"{written}= has no quotes around {{{{ {output.expression} }}}}: a space in the value "
                    "starts a new attribute, such as an event handler.",
                    confidence=Confidence.HIGH if origin.kind is Kind.USER else Confidence.MEDIUM,
                    remedy=f'{written}="{{{{ {output.expression} }}}}"',
                    context=f"{template.path} {written} {output.expression}",
                    related=(origin.location,) if origin.location else (),
                )

    def fix(self, finding: Finding, project: Project) -> Fix | None:
        """Put double quotes around the value, where the expression is the whole of it."""
        file = project.tree.by_path.get(finding.location.path)
        where = finding.location
        if file is None or file.path not in project.templates.by_path or not where.end_column:
            return None
        start = file.text.offset(where.line, where.column)
        end = file.text.offset(where.end_line, where.end_column)
        content = file.text.content
        whole = content[:start].rstrip().endswith("=") and content[end : end + 1] in {
            ">",
            " ",
            "\t",
            "\n",
            "\r",
            "",
        }
        if not whole or '"' in content[start:end]:
            return None
        edits = (Edit(file.path, start, start, '"'), Edit(file.path, end, end, '"'))
        return Fix("Put quotes around the attribute's value", edits, Safety.SAFE)
