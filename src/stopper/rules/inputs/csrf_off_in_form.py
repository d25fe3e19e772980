"""A form that changes something must not switch its own CSRF token off.

`csrf = False` in a form's `Meta`, or `meta={"csrf": False}` where it is made, lets other sites send the form in the user's name. A form
that only searches or filters may go without.

Bad::

    from flask import Flask
    from flask_wtf import FlaskForm
    from wtforms import StringField

    app = Flask(__name__)

    class MailForm(FlaskForm):
        class Meta:
            csrf = False

        mail = StringField()

Good::

    from flask import Flask
    from flask_wtf import FlaskForm
    from wtforms import StringField

    app = Flask(__name__)

    class MailForm(FlaskForm):
        mail = StringField()

Bad::

    from flask import Flask
    from flask_wtf import FlaskForm
    from wtforms import StringField

    app = Flask(__name__)

    class MailForm(FlaskForm):
        mail = StringField()

    @app.post("/mail")
    def mail():
        return {"mail": MailForm(meta={"csrf": False}).mail.data}

References:
    - CWE-352
    - ASVS 5.0 V3.5.1
    - https://flask-wtf.readthedocs.io/en/stable/csrf/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Location, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.source.code import Call
from stopper.source.files import Role
from stopper.source.module import Kind, Scope
from stopper.source.project import Project

_OFF = re.compile(r"(?m)^\s*csrf\s*=\s*False\b")
_READS = regex(r"search|filter|query|lookup|page", re.IGNORECASE)
_FORMS = ("flask_wtf.", "wtforms.")
_APIS = ("flask_restful.", "flask_restx.", "flask_restplus.")


class CsrfOffInForm(Rule):
    """Look at the Meta of forms, and at what forms are made with."""

    area = Area.INPUTS
    severity = Severity.MEDIUM
    cwe = (352,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each form that goes without a token, but for those whose name says that they only read."""
        for form in _forms(project):
            for scope in form.children:
                if scope.name == "Meta" and _OFF.search(scope.module.source(scope.node)):
                    yield self._told(scope.module.location(scope.node), form.name)
            for call in project.code.every_call(form.name):
                if _is_off(call) and not _in_api(call, project):
                    yield self._told(call.location, form.name)

    def _told(self, place: Location, name: str) -> Finding:
        return self.found(
            place, f"{name} is accepted without a CSRF token, from other sites too", confidence=Confidence.MEDIUM,
            remedy="leave the token on, and write {{ form.hidden_tag() }} into the template", context=name,
        )  # fmt: skip


def _forms(project: Project) -> Iterator[Scope]:
    """Yield the forms that application code declares, but for those that only read."""
    if not project.code.uses("flask_wtf", "wtforms"):
        return
    for module in project.modules:
        for scope in module.scopes if module.role is Role.APP else ():
            bases = project.code.names.bases(scope) if scope.kind is Kind.CLASS else []
            if any(base.name.startswith(_FORMS) for base in bases) and not _READS.search(scope.name):
                yield scope


def _in_api(call: Call, project: Project) -> bool:
    """Tell whether a resource of an API makes the form: its clients send a key of their own, which other sites cannot."""
    owner = call.scope.owner
    return owner is not None and any(base.name.startswith(_APIS) for base in project.code.names.bases(owner))


def _is_off(call: Call) -> bool:
    """Tell whether a form is made without a token."""
    meta = call.argument(None, "meta")
    options = meta.value.constant if meta is not None else None
    return call.module.role is Role.APP and isinstance(options, dict) and options.get("csrf") is False
