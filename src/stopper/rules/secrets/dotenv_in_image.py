"""A .env file must not be copied into an image.

Every layer of an image can be read by whoever can pull it; a file deleted in a later layer is still
there.

Bad::

    from flask import Flask

    app = Flask(__name__)
    # file: Dockerfile
    FROM python:3.13
    COPY . /srv

Good::

    from flask import Flask

    app = Flask(__name__)
    # file: Dockerfile
    FROM python:3.13
    COPY . /srv
    # file: .dockerignore
    .env
    .git

References:
    - CWE-538
    - ASVS 5.0 V13.3.1
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.rules.secrets._environment import gives_secret
from stopper.source.files import Role, folders_above
from stopper.source.history import is_env_file
from stopper.source.project import Project
from stopper.source.settings_model import is_for_production

_COPY = re.compile(r"(?im)^[ \t]*(?:COPY|ADD)[ \t]+(?:--(?!from)\S+[ \t]+)*\.?/?[ \t]+\S+")


class DotenvInImage(Rule):
    """Look for COPY of the whole folder where .dockerignore does not name .env."""

    area = Area.SECRETS
    severity = Severity.LOW
    cwe = (538,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Report each COPY . that takes .env along."""
        taken = [
            file
            for file in project.tree.files
            if is_env_file(file.path) and is_for_production(file.path) and gives_secret(file.text.content)
        ]
        above = {folder for file in taken for folder in folders_above(file.path)}
        for file in (
            [] if _keeps_out(project) else project.tree.named("Dockerfile", "Dockerfile.*", "*.Dockerfile")
        ):
            if file.role is not Role.APP or file.name.endswith(".dockerignore"):
                continue
            for match in _COPY.finditer(file.text.content, _last_stage(file.text.content)):
                present = file.folder in above
                place = file.text.location(file.path, match.start(), match.end())
                yield self.found(
                    place, "the whole folder is copied into the image, and .dockerignore does not keep .env out",
                    severity=Severity.HIGH if present else Severity.LOW,
                    confidence=Confidence.HIGH if present else Confidence.LOW, remedy="echo .env >> .dockerignore", context=file.path,
                )  # fmt: skip


def _last_stage(dockerfile: str) -> int:
    """Return where the image's own stage starts; what earlier stages hold is left behind unless copied from them."""
    return max((match.start() for match in re.finditer(r"(?im)^[ \t]*FROM[ \t]", dockerfile)), default=0)


def _keeps_out(project: Project) -> bool:
    texts = [file.text.content for file in project.tree.named("*.dockerignore")]
    return any(re.search(r"(?m)^(\*\*/|/)?(\.env\*?|\*\.env|\*|\.\*|\*\*)[ \t]*$", text) for text in texts)
