"""An image must not be built on a tag that means something else tomorrow.

``python:latest`` and ``python:slim`` move to the next Python on the day it is released: the build breaks, or
worse, runs with libraries nobody tested it with, and an old image cannot be built again.

Bad::

    from flask import Flask

    app = Flask(__name__)

    # file: Dockerfile
    FROM python:latest
    COPY . /app

Good::

    from flask import Flask

    app = Flask(__name__)

    # file: Dockerfile
    FROM python:3.13-slim-trixie
    COPY . /app

References:
    - CWE-1357
    - ASVS 5.0 V15.1.2
    - https://docs.docker.com/build/building/best-practices/#pin-base-image-versions
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stopper.finding import Area, Confidence, Finding, Severity
from stopper.rule import Rule
from stopper.source.project import Project
from stopper.source.requirement import BaseImage
from stopper.source.runtimes import short_name

_PUBLIC = frozenset(
    {
        "python",
        "debian",
        "ubuntu",
        "alpine",
        "node",
        "nginx",
        "httpd",
        "golang",
        "rust",
        "redis",
        "postgres",
        "busybox",
        "fedora",
        "centos",
        "pypy",
        "ruby",
    }
)
_FIXED = re.compile(r"\d|jessie|stretch|buster|bullseye|bookworm|trixie|xenial|bionic|focal|jammy|noble")


class UnpinnedBaseImage(Rule):
    """Look for base images without a digest whose tag is absent, ``latest`` or holds no version."""

    area = Area.DEPENDENCIES
    severity = Severity.LOW
    cwe = (1357,)

    def source(self, project: Project) -> Iterator[Finding]:
        """Yield one finding for each image and Dockerfile."""
        seen: set[tuple[str, str]] = set()
        for image in project.manifests.images:
            key = (image.location.path, image.name)
            if image.development or key in seen or not _moves(image):
                continue
            seen.add(key)
            tag = f"the tag {image.tag!r} moves" if image.tag else "no tag is named, which means the newest"
            yield self.found(
                image.location,
                f"The image is built on {image.name}, and {tag}: two builds of one commit differ.",
                confidence=Confidence.HIGH if image.final else Confidence.MEDIUM,
                remedy=_remedy(image),
                context=image.name,
            )


def _moves(image: BaseImage) -> bool:
    """Tell whether the image is a public one under a moving tag; a plain unknown name is one built here."""
    if image.digest or "$" in image.name + image.tag:
        return False
    name = short_name(image.name)
    if "/" not in name and name not in _PUBLIC:
        return False
    return not _FIXED.search(image.tag)


def _remedy(image: BaseImage) -> str:
    if short_name(image.name) == "python":
        return "FROM python:3.13-slim-trixie"
    return f"FROM {image.name}:<version>@sha256:<digest>"
