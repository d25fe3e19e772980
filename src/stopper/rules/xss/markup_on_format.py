"""Text must not be put together first and called ``Markup`` after.

``Markup("...")`` says that its text is HTML already, so nothing in it is escaped, what was formatted into it
included. The other way round it works: formatting a ``Markup`` escapes each value that goes in.

Bad::

    from flask import Flask
    from markupsafe import Markup

    app = Flask(__name__)

    @app.template_filter("badge")
    def badge(name):
        return Markup(f"<b>{name}</b>")

Good::

    from flask import Flask
    from markupsafe import Markup

    app = Flask(__name__)

    @app.template_filter("badge")
    def badge(name):
        return Markup("<b>{}</b>").format(name)

References:
    - CWE-79
    - ASVS 5.0 V1.2.1
    - https://markupsafe.palletsprojects.com/en/stable/formatting/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.source.files import Role
from stopper.source.project import Project
from stopper.taint.flows import flows_into

_MARKUP = ("markupsafe.Markup", "flask.Markup", "jinja2.Markup", "markupsafe.Markup.__new__")
_FSTRING = re.compile(r"[rR]?[fF][rR]?[\"']")
_FIELD = regex(r"(?<!\{)\{([^{}]+?)(?:![rsa])?(?::[^{}]*)?\}")
_PERCENT = regex(r"[rRuU]?(\"\"\"|'''|\"|').*\1\s*%\s*(.+)", re.DOTALL)
_FORMAT = regex(r"[rRuU]?(\"\"\"|'''|\"|').*\1\s*\.format\((.*)\)\s*\Z", re.DOTALL)
_JOINED = regex(r"[rRuU]?(\"[^\"]*\"|'[^']*')\s*\+\s*(.+)", re.DOTALL)
_TEXTS = regex(
    r"(?:[rRuU]?(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')\s*)+",
    re.DOTALL,
)
_TOKEN = regex(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|.", re.DOTALL)
_KEYWORD = re.compile(r"^\s*\w+\s*=(?!=)")
_CLEAN = regex(
    r"\s*(?:[\w.]*(?:escape|gettext|clean|sanitize|url_for|csrf_token|html_params|dumps|render_template)\w*\(|"
    r"(?:int|len|float|round|sum|_)\(|[rRuU]?[\"'][^\"']*[\"']\s*$|[A-Z_][A-Z0-9_]*\s*$|\d+\s*$|"
    r"[\w.]*(?:width|height|count|_id)\s*$)"
)


class MarkupOnFormat(Rule):
    """Every ``Markup`` of an f-string, ``%``, ``format`` or sum with a value in it that is not escaped."""

    area = Area.XSS
    severity = Severity.MEDIUM
    cwe = (79,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call; where a flow shows that a client writes the value, the rule on flows tells it alone."""
        proven = {flow.sink for flow in flows_into(project, "markup")}
        for call in project.code.calls(*_MARKUP):
            argument = call.argument(0, "object")
            if argument is None or call.module.role is not Role.APP or argument.value.state == "constant":
                continue
            if call.location in proven:
                continue
            open_ones = [value for value in _values(argument.source.strip()) if not _CLEAN.match(value)]
            if not open_ones:
                continue
            yield self.found(
                call.location,
                f"Markup() takes {open_ones[0].strip()} for HTML, for it was formatted in before. Whether "
                "a user can "
                "write it is not seen here.",
                confidence=Confidence.LOW,
                remedy='Markup("...{}...").format(value), which escapes the value',
                context=f"{call.function} {argument.source}",
            )


def _values(source: str) -> list[str]:
    """Return the expressions that are formatted into a string, as written."""
    if _FSTRING.match(source):
        return _FIELD.findall(source)
    found = _PERCENT.fullmatch(source) or _FORMAT.fullmatch(source) or _JOINED.fullmatch(source)
    text = _TEXTS.match(source)
    if found is None or text is None or not source.startswith(("%", "+", ".format("), text.end()):
        return []  # or what a method of the text is given: "".join(...)
    inside = re.sub(r"^\s*#.*$", "", found[2], flags=re.MULTILINE).strip()
    inside = inside[1:-1] if inside.startswith("(") and inside.endswith(")") else inside
    return [_KEYWORD.sub("", piece) for piece in _split(inside) if piece.strip()]


def _split(text: str) -> list[str]:
    """Cut the text of arguments at the commas that stand in no bracket and no string."""
    pieces, depth = [""], 0
    for part in _TOKEN.findall(text):
        depth += (part in "([{") - (part in ")]}") if len(part) == 1 else 0
        if part == "," and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += part
    return pieces
