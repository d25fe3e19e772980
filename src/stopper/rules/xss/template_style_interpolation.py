"""A template must not write a user's value into a style.

HTML's escaping leaves what matters in CSS as it is: ``;`` starts another property, ``url(...)`` loads from
anywhere. A style that an attacker writes can cover the page with a false one, and read tokens out of
attributes by selectors.

Bad::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html", name=request.args.get("name"))
    # file: templates/index.html
    <p style="color: {{ name }}">Hello</p>

Good::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html", name=request.args.get("name"))
    # file: templates/index.html
    <p class="{{ name }}">Hello</p>

References:
    - CWE-79
    - CWE-116
    - ASVS 5.0 V1.2.1
    - https://cheatsheetseries.owasp.org/cheatsheets/Cross_Site_Scripting_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules.xss._places import Judge
from stopper.source.markup import HTMLContext
from stopper.source.project import Project

_SKIPPED = frozenset(("e", "escape", "forceescape", "striptags", "xmlattr"))


class TemplateStyleInterpolation(Rule):
    """Every expression in a ``style`` attribute or element; sure where the request holds the value."""

    area = Area.XSS
    severity = Severity.LOW
    cwe = (79, 116)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each value in a style."""
        judge = Judge(project)
        for template, output in project.templates.outputs():
            if output.context is not HTMLContext.STYLE:
                continue
            judged = judge(output, template, skip=_SKIPPED)
            unit = output.expression.rstrip().endswith(
                ("width", "height", "percent", "percentage", "size", "count")
            )
            if judged is None or (not judged.sure and unit):
                continue
            doubt = "" if judged.sure else " It is safe if the view lets only known values through."
            yield judged.found(
                self,
                output.location,
                f"{judged.name or output.expression} stands in a style: it can add properties of its "
                f"own.{doubt}",
                confidence=judged.confidence(Confidence.LOW),
                remedy="Choose a class by the value in the view, and style the class.",
                context=f"{template.path} {output.expression}",
            )
