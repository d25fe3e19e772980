"""A sanitiser must be told which URLs it lets through.

nh3 lets some 25 URL schemes and images of any host through unless told: a comment then loads a picture from its author's server and tells who
reads it, and links may start other programs.

Bad::

    from flask import Flask
    import nh3

    app = Flask(__name__)

    @app.template_filter()
    def clean(text):
        return nh3.clean(text)

Good::

    from flask import Flask
    import nh3

    app = Flask(__name__)

    @app.template_filter()
    def clean(text):
        return nh3.clean(text, tags=nh3.ALLOWED_TAGS - {"img"}, url_schemes={"https", "mailto"})

References:
    - CWE-116
    - CWE-359
    - ASVS 5.0 V1.3.1
    - https://nh3.readthedocs.io/en/latest/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import own_calls
from stopper.source.project import Project


class SanitiserAllowsRemote(Rule):
    """Look for nh3.clean without url_schemes."""

    area = Area.XSS
    severity = Severity.LOW
    cwe = (116, 359)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each call that keeps the defaults."""
        for call in own_calls(project, "nh3.clean"):
            if call.argument(None, "url_schemes") is None and not call.has_star:
                yield self.found(
                    call.location, "links of some 25 schemes and images of any host are let through",
                    remedy='nh3.clean(text, tags=nh3.ALLOWED_TAGS - {"img"}, url_schemes={"https", "mailto"})', context=call.function,
                )  # fmt: skip
