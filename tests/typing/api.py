"""Use Stopper's public names as a program of a user would; mypy checks this file, nothing runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flask import Blueprint, Flask

from stopper import Stopper, fix
from stopper.audit import audit
from stopper.config import Config, load
from stopper.finding import Area, Confidence, Finding, Location, Severity, Skipped
from stopper.report import Report
from stopper.rule import Rule, discover
from stopper.source.project import Project


class NoNightlyDeploy(Rule):
    """Stand for a rule that a team writes for itself."""

    area = Area.SECRETS
    severity = Severity.LOW
    cwe = (1,)

    def source(self, project: Project) -> Iterator[Finding | Skipped]:
        """Yield one finding with every keyword that a rule may give."""
        place = Location("app.py", 1, 1)
        yield self.found(place, "wrong here", confidence=Confidence.LOW, remedy="right", context="app")
        yield Skipped("app.py", "not read", (Area.SECRETS,))

    def fix(self, finding: Finding, project: Project) -> fix.Fix | None:
        """Return one edit."""
        return fix.Fix("Right it", (fix.Edit(finding.location.path, 0, 1, "x"),), fix.Safety.SAFE)


def look(folder: Path) -> list[tuple[str, int, str]]:
    """Return what an audit finds, as plain tuples."""
    config: Config = load(folder).override(online=False, areas=(Area.SQL,))
    report: Report = audit(folder, config)
    worst: tuple[Finding, ...] = report.at_least(Severity.HIGH)
    return [(one.rule, one.location.line, one.message) for one in worst]


names: list[str] = [rule.slug for rule in discover()]

stopper: Stopper = Stopper(proxies=1)
pages = Blueprint("pages", __name__)


@pages.post("/login")
@stopper.limit("5 per minute")
@stopper.headers(referrer_policy="no-referrer")
def login() -> str:
    """Stand for a view whose type the decorators keep."""
    return "in"


@stopper.exempt("csrf")
@stopper.csp(img_src="'self'")
class Page:
    """Stand for a view class."""


def create_app() -> Flask:
    """Return an app from a factory, as a user would write it."""
    app = Flask(__name__)
    stopper.init_app(app)
    app.register_blueprint(stopper.exempt("csrf")(pages))
    page: Page = Page()
    text: str = login()
    return app if text and page else Flask(text)
