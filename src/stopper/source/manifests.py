"""What a project depends on, read from all its manifests: packages, indexes, Python versions, base images.

A lock answers for what a manifest beside or below it leaves open: ``flask>=3`` in pyproject.toml with ``flask
3.1.3`` in uv.lock is pinned at 3.1.3. Compiled requirements files and constraints answer the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from stopper.finding import Skipped
from stopper.records import dataclass
from stopper.source import locks, project_files, requirements_txt, runtimes
from stopper.source.files import Tree, folders_above
from stopper.source.requirement import BaseImage, Found, Index, Manifest, PythonVersion, Requirement

_DECLARED = {Manifest.REQUIREMENTS, Manifest.PROJECT, Manifest.PIPFILE, Manifest.CONDA}


@dataclass(frozen=True)
class Manifests:
    """The answers of all manifests of one target."""

    requirements: tuple[Requirement, ...] = ()
    """In the order of files and lines, those of lock files among them."""
    indexes: tuple[Index, ...] = ()
    python_versions: tuple[PythonVersion, ...] = ()
    images: tuple[BaseImage, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    def packages(self) -> tuple[Requirement, ...]:
        """Return one requirement for each package: see ``most_telling`` for which."""
        groups: dict[str, list[Requirement]] = {}
        for requirement in self.requirements:
            groups.setdefault(requirement.name, []).append(requirement)
        return tuple(most_telling(group) for group in groups.values())

    def versions(self) -> tuple[Requirement, ...]:
        """Return one requirement for each package and pinned version that gets installed."""
        groups: dict[tuple[str, str], list[Requirement]] = {}
        for one in self.requirements:
            if one.pinned and one.kind is not Manifest.CONSTRAINTS:
                groups.setdefault((one.name, one.pinned), []).append(one)
        return tuple(most_telling(group) for group in groups.values())

    def named(self, name: str) -> tuple[Requirement, ...]:
        """Return the requirements on one package, by its normalised name."""
        return tuple(one for one in self.requirements if one.name == name)


def most_telling(group: Iterable[Requirement]) -> Requirement:
    """Choose the one to point at: production, direct and declared go before the others."""
    return min(
        group,
        key=lambda one: (
            one.development,
            not one.direct,
            one.kind not in _DECLARED,
            one.pinned is None,
            one.location,
        ),
    )


def read(tree: Tree) -> Manifests:
    """Read every manifest under the target. What is malformed is in ``skipped``, with its reason."""
    found = Found()
    requirements_txt.read(tree, found)
    project_files.read(tree, found)
    locks.read(tree, found)
    runtimes.read(tree, found)
    return Manifests(
        tuple(sorted(_settled(found.requirements), key=lambda one: one.location)),
        tuple(found.indexes),
        tuple(found.pythons),
        tuple(found.images),
        tuple(found.skipped),
    )


def _settled(requirements: list[Requirement]) -> list[Requirement]:
    pins: dict[tuple[str, str], list[Requirement]] = {}
    declared: set[tuple[str, str]] = set()
    for one in requirements:
        if one.pinned:
            pins.setdefault((one.name, _folder(one)), []).append(one)
        if one.kind in _DECLARED and one.direct:
            declared |= {(one.name, folder) for folder in folders_above(one.location.path)}
    found = []
    for one in requirements:
        near = [
            pin for folder in folders_above(one.location.path) for pin in pins.get((one.name, folder), ())
        ]
        locked = _with_lock(one, near)
        asked = locked.kind is Manifest.LOCK and (locked.name, _folder(locked)) in declared
        found.append(replace(locked, direct=True) if asked else locked)
    return found


def _folder(one: Requirement) -> str:
    return one.location.path.rpartition("/")[0]


def _with_lock(one: Requirement, pins: list[Requirement]) -> Requirement:
    """Return a requirement with the version that a pin beside it or above, of its own file or a lock, decides on."""
    compiled = re.sub(r"\.in$", ".txt", one.location.path)
    for pin in pins:
        if pin.location.path == compiled != one.location.path and not one.url:
            return replace(one, pinned=pin.pinned, hashed=pin.hashed, lock=pin.location)
    if one.kind is Manifest.LOCK or one.url or (one.pinned and one.hashed):
        return one
    answers = [pin for pin in pins if pin.location.path != one.location.path and _answers(pin, one)]
    if one.pinned:
        answers = [pin for pin in answers if pin.pinned == one.pinned and pin.hashed]
    if not answers:
        return one
    best = min(answers, key=lambda pin: (pin.kind is not Manifest.LOCK, not pin.hashed, pin.location))
    return replace(one, pinned=best.pinned, hashed=one.hashed or best.hashed, lock=best.location)


def _answers(pin: Requirement, one: Requirement) -> bool:
    """Tell whether the pin decides for the requirement: it counts where that does, and fits."""
    return (one.development or not pin.development) and one.allows(pin.pinned or "")
