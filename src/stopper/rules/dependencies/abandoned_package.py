"""An app must not depend on a package that nobody mends any more.

The next hole in it stays open. It also holds other packages back: many an abandoned Flask extension is the
reason why an app still runs on Flask 1.

Bad::

    import bleach
    from flask import Flask

    app = Flask(__name__)


    def cleaned(text):
        return bleach.clean(text)

    # file: requirements.txt
    flask==3.1.3
    bleach==6.4.0

Good::

    import nh3
    from flask import Flask

    app = Flask(__name__)


    def cleaned(text):
        return nh3.clean(text)

    # file: requirements.txt
    flask==3.1.3
    nh3==0.3.2

References:
    - CWE-1104
    - ASVS 5.0 V15.1.4
    - https://github.com/mozilla/bleach/issues/698
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source.files import Role
from stopper.source.lifecycles import ABANDONED, Abandoned
from stopper.source.manifests import most_telling
from stopper.source.project import Project
from stopper.source.requirement import Requirement


class AbandonedPackage(Rule):
    """Look for abandoned packages among what the app asks for, and for their imports."""

    area = Area.DEPENDENCIES
    severity = Severity.LOW
    cwe = (1104,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield one finding a package."""
        for known in ABANDONED:
            uses = [
                place
                for place in project.code.imports(known.module or known.name)
                if project.role(place.path) is Role.APP
            ]
            asked = [
                one
                for one in project.manifests.named(known.name)
                if not one.development and _is_old(one, known)
            ]
            direct = [one for one in asked if one.direct]
            if direct:
                one = most_telling(direct)
                related = (*uses[:3], *((one.lock,) if one.lock else ()))
                yield self.found(
                    one.location,
                    _message(known, imported=bool(uses)),
                    confidence=Confidence.HIGH if uses else Confidence.MEDIUM,
                    remedy=known.successor,
                    context=known.name,
                    related=related,
                )
            elif uses and not known.below and not known.shared:
                yield self.found(
                    uses[0], _message(known, imported=True), remedy=known.successor, context=known.name
                )


def _is_old(one: Requirement, known: Abandoned) -> bool:
    return not known.below or one.stays_below(known.below)


def _message(known: Abandoned, *, imported: bool) -> str:
    unused = "" if imported else " Nothing here imports it by name: it may be enough to drop it."
    why = f"{known.name} is abandoned (last sign of life {known.since}): {known.why}."
    return f"{why} Use {known.successor}.{unused}"
