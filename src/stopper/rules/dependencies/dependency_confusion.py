"""An app must not look for one package on two indexes.

Pip asks all its indexes and takes the highest version, whichever it comes from. For a package that only the
private index has, an attacker uploads a higher version under the same name to the public one, and the next
build runs it.

Bad::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    --extra-index-url https://packages.example.com/simple
    flask==3.1.3
    example-billing==1.4.0

Good::

    from flask import Flask

    app = Flask(__name__)

    # file: requirements.txt
    --index-url https://packages.example.com/simple
    flask==3.1.3
    example-billing==1.4.0

References:
    - CWE-427
    - ASVS 5.0 V15.2.4
    - https://pip.pypa.io/en/stable/cli/pip_install/#cmdoption-extra-index-url
"""

from __future__ import annotations

from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project


class DependencyConfusion(Rule):
    """Look for extra indexes that the tool mixes with the main one, where no hashes settle the matter."""

    area = Area.DEPENDENCIES
    severity = Severity.MEDIUM
    cwe = (427,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each extra index and file."""
        seen: set[tuple[str, str]] = set()
        for index in project.manifests.indexes:
            path = index.location.path
            if (
                index.option != "extra-index-url"
                or index.safe_order
                or (path, index.url) in seen
                or _hashed(project, path)
            ):
                continue
            seen.add((path, index.url))
            url = _without_password(index.url)
            yield self.found(
                index.location,
                f"Packages are looked for at {url} and at the main index, and the higher version wins, "
                "whoever uploaded it.",
                severity=Severity.LOW if index.development else self.severity,
                confidence=Confidence.MEDIUM,
                remedy=f"--index-url {url}  (one index that passes public packages on), or hashes everywhere",
                code=project.line(index.location).strip().replace(index.url, url),
                context=url,
            )


def _hashed(project: Project, path: str) -> bool:
    own = [one for one in project.manifests.requirements if one.location.path == path]
    return bool(own) and all(one.hashed for one in own)


def _without_password(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    host = rest.rpartition("@")[2] if "@" in rest.partition("/")[0] else rest
    return f"{scheme}{mark}{host}"
