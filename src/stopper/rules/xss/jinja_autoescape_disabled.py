"""An application must not make HTML with a Jinja environment that does not escape.

Flask's own environment escapes HTML templates. One that the project makes by ``jinja2.Environment()`` or
``jinja2.Template()`` does not unless it is told to, and ``app.jinja_env.autoescape = False`` takes it from
Flask's own: every value in every template is then written as HTML.

Bad::

    from flask import Flask, request
    from jinja2 import Environment, FileSystemLoader

    app = Flask(__name__)
    pages = Environment(loader=FileSystemLoader("pages"))

    @app.get("/")
    def index():
        return pages.get_template("index.html").render(name=request.args.get("name"))

Good::

    from flask import Flask, request
    from jinja2 import Environment, FileSystemLoader, select_autoescape

    app = Flask(__name__)
    pages = Environment(loader=FileSystemLoader("pages"), autoescape=select_autoescape())

    @app.get("/")
    def index():
        return pages.get_template("index.html").render(name=request.args.get("name"))

References:
    - CWE-79
    - CWE-116
    - ASVS 5.0 V1.2.1
    - https://jinja.palletsprojects.com/en/stable/api/#autoescaping
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._closed import closed_by
from stopper.rules._when import escapes_all_the_same
from stopper.source.code import Call, Expr
from stopper.source.files import Role
from stopper.source.project import Project

if TYPE_CHECKING:
    from stopper.app.booted import Booted

_MADE = (
    "jinja2.Environment", "jinja2.environment.Environment", "jinja2.sandbox.SandboxedEnvironment",
    "jinja2.sandbox.ImmutableSandboxedEnvironment", "jinja2.Template", "jinja2.environment.Template",
)  # fmt: skip
_HTML = regex(r"\.x?html?\b|</?(?:p|div|html|body|span|a|table|h[1-6])\b", re.IGNORECASE)
_NO_PAGE = regex(
    r"\.(?:json|ya?ml|toml|ini|cfg|conf|env|service|sh|ps1|sql|csv|tex|tf|txt|py|rst|md|xml\.rels)(?:\.j(?:inja)?2?)?$"
)
_TAKE_OUT = "Take the line out: Flask escapes HTML templates by itself."
_CHOOSES = regex(r"\blambda\b|escape", re.IGNORECASE)
_OTHER_SYNTAX = ("block_start_string", "variable_start_string")


@closed_by("xss", when=escapes_all_the_same)
class JinjaAutoescapeDisabled(Rule):
    """Environments made without ``autoescape``, and Flask's own with it taken away."""

    area = Area.XSS
    severity = Severity.HIGH
    cwe = (79, 116)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each environment, and each assignment that switches escaping off."""
        for call in project.code.calls(*_MADE):
            if (
                call.module.role is Role.APP
                and not call.has_star
                and not set(_OTHER_SYNTAX) & set(call.keywords)
            ):
                yield from self._made(call)
        for store in project.code.stores(
            "flask.Flask().jinja_env", "flask.Flask().jinja_options", key="autoescape"
        ):
            value = store.value.value
            if value.known and value.constant is False:
                yield self.found(
                    store.location,
                    "This switches escaping off for every template of the application.",
                    remedy=_TAKE_OUT,
                    context=store.target.source,
                )

    def app(self, booted: Booted) -> Iterator[Finding]:
        """Report an app whose environment does not escape HTML templates."""
        if not booted.autoescape.get("page.html", True):
            message = "the booted app does not escape what it puts into .html templates"
            yield self.seen("app:autoescape", message, remedy=_TAKE_OUT)

    def _made(self, call: Call) -> Iterator[Finding]:
        argument = call.argument(None, "autoescape")
        if argument is not None and not argument.value.known:
            yield from self._undecided(call, argument)
        if argument is not None and (not argument.value.known or argument.value.constant):
            return
        text = call.module.text.content
        if call.name.endswith("Template"):
            given = call.argument(0, "source")
            text = str(given.value.constant) if given is not None and given.value.known else ""
            if not _HTML.search(text):
                return
        elif _makes_no_page(call):
            return
        html = _HTML.search(text) is not None
        how = "with autoescape=False" if argument is not None else "without autoescape, which is then off"
        doubt = "" if html else " It matters if HTML is made with it, which is not seen here."
        yield self.found(
            call.location,
            f"{call.name} is made {how}.{doubt}",
            confidence=Confidence.MEDIUM if html else Confidence.LOW,
            remedy=f"{call.name}(..., autoescape=jinja2.select_autoescape())",
            context=f"{call.function} {call.name}",
        )

    def _undecided(self, call: Call, argument: Expr) -> Iterator[Finding]:
        """Report a choice that is not seen: neither one by the template's name nor a function of the project that makes it."""
        chosen = argument.name or ""
        if chosen.endswith(("select_autoescape", "select_autoescape()")) or _CHOOSES.search(argument.source):
            return
        yield self.found(
            call.location,
            f"Whether this {call.name} escapes depends on {argument.source}, and what that is is not seen here.",
            confidence=Confidence.LOW,
            remedy=f"{call.name}(..., autoescape=jinja2.select_autoescape())",
            context=f"{call.function} {call.name}",
        )


def _makes_no_page(call: Call) -> bool:
    """Tell whether every template that the module asks for is of a kind that no browser shows: JSON, YAML, a script."""
    asked = [
        given.value.constant
        for site in call.module.calls.get("get_template", ())
        if (given := Call(site, "", call.names).argument(0, "name")) is not None
    ]
    return bool(asked) and all(isinstance(name, str) and _NO_PAGE.search(name) for name in asked)
