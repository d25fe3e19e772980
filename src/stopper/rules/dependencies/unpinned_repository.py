"""An app must not install a package from a moving branch or over plain HTTP.

``git+https://...`` without a commit installs what stands on the default branch at build time. Whoever can
push there, or take over the name, runs code in the build and in production.

Bad::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    git+https://github.com/pallets/flask@main#egg=flask

Good::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    git+https://github.com/pallets/flask@2fec0b206c6e83ea813ab26597e15c96fab08be7#egg=flask

References:
    - CWE-494
    - ASVS 5.0 V15.2.4
    - https://pip.pypa.io/en/stable/topics/vcs-support/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.regex import regex
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.source.requirement import Manifest

_CREDENTIALS = regex(r"://[^/@\s]+@")
_COMMIT = re.compile(r"@[0-9a-f]{40}(?:$|[#&])")
_TAG = re.compile(r"@v?\d[\w.+-]*(?:$|[#&])")


class UnpinnedRepository(Rule):
    """Look at requirements that come from version control or an address, and at what fixes their content."""

    area = Area.DEPENDENCIES
    severity = Severity.LOW
    cwe = (494,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield one finding a package."""
        seen: set[str] = set()
        for one in project.manifests.requirements:
            if not one.url or one.development or one.kind is Manifest.LOCK or one.name in seen:
                continue
            problem = _problem(one.url, hashed=one.hashed)
            if problem:
                seen.add(one.name)
                yield self.found(
                    one.location,
                    f"{one.name} is installed from an address {problem}.",
                    severity=Severity.MEDIUM if "plain" in problem else self.severity,
                    confidence=Confidence.LOW if "tag" in problem else Confidence.HIGH,
                    remedy="git+https://<host>/<project>@<all 40 digits of a commit>, or a release",
                    code=_CREDENTIALS.sub("://***@", project.line(one.location).strip()),
                    context=one.name,
                )


def _problem(url: str, *, hashed: bool) -> str:
    if hashed or "#sha256=" in url or "&sha256=" in url:
        return ""
    if re.match(r"(?:git\+)?(?:http|git)://", url):
        return "over a plain connection, which anyone on the way can answer"
    if not re.match(r"(?:git|hg|bzr|svn)\+", url) or _COMMIT.search(url):
        return ""
    return (
        "at a tag, which its owner can move"
        if _TAG.search(url)
        else "without a commit, so each build may get other code"
    )
