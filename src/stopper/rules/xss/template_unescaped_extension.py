"""An HTML template must have a name for which Flask switches autoescape on.

Flask looks at the end of the template's name: ``.html``, ``.htm``, ``.xml``, ``.xhtml`` and ``.svg`` are
escaped, everything else is not, ``page.html.j2`` and ``page.jinja`` among it. The page looks the same until a
value holds a script.

Bad::

    from flask import Flask, render_template, request

    app = Flask(__name__)

    @app.get("/")
    def index():
        return render_template("index.html.j2", name=request.args.get("name"))
    # file: templates/index.html.j2
    <p>Hello {{ name }}</p>

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
    - https://flask.palletsprojects.com/en/stable/templating/#jinja-setup
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules.xss._places import Judge
from stopper.source.assembly import assembled
from stopper.source.code import Call, Expr
from stopper.source.files import Role
from stopper.source.project import Project
from stopper.source.template import Template
from stopper.source.templates import AUTOESCAPED

_OWN_CHOICE = ("select_jinja_autoescape", "jinja_options")


@closed_by("xss", whole=True)
class TemplateUnescapedExtension(Rule):
    """Every template rendered by name that makes HTML and ends otherwise than Flask escapes."""

    area = Area.XSS
    severity = Severity.HIGH
    cwe = (79, 116)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each template once, at the call that renders it first."""
        if _chooses_itself(project):
            return
        seen: set[int] = set()
        for call in project.code.calls("flask.render_template", "flask.stream_template"):
            if call.module.role is not Role.APP:
                continue
            for template in _rendered(call, project):
                if id(template) not in seen and template.html and not template.autoescape:
                    seen.add(id(template))
                    yield from self._judge(call, template, project)
            yield from self._unread(call, project)

    def _judge(self, call: Call, template: Template, project: Project) -> Iterator[Finding]:
        judge = Judge(project)
        bare = [
            output for output in template.outputs if not output.autoescaped and not _escaped(output.filters)
        ]
        found = [(output, judged) for output in bare if (judged := judge(output, template)) is not None]
        if not found:
            return
        found.sort(key=lambda pair: (pair[1].flow is None, not pair[1].sure))
        place, worst = found[0]
        yield self.found(
            call.location,
            f"{template.name} holds HTML, but Flask escapes nothing in a template of that ending; "
            f"{worst.name} is written as it is.",
            confidence=worst.confidence(Confidence.MEDIUM),
            remedy=f'Rename {template.name} so that it ends in ".html".',
            context=template.path,
            flow=worst.steps,
            route=worst.route,
            related=(place.location,),
        )

    def _unread(self, call: Call, project: Project) -> Iterator[Finding]:
        """Report a template that is not in the project, where a view answers with it and Flask escapes nothing under its name."""
        end = _ending(call.argument(0, "template_name_or_list"))
        given = len(call.arguments) > 1 or call.keywords or call.spread
        if end is None or end.endswith(AUTOESCAPED) or not given or _rendered(call, project):
            return
        if call.code.startswith("return ") and project.routes.at(call.location.path, call.location.line):
            yield self.found(
                call.location,
                f"Flask escapes nothing in a template whose name ends in {end.rpartition('/')[2]}, and the browser is told that it is HTML; "
                "what is in the template is not seen here.",
                confidence=Confidence.LOW,
                severity=Severity.MEDIUM,
                remedy='Rename it so that it ends in ".html", or answer with its own content type.',
                context=f"{call.function} {end}",
            )


def _ending(name: Expr | None) -> str | None:
    """Return what the name of a template ends in, as far as it is known; None where nothing is."""
    if name is None:
        return None
    made = assembled(name)
    text = name.value.constant if name.value.known else (made.text if made is not None else None)
    return text.rpartition("\0")[2] or None if isinstance(text, str) else None


def _escaped(filters: tuple[str, ...]) -> bool:
    return any(name in {"e", "escape", "forceescape", "tojson"} for name in filters)


def _rendered(call: Call, project: Project) -> list[Template]:
    argument = call.argument(0, "template_name_or_list")
    name = argument.value.constant if argument is not None else None
    return project.templates.named(name, call.module.path) if isinstance(name, str) else []


def _chooses_itself(project: Project) -> bool:
    """Tell whether the project has its own say on what is escaped."""
    if any(scope.name == _OWN_CHOICE[0] for module in project.modules for scope in module.scopes):
        return True
    return any(store.key in _OWN_CHOICE for store in project.code.stores("flask.Flask()")) or any(
        True
        for _ in project.code.stores(
            "flask.Flask().jinja_env", "flask.Flask().jinja_options", key="autoescape"
        )
    )
