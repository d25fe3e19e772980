"""Two Talismans must not share views.

Talisman keeps the options of a view on the function itself. Where a second app of the same process has the same view, the
options given through the first one's Talisman are the second app's, too.

Bad::

    from flask import Flask
    from flask_talisman import Talisman

    public, admin = Flask("public"), Flask("admin")
    talisman = Talisman(public)
    Talisman(admin)

    @public.get("/status")
    @admin.get("/status")
    @talisman(frame_options="SAMEORIGIN")
    def status():
        return "fine"

Good::

    from flask import Flask
    from flask_talisman import Talisman

    public, admin = Flask("public"), Flask("admin")
    Talisman(public, frame_options="SAMEORIGIN")
    Talisman(admin)

    @public.get("/status")
    @admin.get("/status")
    def status():
        return "fine"

References:
    - CWE-693
    - ASVS 5.0 V3.4.6
    - https://github.com/wntrblm/flask-talisman#per-view-options
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules._posture import TALISMAN, decorating_calls, own_calls
from stopper.source.project import Project


class TalismanSharedViews(Rule):
    """Look for per-view options where application code makes two Talismans."""

    area = Area.HEADERS
    severity = Severity.LOW
    cwe = (693,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report the per-view options of an app that is not alone."""
        if len(list(own_calls(project, *TALISMAN))) < 2:
            return
        for view, call in decorating_calls(project, *(f"{name}()" for name in TALISMAN)):
            yield self.found(
                call.location, "the options are kept on the function, and a second Talisman reads them from there",
                confidence=Confidence.LOW, remedy="Talisman(app, ...)  # options of the app, not of a shared view", context=view.qualname,
            )  # fmt: skip
