"""A template must not write values into an event handler.

The value of ``onclick`` is decoded as HTML first and run as JavaScript then. So ``&#39;``, which escaping
made of a quote, is a quote again when the script is read, and ends the string it stands in.

Put the value into a ``data-`` attribute and read it from a script; where the handler has to stay, write ``{{
value|tojson }}`` inside an attribute with single quotes.

Bad::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html", name=request.args.get("name"))
    # file: templates/index.html
    <button onclick="greet('{{ name }}')">Greet</button>

Good::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html", name=request.args.get("name"))
    # file: templates/index.html
    <button class="greet" data-name="{{ name }}">Greet</button>

References:
    - CWE-79
    - CWE-83
    - ASVS 5.0 V1.2.3
    - https://cheatsheetseries.owasp.org/cheatsheets/Cross_Site_Scripting_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._when import fits_places
from stopper.rules.xss._places import Judge, as_json
from stopper.source.escaping import holds_no_text, names_a_thing
from stopper.source.markup import HTMLContext
from stopper.source.project import Project

_SKIPPED = frozenset(("e", "escape", "forceescape", "striptags", "xmlattr", "urlencode"))


@closed_by("xss", when=fits_places, whole=True)
class TemplateEventHandler(Rule):
    """Every expression in an ``on...`` attribute or after ``javascript:``, without ``|tojson``."""

    area = Area.XSS
    severity = Severity.HIGH
    cwe = (79, 83)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each value in an inline handler."""
        judge = Judge(project)
        for template, output in project.templates.outputs():
            script = output.prefix.lstrip().lower().startswith("javascript:")
            if output.context is not HTMLContext.EVENT_HANDLER and not script:
                continue
            judged = judge(output, template, skip=_SKIPPED)
            if judged is None or (not judged.sure and holds_no_text(output)) or as_json(output):
                continue
            doubt = "" if judged.sure else " It is safe only if no user can write a quote into the value."
            yield judged.found(
                self,
                output.location,
                f"{judged.name or output.expression} stands in the script of {output.place.attribute}: "
                f"the browser decodes the escaping before it runs it.{doubt}",
                confidence=judged.confidence(Confidence.LOW if names_a_thing(output) else Confidence.MEDIUM),
                remedy=f'data-value="{{{{ {output.expression} }}}}", read by dataset.value in a script',
                context=f"{template.path} {output.place.attribute} {output.expression}",
            )
