"""A per-view option of Talisman must be one that it knows.

Talisman keeps whatever keywords the decorator is given and looks only for those that it knows. A misspelt one changes
nothing and says nothing; HSTS cannot be set for one view at all.

Bad::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    talisman = Talisman(app)

    @app.get("/embed")
    @talisman(frame_option="SAMEORIGIN")
    def embed():
        return "<p>Embedded</p>"

Good::

    from flask import Flask
    from flask_talisman import Talisman

    app = Flask(__name__)
    talisman = Talisman(app)

    @app.get("/embed")
    @talisman(frame_options="SAMEORIGIN")
    def embed():
        return "<p>Embedded</p>"

References:
    - CWE-693
    - ASVS 5.0 V3.4.6
    - https://github.com/wntrblm/flask-talisman#per-view-options
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import TALISMAN, decorating_calls
from stopper.source.project import Project

_KNOWN = frozenset(
    (
        "feature_policy permissions_policy document_policy force_https frame_options frame_options_allow_from "
        "content_security_policy content_security_policy_nonce_in"
    ).split()
)
"""What flask-talisman 1.1.0 reads of a view's options."""


class TalismanOptionUnknown(Rule):
    """Compare the keywords of the decorator with those that Talisman reads."""

    area = Area.HEADERS
    severity = Severity.MEDIUM
    cwe = (693,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each keyword that does nothing."""
        if not project.code.uses("flask_talisman"):
            return
        for _, call in decorating_calls(project, *(f"{name}()" for name in TALISMAN)):
            unknown = sorted(set(call.keywords) - _KNOWN)
            if unknown:
                yield self.found(
                    call.location, f"Talisman has no per-view option {', '.join(unknown)}: it is ignored",
                    remedy=f"@talisman({_nearest(unknown[0])}=...)", context=" ".join(unknown),
                )  # fmt: skip


def _nearest(name: str) -> str:
    """Return the known option that is spelt most like ``name``."""
    import difflib  # late: few make a slip

    near = difflib.get_close_matches(name, sorted(_KNOWN), 1)
    return near[0] if near else "frame_options"
