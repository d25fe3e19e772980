"""A page should not be put together from strings.

Nothing here shows where the parts come from: no view hands them over. But the page trusts whoever calls it, and the next view that
does may pass on what a client sent. A template escapes every value by itself.

Render a template, or build the page with ``Markup``, whose ``format`` escapes.

Bad::

    from flask import Flask, make_response

    app = Flask(__name__)

    def notice(text):
        return make_response("<p class='notice'>" + text + "</p>")

Good::

    from flask import Flask, make_response
    from markupsafe import Markup

    app = Flask(__name__)

    def notice(text):
        return make_response(Markup("<p class='notice'>{}</p>").format(text))

Good::

    from flask import Flask, make_response
    from markupsafe import escape

    app = Flask(__name__)

    def notice(text):
        return make_response(f"<p class='notice'>{escape(text)}</p>")

References:
    - CWE-79
    - ASVS 5.0 V1.2.1
    - https://flask.palletsprojects.com/en/stable/quickstart/#html-escaping
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.rules._posture import constant, own_calls
from stopper.rules._uncalled import unseen_by_flows
from stopper.rules._unknown import ORIGIN, is_unknown
from stopper.source.assembly import assembled
from stopper.source.code import Call, Expr
from stopper.source.project import Project
from stopper.source.values import UNKNOWN

_ANSWERS = (
    *("flask.make_response", "flask.Flask().make_response", "flask.Response"),
    *("werkzeug.Response", "werkzeug.wrappers.Response"),
)
_TAG = regex(r"<(?:!|/?[a-zA-Z])")
_CLEAN = regex(
    r"(?:clean|escape|sanitize|gettext|url_for|csrf_token|dumps|render_template|to_html|isoformat)\w*\(|(?:^|[._])id$"
)


class HtmlStringFormatting(Rule):
    """Look for answers of HTML with parts that are not constant, in functions that nothing in the project calls."""

    area = Area.XSS
    severity = Severity.LOW
    cwe = (79,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each such answer; the flows look at what views hand over."""
        unseen = unseen_by_flows(project)
        for call in own_calls(project, *_ANSWERS):
            page = call.argument(0, "response")
            parts = _open_parts(page) if page is not None and _is_html(call) else []
            if parts and unseen(call):
                yield self.found(
                    call.location,
                    f"{', '.join(dict.fromkeys(parts))} is written into this page as it is; {ORIGIN}",
                    confidence=Confidence.LOW,
                    remedy='Markup("<p>{}</p>").format(value)  # from markupsafe import Markup',
                    context=f"{call.function} {call.target.identifier}",
                )


def _open_parts(page: Expr) -> list[str]:
    """Return the parts of a page of which nothing is known and that nothing escapes."""
    made = assembled(page)
    if made is None or not _TAG.search(made.text):
        return []
    return [part.source for part in made.parts if is_unknown(part) and not _CLEAN.search(part.source)]


def _is_html(call: Call) -> bool:
    """Tell whether an answer is a page: nothing is said of its type, or that it is HTML."""
    given = call.argument(None, "mimetype") or call.argument(None, "content_type")
    kind = constant(given) if given is not None else "text/html"
    return kind is not UNKNOWN and "html" in str(kind)
