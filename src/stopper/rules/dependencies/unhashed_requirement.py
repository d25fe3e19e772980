r"""An app should demand the hash of each archive that it installs.

A pin fixes the version, not the file. With hashes, a mirror, a proxy or a hijacked index cannot hand out
another archive under the same version.

Bad::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    flask==3.1.3

Good::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    flask==3.1.3 \
        --hash=sha256:f4bcbefc124291925f1a26446da31a5178f9483862233b23c0c96a20701f670c

References:
    - CWE-353
    - ASVS 5.0 V15.2.4
    - https://pip.pypa.io/en/stable/topics/secure-installs/
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.source.requirement import Manifest, Requirement


class UnhashedRequirement(Rule):
    """Count the pinned requirements of each production file that have no hash, nor a lock beside it."""

    area = Area.DEPENDENCIES
    severity = Severity.INFO
    cwe = (353,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield one finding a file, at its first requirement without a hash."""
        files: dict[str, list[Requirement]] = {}
        for one in project.manifests.requirements:
            source_file = one.location.path.endswith(".in")
            if (
                one.kind is Manifest.REQUIREMENTS
                and one.pinned
                and not one.lock
                and not one.development
                and not source_file
            ):
                files.setdefault(one.location.path, []).append(one)
        for path, requirements in files.items():
            bare = [one for one in requirements if not one.hashed]
            if bare:
                total = len(requirements)
                yield self.found(
                    bare[0].location,
                    f"{len(bare)} of the {total} pinned requirements of {path} have no hash.",
                    remedy=f"uv pip compile --generate-hashes {path} -o {path}",
                    context=path,
                )
