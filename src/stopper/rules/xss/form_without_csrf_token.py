"""A form that posts must carry the CSRF token that the app asks for.

Where ``CSRFProtect`` is on, a POST without the token is refused. A form without one is therefore broken, or
its view has been exempted to make it work, and then any other site can submit it in a visitor's name.

Bad::

    from flask import Flask, render_template
    from flask_wtf import CSRFProtect

    app = Flask(__name__)
    CSRFProtect(app)

    @app.route("/", methods=["GET", "POST"])
    def index():
        return render_template("index.html")
    # file: templates/index.html
    <form method=post></form>

Good::

    from flask import Flask, render_template
    from flask_wtf import CSRFProtect

    app = Flask(__name__)
    CSRFProtect(app)

    @app.route("/", methods=["GET", "POST"])
    def index():
        return render_template("index.html")
    # file: templates/index.html
    <form method=post><input type="hidden" name="csrf_token" value="{{ csrf_token() }}"></form>

Bad::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html

    <form method="post" action="/comment"><input name="text"></form>

Good::

    > GET https://blog.example.org/
    HTTP/1.1 200 OK
    Content-Type: text/html

    <form method="post" action="/comment"><input type="hidden" name="csrf_token" value="x"><input name="text"></form>

References:
    - CWE-352
    - ASVS 5.0 V3.5.1
    - https://flask-wtf.readthedocs.io/en/stable/csrf/#html-forms
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Confidence, Finding, Severity, Vantage
from stopper.fix import Fix, Safety
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._span import span_of
from stopper.rules._when import needs_no_token
from stopper.source.files import Role
from stopper.source.project import Project
from stopper.source.template import Form, Template

if TYPE_CHECKING:
    from stopper.wire.site import Site

_PROTECTS = (
    "flask_wtf.CSRFProtect", "flask_wtf.csrf.CSRFProtect", "flask_wtf.CsrfProtect",
    "flask_wtf.csrf.CsrfProtect", "flask_seasurf.SeaSurf",
)  # fmt: skip
_TOKEN = re.compile(r"csrf|hidden_tag", re.IGNORECASE)
_WRITES_FORMS = re.compile(r"form|csrf|token|hidden", re.IGNORECASE)
_HEADER = re.compile(r"X-(?:CSRF|XSRF)", re.IGNORECASE)


@closed_by("csrf", when=needs_no_token, whole=True)
class FormWithoutCsrfToken(Rule):
    """Every POST form without a token, in a project that uses CSRFProtect or SeaSurf."""

    area = Area.XSS
    severity = Severity.MEDIUM
    cwe = (352,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each form; without any protection ``csrf-missing`` speaks of the whole app."""
        if not any(call.module.role is Role.APP for call in project.code.calls(*_PROTECTS)):
            return
        for template in project.templates.html():
            for form in template.forms:
                if form.method != "post" or form.token or _elsewhere(form.action):
                    continue
                if _delegated(form, template, project):
                    continue
                scripted = any(_HEADER.search(one.text.content) for one in project.templates.family(template))
                doubt = " Unless its script sends it: a template here sets the header." if scripted else ""
                yield self.found(
                    form.location,
                    "This form posts without a CSRF token: the protection refuses it, or its view is "
                    "exempt and any "
                    f"site can submit it.{doubt}",
                    confidence=Confidence.LOW if scripted else Confidence.MEDIUM,
                    remedy=_FIELD,
                    context=f"{template.path} {form.action}",
                )

    def wire(self, site: Site) -> Iterator[Finding]:
        """Report the forms of the pages that post without a token."""
        from stopper.wire.page import read  # late: only a live site has pages

        for page in site.pages:
            for form in read(page.body).forms if page.is_html else ():
                if form.method == "post" and not form.has_token and not _elsewhere(form.action):
                    yield self.seen(
                        f"path:{page.path}", f"{page.url} has a form that posts to {form.action or page.path} without a token; a check of "
                        "Sec-Fetch-Site or Origin would settle it",
                        vantage=Vantage.WIRE, confidence=Confidence.MEDIUM, context=f"{page.path} {form.action}", remedy=_FIELD,
                    )  # fmt: skip

    def fix(self, finding: Finding, project: Project) -> Fix | None:
        """Write the hidden field right after the form's tag."""
        span = span_of(finding, project)
        if span is None:
            return None
        end = len(span.text)
        return Fix("Write the token into the form", (span.edit(end, end, _FIELD),), Safety.SAFE)


_FIELD = '<input type="hidden" name="csrf_token" value="{{ csrf_token() }}">'


def _elsewhere(action: str) -> bool:
    return action.lower().startswith(("https://", "http://", "//"))


def _delegated(form: Form, template: Template, project: Project) -> bool:
    """Tell whether something that the form calls or includes may write the token."""
    if any(_WRITES_FORMS.search(name) for name in form.delegates):
        return True
    if not any(name.startswith(("include", "call")) for name in form.delegates):
        return False
    return any(_TOKEN.search(one.text.content) for one in project.templates.family(template)[1:])
