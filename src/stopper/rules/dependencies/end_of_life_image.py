"""An image must not be built on a distribution that is no longer mended.

OpenSSL, libc and zlib come from the base image. When its distribution has ended, rebuilding brings the same
holes again.

Bad::

    from flask import Flask

    app = Flask(__name__)

    # file: Dockerfile
    FROM python:3.13-slim-buster
    COPY . /app

Good::

    from flask import Flask

    app = Flask(__name__)

    # file: Dockerfile
    FROM python:3.13-slim-trixie
    COPY . /app

References:
    - CWE-1104
    - ASVS 5.0 V15.2.1
    - https://wiki.debian.org/LTS
    - https://ubuntu.com/about/release-cycle
    - https://alpinelinux.org/releases/
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from stopper.finding import Area, Finding, Severity
from stopper.rule import Rule
from stopper.source.lifecycles import NEWEST_IMAGE, image_branch
from stopper.source.project import Project
from stopper.source.runtimes import short_name


class EndOfLifeImage(Rule):
    """Read the distribution off each Dockerfile's base image and compare it with the end of its support."""

    area = Area.DEPENDENCIES
    severity = Severity.MEDIUM
    cwe = (1104,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each image that ships, in each Dockerfile."""
        today = dt.datetime.now(dt.UTC).date()
        for image in project.manifests.images:
            known = image_branch(short_name(image.name), image.tag)
            if known is None or image.development or not image.final or known[1].end > today:
                continue
            family, branch = known
            yield self.found(
                image.location,
                f"{image.name}:{image.tag} is built on {family.capitalize()} {branch.cycle}, "
                f"which has had no free security fixes since {branch.ended}.",
                remedy=f"FROM {_newer(image.name, image.tag, family, branch.name)}",
                context=f"{image.name}:{image.tag}",
            )


def _newer(name: str, tag: str, family: str, code_name: str) -> str:
    newest = NEWEST_IMAGE[family]
    if short_name(name) == family:
        return newest
    release = newest.partition(":")[2].removesuffix("-slim")
    if code_name and code_name in tag:
        return f"{name}:{tag.replace(code_name, release)}"
    return f"{name}:{tag.partition('-')[0]}-{family}{release}"
