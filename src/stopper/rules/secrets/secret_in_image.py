"""A secret must not be built into an image.

What ENV or ARG sets stands in the image's history: whoever can pull the image can read it, with ``docker history`` or by starting it.

Bad::

    from flask import Flask

    app = Flask(__name__)
    # file: Dockerfile
    FROM python:3.13
    ENV SECRET_KEY=aeLae9ki7ahRei3oZiu7
    CMD ["gunicorn", "app:app"]

Good::

    from flask import Flask

    app = Flask(__name__)
    # file: Dockerfile
    FROM python:3.13
    CMD ["gunicorn", "app:app"]

References:
    - CWE-538
    - CWE-798
    - ASVS 5.0 V13.3.1
    - https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.source.files import Role
from stopper.source.project import Project

_NAMED = re.compile(r"(?:SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY)(?:_KEY|_BASE)?$")
_EMPTY = regex(r"^[\"']?(?:$|\$|<|changeme|change_me|xxx|placeholder|dummy|build|none|test)", re.IGNORECASE)


class SecretInImage(Rule):
    """Read ENV and ARG of Dockerfiles for values under names that say secret."""

    area = Area.SECRETS
    severity = Severity.HIGH
    cwe = (538, 798)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each value that goes into the image."""
        for one in project.settings.variables:
            name = one.location.path.rpartition("/")[2].lower()
            if (
                "dockerfile" not in name
                or project.role(one.location.path) is not Role.APP
                or one.environment in ("development", "testing")
            ):
                continue
            if _NAMED.search(one.name) and not _EMPTY.search(one.value):
                yield self.found(
                    one.location, f"{one.name} is written into the image", confidence=Confidence.MEDIUM,
                    remedy=f"docker run --env-file .env ...  # instead of ENV {one.name}", code=f"ENV {one.name}=...", context=one.name,
                )  # fmt: skip
