"""Which Python and which base image a project runs on, from Dockerfiles and platform files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from stopper.source.files import Role, SourceFile, Tree
from stopper.source.requirement import BaseImage, Found, Index, PythonVersion, is_development

_ARG = re.compile(r"^\s*ARG\s+([A-Za-z_]\w*)=[\"']?([^\s\"']*)", re.IGNORECASE)
_FROM = re.compile(r"^\s*FROM\s+(?:--platform=\S+\s+)?(\S+)(?:\s+AS\s+(\S+))?\s*(?:#.*)?$", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)(?::?-([^}]*))?\}|\$([A-Za-z_]\w*)")
_PIP_OPTION = re.compile(
    r"(?:--(extra-index-url|index-url|trusted-host)|\bPIP_(EXTRA_INDEX_URL|INDEX_URL|TRUSTED_HOST))[=\s]+[\"']?([^\s\"'\\]+)"
)
_OTHERS = (".py", ".js", ".ts", ".tsx", ".html", ".css", ".dockerignore", ".md")
_PLATFORM = (
    ("runtime.txt", re.compile(r"^\s*python-(\d+\.\d+(?:\.\d+)?)", re.MULTILINE), "runtime.txt"),
    (
        ".python-version",
        re.compile(r"^\s*(?:cpython-|python-)?(\d+\.\d+(?:\.\d+)?)", re.MULTILINE),
        ".python-version",
    ),
    (".tool-versions", re.compile(r"^\s*python\s+(\d+\.\d+(?:\.\d+)?)", re.MULTILINE), ".tool-versions"),
    ("app.yaml", re.compile(r"^\s*runtime:\s*python(3\d+|27)\b", re.MULTILINE), "app.yaml"),
    ("serverless.yml", re.compile(r"^\s*runtime:\s*python(\d+\.\d+)", re.MULTILINE), "serverless.yml"),
)


def read(tree: Tree, found: Found) -> None:
    """Read every file that names a runtime."""
    for file in tree.files:
        name = file.name.lower()
        if ("dockerfile" in name or name == "containerfile") and not name.endswith(_OTHERS):
            _dockerfile(file, found)
    for name, pattern, where in _PLATFORM:
        for file in tree.named(name):
            match = pattern.search(file.text.content)
            if match is not None:
                version = match[1] if "." in match[1] else f"{match[1][0]}.{match[1][1:]}"
                place = file.text.location(file.path, match.start(1), match.end(1))
                development = file.role in {Role.TEST, Role.DOCS}
                found.pythons.append(PythonVersion(version, place, where, development))


def _dockerfile(file: SourceFile, found: Found) -> None:
    by_path = any(is_development(part) for part in file.path.split("/"))
    development = by_path or file.role in {Role.TEST, Role.DOCS}
    images = list(_images(file))
    last = images[-1][1] if images else None
    stages = {stage.lower() for stage, _ in images if stage}
    for _, image in images:
        final = image is last
        if image.name.lower() in stages or image.name == "scratch":
            continue
        kept = replace(image, final=final or _ships(images, image), development=development)
        found.images.append(kept)
        version = re.match(r"(\d+\.\d+(?:\.\d+)?)(?:$|[-_])", kept.tag)
        if version and kept.final and short_name(kept.name) == "python":
            found.pythons.append(PythonVersion(version[1], kept.location, "Dockerfile", development))
    for match in _PIP_OPTION.finditer(file.text.content):
        option = (match[1] or match[2]).lower().replace("_", "-")
        place = file.text.location(file.path, match.start(), match.end())
        found.indexes.append(Index(option, match[3], place, development=development))


def short_name(image: str) -> str:
    """Return an official image's own name: ``docker.io/library/python`` is ``python``."""
    short = re.sub(r"^(?:docker\.io/|index\.docker\.io/)?(?:library/)?", "", image)
    return short.removeprefix("public.ecr.aws/docker/library/").removeprefix("mirror.gcr.io/library/")


def _images(file: SourceFile) -> Iterator[tuple[str, BaseImage]]:
    arguments: dict[str, str] = {}
    text = file.text
    for number in range(1, text.line_count + 1):
        line = text.line(number)
        argument = _ARG.match(line)
        if argument:
            arguments[argument[1]] = argument[2]
        match = _FROM.match(line)
        if match is None:
            continue
        whole = _VARIABLE.sub(lambda found: arguments.get(found[1] or found[3]) or found[2] or "$", match[1])
        name, _, digest = whole.partition("@")
        head, slash, tail = name.rpartition("/")
        base, _, tag = tail.partition(":")
        start = text.starts[number - 1]
        place = text.location(file.path, start + match.start(1), start + match.end(1))
        yield match[2] or "", BaseImage(head + slash + base, tag, digest, place)


def _ships(images: list[tuple[str, BaseImage]], image: BaseImage) -> bool:
    """Tell whether the last stage is built upon ``image``, through stages that start from one another."""
    by_stage = {stage.lower(): one for stage, one in images if stage}
    current = images[-1][1]
    for _ in images:
        if current is image:
            return True
        following = by_stage.get(current.name.lower())
        if following is None or following is current:
            return False
        current = following
    return False
