"""Where the Content-Security-Policy demands a nonce, every inline script must carry it.

A browser runs an inline script under such a policy only if its ``nonce`` is the header's. A script without
one does nothing, and the usual answer, ``'unsafe-inline'``, gives the whole protection away.

Bad::

    from flask import Flask, render_template
    from flask_talisman import Talisman

    app = Flask(__name__)
    policy = {"script-src": "'self'"}
    Talisman(app, content_security_policy=policy, content_security_policy_nonce_in=["script-src"])

    @app.get("/")
    def index():
        return render_template("index.html")
    # file: templates/index.html
    <script>start();</script>

Good::

    from flask import Flask, render_template
    from flask_talisman import Talisman

    app = Flask(__name__)
    policy = {"script-src": "'self'"}
    Talisman(app, content_security_policy=policy, content_security_policy_nonce_in=["script-src"])

    @app.get("/")
    def index():
        return render_template("index.html")
    # file: templates/index.html
    <script nonce="{{ csp_nonce() }}">start();</script>

References:
    - CWE-693
    - ASVS 5.0 V3.4.3
    - https://developer.mozilla.org/en-US/docs/Web/HTML/Reference/Global_attributes/nonce
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.fix import Fix, Safety
from stopper.rule import Rule
from stopper.rules._span import span_of
from stopper.source.project import Project

_DATA = ("json", "template", "handlebars", "text/x-", "text/html", "importmap", "speculationrules")


class InlineScriptWithoutNonce(Rule):
    """Every inline script without a nonce, where Talisman is told to put one into ``script-src``."""

    area = Area.HEADERS
    severity = Severity.LOW
    cwe = (693,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each script, if the policy has a nonce."""
        if not _has_nonce(project):
            return
        for template in project.templates.html():
            for tag in template.tags("script"):
                kind = (tag.get("type") or "").lower()
                if (
                    tag.get("src") is not None
                    or tag.get("nonce") is not None
                    or any(word in kind for word in _DATA)
                ):
                    continue
                yield self.found(
                    tag.location,
                    "The policy lets inline scripts run by nonce only, and this script has none: browsers "
                    "refuse it.",
                    confidence=Confidence.MEDIUM,
                    remedy='<script nonce="{{ csp_nonce() }}">',
                    context=f"{template.path} script",
                )

    def fix(self, finding: Finding, project: Project) -> Fix | None:
        """Add the nonce to the tag."""
        span = span_of(finding, project)
        if span is None:
            return None
        at = len("<script")
        edit = span.edit(at, at, ' nonce="{{ csp_nonce() }}"')
        return Fix("Give the script the policy's nonce", (edit,), Safety.SAFE)


def _has_nonce(project: Project) -> bool:
    for call in project.code.calls("flask_talisman.Talisman", "flask_talisman.Talisman().init_app"):
        argument = call.argument(None, "content_security_policy_nonce_in")
        if argument is None:
            continue
        value = argument.value.constant
        if isinstance(value, (list, tuple, set, frozenset)) and "script-src" in value:
            return True
    return False
