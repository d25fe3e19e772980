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

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source.escaping import Kind, origins_of
from stopper.source.project import Project


class TemplateAutoescapeOff(Rule):
    """Every ``{% autoescape false %}`` in an HTML template that writes a value not known to be clean."""

    area = Area.XSS
    severity = Severity.HIGH
    cwe = (79, 116)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each block once, with the worst value in it."""
        origins = origins_of(project)
        for template in project.templates.html():
            unescaped = [output for output in template.outputs if not output.autoescaped]
            for block in template.autoescapes:
                if block.value.lower() != "false":
                    continue
                inside = [output for output in unescaped if output.location > block.location]
                found = [
                    origin for one in inside if (origin := origins.of(one, template)).kind is not Kind.CLEAN
                ]
                user = next((origin for origin in found if origin.kind is Kind.USER), None)
                if not found:
                    continue
                names = ", ".join(
                    dict.fromkeys(origin.name for origin in (([user] if user else []) + found)[:3])
                )
                yield self.found(
                    block.location,
                    f"autoescape is off for this block; it writes {names} as HTML.",
                    confidence=Confidence.HIGH if user else Confidence.MEDIUM,
                    remedy="Take {% autoescape false %} and its {% endautoescape %} out.",
                    context=f"{template.path} {block.value}",
                )
