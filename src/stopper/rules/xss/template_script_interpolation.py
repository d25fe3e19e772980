"""A template must pass values to a script with ``|tojson``.

Inside ``<script>`` HTML's escaping is the wrong one: the browser does not decode entities there, and what
matters to JavaScript (a backslash, a line's end, a value without quotes) is not escaped at all. ``|tojson``
writes any value as a JavaScript literal, quotes included, that cannot end the script element either.

Bad::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html", name=request.args.get("name"))
    # file: templates/index.html
    <script>const name = {{ name }};</script>

Good::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html", name=request.args.get("name"))
    # file: templates/index.html
    <script>const name = {{ name|tojson }};</script>

References:
    - CWE-79
    - CWE-116
    - ASVS 5.0 V1.2.3
    - https://flask.palletsprojects.com/en/stable/templating/#standard-filters
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._when import fits_places
from stopper.rules.xss._places import Judge
from stopper.source.escaping import holds_no_text
from stopper.source.markup import HTMLContext
from stopper.source.project import Project
from stopper.source.template import Output

_SKIPPED = frozenset(("e", "escape", "forceescape", "striptags", "xmlattr"))


@closed_by("xss", when=fits_places, whole=True)
class TemplateScriptInterpolation(Rule):
    """Every expression in a script without ``|tojson``: bare ones, and those inside a JavaScript string."""

    area = Area.XSS
    severity = Severity.MEDIUM
    cwe = (79, 116)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each value that a script reads as code or as a string."""
        judge = Judge(project)
        for template, output in project.templates.outputs():
            comment = output.context is HTMLContext.COMMENT and output.place.tag == "script"
            if output.context not in {HTMLContext.SCRIPT, HTMLContext.SCRIPT_STRING} and not comment:
                continue
            judged = judge(output, template, skip=_SKIPPED)
            if judged is None or (not judged.sure and (holds_no_text(output) or comment)):
                continue
            sure = judged.flow is not None or _breaks_out(output)
            yield judged.found(
                self,
                output.location,
                f"{judged.name or output.expression} stands in {_where(output)}, where HTML's escaping "
                "does not hold it.",
                confidence=judged.confidence(Confidence.LOW) if sure else Confidence.LOW,
                remedy=_remedy(output),
                context=f"{template.path} {output.expression}",
            )


def _breaks_out(output: Output) -> bool:
    """Tell whether a value breaks out without a quote, which autoescape takes from it."""
    return output.context is HTMLContext.SCRIPT or output.place.quote == "`" or not output.autoescaped


def _where(output: Output) -> str:
    if output.context is HTMLContext.SCRIPT:
        return "a script as code"
    if output.context is HTMLContext.COMMENT:
        return "a comment of a script"
    return "a template literal, where ${...} runs" if output.place.quote == "`" else "a string of a script"


def _remedy(output: Output) -> str:
    quotes = "" if output.context is HTMLContext.SCRIPT else ", without the quotes around it"
    return f"{{{{ {output.expression}|tojson }}}}{quotes}"
