"""A template must not switch autoescape off for a block.

Inside ``{% autoescape false %}`` every value is written as HTML, those added by the next edit included. One
value that a user can write is enough for a script in the page.

Bad::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html", name=request.args.get("name"))
    # file: templates/index.html
    {% autoescape false %}
    <p>Hello {{ name }}</p>
    {% endautoescape %}

Good::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html", name=request.args.get("name"))
    # file: templates/index.html
    <p>Hello {{ name }}</p>

References:
    - CWE-79
    - CWE-116
    - ASVS 5.0 V1.2.1
    - https://jinja.palletsprojects.com/en/stable/templates/#autoescape-overrides
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Location, Severity
from stopper.rule import Rule
from stopper.rules.xss._places import Judge, Judged
from stopper.source.project import Project
from stopper.source.template import Autoescape, Template

_REMEDY = "Take {% autoescape false %} and its {% endautoescape %} out."


class TemplateAutoescapeOff(Rule):
    """Every ``{% autoescape false %}`` in an HTML template that writes a value not known to be clean."""

    area = Area.XSS
    severity = Severity.HIGH
    cwe = (79, 116)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each value that a client writes, else each block once, with the values in it."""
        judge = Judge(project)
        for template in project.templates.html():
            unescaped = [output for output in template.outputs if not output.autoescaped]
            for block in template.autoescapes:
                if block.value.lower() != "false":
                    continue
                inside = [output for output in unescaped if output.location > block.location]
                found = [(one, judged) for one in inside if (judged := judge(one, template)) is not None]
                proven = [(one, judged) for one, judged in found if judged.flow is not None]
                if proven:
                    for one, judged in proven:
                        if judged.flow is not None and judged.flow.kind == "page":
                            yield self._report(one.location, judged, f"{template.path} {one.expression}")
                elif found:
                    found.sort(key=lambda pair: not pair[1].sure)
                    yield self._block(block, [judged for _, judged in found], template)

    def _report(self, place: Location, judged: Judged, context: str) -> Finding:
        return judged.found(
            self,
            place,
            f"autoescape is off here; {judged.name} is written as HTML.",
            confidence=judged.confidence(Confidence.MEDIUM),
            remedy=_REMEDY,
            context=context,
        )

    def _block(self, block: Autoescape, found: list[Judged], template: Template) -> Finding:
        names = ", ".join(dict.fromkeys(judged.name for judged in found[:3]))
        return self.found(
            block.location,
            f"autoescape is off for this block; it writes {names} as HTML.",
            confidence=Confidence.HIGH if found[0].sure else Confidence.MEDIUM,
            remedy=_REMEDY,
            context=f"{template.path} {block.value}",
        )
