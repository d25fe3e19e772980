"""The words for what a project depends on: requirement, index, Python version, base image."""

from __future__ import annotations

import enum
import re

from packaging.version import InvalidVersion, Version

from stopper.finding import Location, Skipped
from stopper.records import dataclass, field
from stopper.source.files import Role, SourceFile

_DEVELOPMENT = re.compile(
    r"(?:^|[^a-z])(?:dev|devel|develop|development|tests?|testing|unittests?|testinfra|docs?|lint|linting|ci|typing|types"
    r"|mypy|bench|benchmarks?|debug|translations?|build|bootstrap|style|coverage|pre-commit|tox|nox)(?:[^a-z]|$)"
    r"|^requirements?(?:dev|docs?|tests?)\b"
)
_NAME = r"[ \t]*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)[ \t]*"
_EXTRA = r"[ \t]*[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?[ \t]*"
_CLAUSE = r"(?:[<>=!]=|[<>]|~=(?=[ \t]*[0-9]+\.))[ \t]*[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc|\.post)[0-9]+)?[ \t]*"
_PLAIN = re.compile(
    rf"{_NAME}(?:\[{_EXTRA}(?:,{_EXTRA})*\][ \t]*)?(?P<clauses>(?:{_CLAUSE}(?:,[ \t]*{_CLAUSE})*)?)"
)
_BEGUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:[\[(<>=!~;@]|$)")
_SEPARATORS = re.compile("[-_.]+")


class Manifest(enum.StrEnum):
    """What kind of file a requirement stands in."""

    REQUIREMENTS = "requirements"
    """A pip requirements file."""
    CONSTRAINTS = "constraints"
    """A pip constraints file: it pins and installs nothing."""
    PROJECT = "project"
    """pyproject.toml, setup.cfg, setup.py."""
    PIPFILE = "pipfile"
    CONDA = "conda"
    LOCK = "lock"
    """Pipfile.lock, poetry.lock, uv.lock, pylock.toml."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One package that a manifest asks for, or that a lock file fixes."""

    name: str
    """Normalised as PEP 503 has it: lower case, single hyphens."""
    location: Location
    kind: Manifest
    specifier: str = ""
    """``>=3.1,<4``; "" when any version will do."""
    pinned: str | None = None
    """The one version to be installed: from ``==`` here, or from a lock; None when it is open."""
    hashed: bool = False
    """The archive's hash is demanded, here or in the lock that answers."""
    marker: str = ""
    url: str = ""
    """Where it comes from when not from an index: an archive, a version control system, a folder."""
    development: bool = False
    """Only for development, tests, documentation or building."""
    direct: bool = True
    """Asked for by the project itself, not by another package."""
    library: bool = False
    """Stands in the manifest of a package that others install, where a pin would do harm."""
    lock: Location | None = None
    """Where ``pinned`` was found, when that is another file."""

    def allows(self, version: str) -> bool:
        """Tell whether ``version`` may be installed."""
        if self.pinned is not None:
            return same_version(self.pinned, version)
        from packaging.specifiers import InvalidSpecifier, SpecifierSet  # late: see parse_requirement

        try:
            return SpecifierSet(self.specifier).contains(version, prereleases=True)
        except InvalidSpecifier:
            return True

    def stays_below(self, version: str) -> bool:
        """Tell whether every version that may be installed is older than ``version``."""
        if self.pinned is not None:
            return older(self.pinned, version)
        if not self.specifier or self.allows(version) or self.allows("99999"):
            return False
        from packaging.specifiers import InvalidSpecifier, SpecifierSet  # late: see parse_requirement

        try:
            clauses = list(SpecifierSet(self.specifier))
        except InvalidSpecifier:
            return False
        floors = [
            clause.version.removesuffix(".*")
            for clause in clauses
            if clause.operator in {">=", ">", "~=", "==", "==="}
        ]
        return not any(not older(floor, version) for floor in floors)


@dataclass(frozen=True, slots=True)
class Index:
    """A place that packages are fetched from, or a word that trusts one."""

    option: str
    """``index-url``, ``extra-index-url``, ``trusted-host`` or ``find-links``."""
    url: str
    location: Location
    safe_order: bool = False
    """The tool asks this index only for packages that name it, or never mixes answers of two indexes."""
    verified: bool = True
    """False when the tool is told not to check the certificate."""
    development: bool = False
    """Stands in a file for tests, documentation or development."""


@dataclass(frozen=True, slots=True)
class PythonVersion:
    """A Python that the project says it runs on."""

    version: str
    """``3.8`` or ``3.8.10``."""
    location: Location
    where: str
    """``Dockerfile``, ``.python-version``, ``requires-python`` ..."""
    development: bool = False
    """Stands in a file for tests, documentation or development."""


@dataclass(frozen=True, slots=True)
class BaseImage:
    """The image that a Dockerfile stage starts from, with its arguments filled in."""

    name: str
    """Without tag and digest: ``python``, ``docker.io/library/debian``."""
    tag: str
    """"" when there is none."""
    digest: str
    location: Location
    final: bool = True
    """The stage that ships, not one that only builds."""
    development: bool = False
    """Stands in a file for tests, documentation or development."""


@dataclass
class Found:
    """What the readers of single files add up."""

    requirements: list[Requirement] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)
    pythons: list[PythonVersion] = field(default_factory=list)
    images: list[BaseImage] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a PEP 508 requirement says."""

    name: str
    """As it is written."""
    specifier: str = ""
    marker: str = ""
    url: str = ""


def parse_requirement(text: str) -> Parsed | None:
    """Read a PEP 508 requirement; None when it is none.

    Names with plain versions, of which most files consist, are read here, and what is no name at all: what ``packaging`` loads to read
    all the others takes longer than many a project.
    """
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        clauses = {"".join(clause.split()) for clause in plain["clauses"].split(",")}
        return Parsed(plain["name"], ",".join(sorted(clauses)))
    if _BEGUN.match(text.strip()) is None:
        return None
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Standard

    try:
        read = Standard(text)
    except InvalidRequirement:
        return None
    return Parsed(read.name, str(read.specifier), str(read.marker or ""), read.url or "")


def normalise(name: str) -> str:
    """Return the PEP 503 form of a package name."""
    return _SEPARATORS.sub("-", name.strip()).lower()


def pin_of(specifier: str) -> str | None:
    """Return the version that ``==1.2.3`` or ``===1.2.3`` fixes; None for anything more open."""
    for clause in specifier.split(","):
        match = re.fullmatch(r"===?\s*([^\s*,;]+)", clause.strip())
        if match:
            return match[1]
    return None


def older(version: str, other: str) -> bool:
    """Tell whether ``version`` sorts before ``other``; False when either is no version."""
    try:
        return Version(version) < Version(other)
    except InvalidVersion:
        return False


def same_version(version: str, other: str) -> bool:
    """Tell whether two version texts name the same version."""
    try:
        return Version(version) == Version(other)
    except InvalidVersion:
        return version == other


def is_development(word: str) -> bool:
    """Tell whether a group's or a file's name says that it is not for production."""
    return bool(_DEVELOPMENT.search(word.lower()))


def is_development_file(file: SourceFile) -> bool:
    """Tell whether a manifest is for tests, documentation, tools or building, read off its path."""
    if file.role in {Role.TEST, Role.DOCS}:
        return True
    folder = file.folder.rpartition("/")[2]
    return is_development(file.name) or (
        folder.startswith("requirement") and is_development(file.name.partition(".")[0])
    )


def find(file: SourceFile, *needles: str, start: int = 0) -> Location:
    """Return the place of the first needle that the file holds, else the file's first line."""
    for needle in needles:
        at = file.text.content.find(needle, start)
        if at >= 0:
            return file.text.location(file.path, at, at + len(needle))
    return Location(file.path)
